"""The operations of the API contract: what each takes, and all that it may answer. Those of a theme have a module."""

from collections.abc import Sequence
from typing import Final

from api import comparison, policies
from api.attestation_operations import ATTESTATION_OPERATIONS
from api.doors import DOOR_OPERATIONS
from api.event_operations import EVENT_OPERATIONS
from api.feeds import FEED_OPERATIONS
from api.file_operations import FILE_OPERATIONS
from api.key_operations import KEY_OPERATIONS
from api.operation import Answer, Operation
from api.operator_operations import OPERATOR_OPERATIONS
from api.pack_operations import PACK_OPERATIONS
from api.publishers import PUBLISHER_OPERATIONS
from api.role_operations import ROLE_OPERATIONS
from api.scans import SCAN_OPERATIONS
from api.signature_policies import SIGNATURE_OPERATIONS
from api.upload_operations import UPLOAD_OPERATIONS
from api.usage_operations import USAGE_OPERATIONS
from api.webhook_operations import WEBHOOK_OPERATIONS
from api.withdrawal import WITHDRAWAL_OPERATIONS

_ABOUT: Final = "About this API"

# In the document's order.
OPERATIONS: Final[Sequence[Operation]] = (
    *PACK_OPERATIONS,
    *comparison.OPERATIONS,
    *WITHDRAWAL_OPERATIONS,
    *ATTESTATION_OPERATIONS,
    *DOOR_OPERATIONS,
    *FILE_OPERATIONS,
    *UPLOAD_OPERATIONS,
    *ROLE_OPERATIONS,
    *KEY_OPERATIONS,
    *FEED_OPERATIONS,
    *PUBLISHER_OPERATIONS,
    *EVENT_OPERATIONS,
    *WEBHOOK_OPERATIONS,
    *policies.OPERATIONS,
    *SIGNATURE_OPERATIONS,
    *SCAN_OPERATIONS,
    *USAGE_OPERATIONS,
    *OPERATOR_OPERATIONS,
    Operation(
        function="api_docs",
        method="get",
        path="/openapi.json",
        tag=_ABOUT,
        summary="Read this document",
        answers={200: Answer(description="OpenAPI 3.1.", media_type="application/json")},
        signed_in=False,
    ),
    Operation(
        function="api_docs",
        method="get",
        path="/docs",
        tag=_ABOUT,
        summary="Read this document in a browser",
        answers={
            200: Answer(description="A page that loads nothing from elsewhere.", media_type="text/html")
        },
        signed_in=False,
    ),
    Operation(
        function="console",
        method="get",
        path="/console",
        tag=_ABOUT,
        summary="Look around in a browser",
        description="The page asks for a credential, keeps it in the tab, and uses these operations and nothing else.",
        answers={200: Answer(description="The page.", media_type="text/html")},
        signed_in=False,
    ),
    Operation(
        function="console",
        name="console_asset",
        method="get",
        path="/console/assets/{asset}",
        tag=_ABOUT,
        summary="Read a script or a style sheet of that page",
        answers={200: Answer(description="A file that never changes.", media_type="text/javascript")},
        refusals=["route_not_found"],
        signed_in=False,
    ),
)
