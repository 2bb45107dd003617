"""One load, from an empty stack to its state hours later."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from local.aws import Endpoint
from local.function import free_port
from local.receiver import Receiver, receiving
from local.stack import running_stack
from tests.reliability.invariants import Observed, violations

from load.arrivals import poisson, send
from load.clients import Clients
from load.faults import Faults, failing
from load.journal import Journal
from load.memory import Memory
from load.mix import ORGS, Mix
from load.outcome import Outcome, outcome
from load.promises import Promises
from load.recovery import Future
from load.sight import events_after, observe


def load(  # noqa: PLR0913 - the parts of a load
    *, folder: Path, seconds: float, rate: float, at_once: int, share: float, seed: int
) -> Outcome:
    """Load an empty stack, settle all messages, and check everything.

    Args:
        folder: An empty folder for its state.
        seconds: How long requests arrive.
        rate: Requests per second.
        at_once: How many requests may run at once. As many processes of each function are started beforehand.
        share: The share of calls to AWS that begin to fail, 0 to 1.
        seed: The same seed gives the same arrivals and the same requests.
    """
    port = free_port()
    faults = Faults(share=0, randomness=Random(f"faults {seed}"))
    with (
        failing(port, faults),
        running_stack(folder=folder, port=port, functions_call=faults.url) as stack,
        receiving() as receiver,
    ):
        memory, warm_up = Memory(port), Journal()
        clients = Clients(stack=stack, journal=warm_up, promises=Promises(), at_once=at_once)
        mix = Mix(clients=clients, seed=seed)
        webhooks = {org: mix.add_webhook(org, receiver.url) for org in ORGS}
        print("· warming up", flush=True)
        mix.warm_up()
        print(f"· {rate:g} requests a second for {seconds:g} s", flush=True)
        clients.journal = Journal(undocumented=warm_up.undocumented)
        due = poisson(rate=rate, seconds=seconds, randomness=Random(f"arrivals {seed}"))
        faults.share = share
        with memory.watched():
            send(due, mix.act, at_once=at_once)
        print("· letting everything settle", flush=True)
        faults.share = 0
        undelivered = _undelivered(clients, Endpoint(port), receiver, webhooks)
        breaches, unconfirmed = _verdict(clients, Endpoint(port), faults)
    return outcome(
        seconds=seconds,
        rate=rate,
        journal=clients.journal,
        faults=faults,
        memory=memory,
        breaches=[*undelivered, *breaches],
        delivered=sum(map(len, receiver.got.values())),
        unconfirmed=unconfirmed,
    )


def _undelivered(
    clients: Clients, endpoint: Endpoint, receiver: Receiver, webhooks: dict[str, str]
) -> list[str]:
    """Return the events that no webhook has got, of those from when the webhooks were made."""
    org_ids = {slug: clients.stack["orgs"][slug]["org_id"] for slug in ORGS}
    made = {org_ids[slug]: webhook_id for slug, webhook_id in webhooks.items()}

    def events() -> dict[str, set[str]]:
        ids = events_after(clients.stack["table"], endpoint, webhooks=made)
        return {slug: ids[org_id] for slug, org_id in org_ids.items()}

    return list(receiver.breaches(events))


def _verdict(clients: Clients, endpoint: Endpoint, faults: Faults) -> tuple[list[str], int]:
    future = Future(endpoint=endpoint, url=faults.url)
    left = future.settle()
    registry = faults.url.partition("://")[2]
    seen = observe(clients.stack, endpoint=endpoint, registry=registry, pending=left, now=future.now())
    orgs = {clients.stack["orgs"][slug]["org_id"]: slug for slug in ORGS}
    listed = {pack["id"]: pack for slug in ORGS for pack in _listed(clients, slug)}
    breaches = [
        *violations(seen),
        *clients.promises.breaches(seen, listed, orgs),
        *_upload_breaches(clients, seen),
        *future.troubles,
    ]
    return breaches, clients.promises.unconfirmed(seen)


def _listed(clients: Clients, org: str) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = clients.of(org).call("GET", f"/packs?owned=true&limit=100{cursor}").body
        yield from page["packs"]
        if "next_cursor" not in page:
            return
        cursor = f"&cursor={page['next_cursor']}"


def _upload_breaches(clients: Clients, seen: Observed) -> Iterator[str]:
    """Yield staged archives that have not become a pack, although every one is valid."""
    for upload_id, (org, name) in clients.promises.uploads.items():
        upload = clients.of(org).call("GET", f"/packs/uploads/{upload_id}").body
        if upload["status"] != "done" or seen.rows[upload["pack_id"]]["name"] != name:
            yield f"{upload_id} of {name} is {upload}"
