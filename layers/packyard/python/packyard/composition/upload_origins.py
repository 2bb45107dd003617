"""Where the forms of staged uploads lead: what a page must be allowed to send to.

It is worked out without the SDK, which would take longer to import than all else that serves a page. A test compares it
with the SDK's own forms.
"""

import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

_BUCKET: Final = "PACKYARD_STAGING_BUCKET"
_REGION: Final = "AWS_REGION"
# Another endpoint than AWS's: what the SDK reads, the more special first.
_ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_GLOBAL: Final = "us-east-1"
_CHINA: Final = "cn-"


def upload_origins(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the origin of the staging bucket; nothing where no bucket is stated.

    Args:
        environment: This container's variables.
    """
    bucket, region = environment.get(_BUCKET), environment.get(_REGION, _GLOBAL)
    if not bucket:
        return ()
    endpoint = next((environment[name] for name in _ENDPOINTS if environment.get(name)), None)
    if endpoint is not None:
        parts = urlsplit(endpoint)
        return (f"{parts.scheme}://{parts.netloc}",)
    domain = "amazonaws.com.cn" if region.startswith(_CHINA) else "amazonaws.com"
    # S3 has no Region in the name of its oldest endpoint.
    host = f"s3.{domain}" if region == _GLOBAL else f"s3.{region}.{domain}"
    return (f"https://{bucket}.{host}",)
