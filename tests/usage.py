"""Reading and limiting what an organisation uses."""

from tests.service import ACME, Service

from packyard.packs.usage import Quota
from packyard.tenants.caller import Caller


def usage(service: Service, caller: Caller = ACME) -> dict[str, int]:
    """Return what an organisation uses, by quota."""
    answer = service.send("get_usage", "GET", "/usage", caller=caller)
    assert answer.status == 200, answer.body
    return {quota: used["used"] for quota, used in answer.body.items()}


def limit(service: Service, quota: Quota, most: int | None, caller: Caller = ACME) -> None:
    """Set a limit as the operator does; None for the default."""
    store = service.services.usage
    before = store.own_limits(caller.org_id)
    if before.of(quota) != most:
        store.set_limits(
            caller.org_id, {quota: most}, before=before, by="operator", events=service.services.events
        )
