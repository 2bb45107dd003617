"""What the operator of the deployment asks, and what there is to see: deletions that wait, and messages given up."""

from dataclasses import replace
from typing import Any, Final

from tests.aws import DEAD_LETTER_QUEUES, Aws, queue_url
from tests.gateway import Answer, Request
from tests.service import ACME, Service

from packyard.tenants.caller import OPERATE, SCOPES, Caller

FUNCTION: Final = "operator_view"
# With an operator's key of ACME, which also has all that ACME's own keys have.
OPERATOR: Final = replace(ACME, principal="key:operator", scopes=SCOPES | {OPERATE})


def ask(
    service: Service, path: str, caller: Caller | None = OPERATOR, *, resource: str = "", **query: str
) -> Answer:
    """Read something, as the operator unless another caller is given."""
    asked = Request(method="GET", resource=resource or path, path=path, query=query, caller=caller)
    return service.request(FUNCTION, asked)


def of_organisation(service: Service, named: str, caller: Caller | None = OPERATOR) -> Answer:
    """Read what an organisation uses."""
    path = f"/operator/organisations/{named}"
    return ask(service, path, caller, resource="/operator/organisations/{org}")


def bury(aws: Aws, queue: str, body: str) -> None:
    """Let a message be a dead letter."""
    aws.sqs.send_message(QueueUrl=queue_url(DEAD_LETTER_QUEUES[queue]), MessageBody=body)


def leave_deleting(service: Service, pack_id: str, caller: Caller = ACME) -> None:
    """Decide that a pack is deleted, as a process does that dies right after that."""
    deleter: Any = service.services.deletions
    deleter.begin(pack_id, org_id=caller.org_id, actor=caller.principal, if_match=None, now=service.clock())
