"""Requests about signature policies, for the suites that interrupt them."""

from collections.abc import Callable, Mapping

from tests.gateway import Answer
from tests.reliability.deployment import Deployment
from tests.signatures import document_of, written_by_cosign


def set_signature_policy(
    headers: Mapping[str, str] | None = None, *, otherwise: str = "accept"
) -> Callable[[Deployment], Answer]:
    """Require signatures, which the images of the deployment do not have."""
    document = document_of(written_by_cosign()["keys"]["p256"], images=["**"], otherwise=otherwise)
    return lambda deployment: deployment.service.send(
        "policies", "PUT", "/signature-policy", json=document, headers=dict(headers or {})
    )
