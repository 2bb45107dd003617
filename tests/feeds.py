"""Feeds, as the tests make, read and remove them."""

from typing import Any, Final

from tests.gateway import Answer
from tests.service import ACME, Service

from packyard.tenants.caller import Caller

PATH: Final = "/feeds"


def make(service: Service, caller: Caller = ACME, /, **fields: Any) -> Answer:
    """Ask for a feed: of the role `support`, unless the fields say otherwise."""
    wanted = fields if "pack_ids" in fields or "role_id" in fields else {"role_id": "support", **fields}
    return service.send("feeds", "POST", PATH, caller=caller, json=wanted)


def read(service: Service, feed_id: str, caller: Caller = ACME) -> Answer:
    """Ask for a feed."""
    return service.send("feeds", "GET", f"{PATH}/{feed_id}", caller=caller)


def listed(service: Service, caller: Caller = ACME, /, **query: str) -> Any:
    """Return a page of the feeds of an organisation."""
    return service.send("feeds", "GET", PATH, caller=caller, query=query).body


def remove(service: Service, feed_id: str, caller: Caller = ACME) -> Answer:
    """Remove a feed."""
    return service.send("feeds", "DELETE", f"{PATH}/{feed_id}", caller=caller)


def secret_of(answer: Answer) -> str:
    """Return the secret in the address of a feed that was just made."""
    url: str = answer.body["url"]
    return url.rstrip("/").rpartition("/")[2]
