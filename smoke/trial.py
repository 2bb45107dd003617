"""A whole trial: it creates what it needs, tries the paths, and removes everything again."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from packyard.errors import PackyardError
from smoke.api import Api, NotProved, Wire
from smoke.cost import PRICES_OF, Meter
from smoke.journey import PATHS, ROLE, Journey
from smoke.organisation import Organisation
from smoke.target import Target

OURS, THEIRS = "packyard-smoke", "packyard-smoke-other"
# A request that runs when a trial is interrupted ends within this time: the gateway's own limit is 29 s.
_REQUEST_SECONDS: Final = 30
_BUILD_SECONDS: Final = 180
_POLL_SECONDS: Final = 1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Show = Callable[[str], None]


class Interrupted(Exception):
    """Somebody asked the trial to end."""


def try_out(target: Target, *, take_over: bool, show: Show) -> Meter:
    """Try all paths and return what that took. What it made is removed, also after a failure or an interrupt.

    Args:
        target: The deployment.
        take_over: Whether to reuse what a killed trial has left even though its keys are still valid.
        show: Takes a line of text for the user.

    Raises:
        NotProved, NotVerified: The deployment did not do what it should.
        OrganisationInUse: Another trial is running.
        Interrupted: The trial was asked to end.
    """
    wire = Wire(Meter())
    ours = Organisation(admin=target.admin, slug=OURS)
    theirs = Organisation(admin=target.admin, slug=THEIRS)
    started = time.monotonic()
    with _interruptible():
        try:
            for organisation in (ours, theirs):
                organisation.open(take_over=take_over)
            # What a killed trial has left would disturb this one.
            _delete_packs(target, wire, ours)
            journey = Journey(target, wire, ours, theirs)
            for name, path in PATHS.items():
                began = time.monotonic()
                detail = path(journey)
                show(f"  proved   {name:<31} {detail} ({time.monotonic() - began:.1f} s)")
        finally:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            left = _remove(target, wire, (ours, theirs), show)
    if left:
        raise NotProved(left)
    _show_cost(wire.meter, time.monotonic() - started, show)
    return wire.meter


def _remove(target: Target, wire: Wire, made: tuple[Organisation, ...], show: Show) -> str:
    """Remove what a trial has made. Return a sentence about what could not be removed, or nothing."""
    if wire.meter.busy:
        show(
            f"  waiting  {_REQUEST_SECONDS} s for the request that was on its way, to remove what comes of it"
        )
        time.sleep(_REQUEST_SECONDS)
    try:
        for organisation in made:
            if organisation.secret:
                _delete_packs(target, wire, organisation)
        for organisation in made:
            # An organisation that this trial could not use belongs to another trial.
            if organisation.secret or organisation.created:
                organisation.remove()
                show(f"  removed  the organisation {organisation.slug}, with its keys, packs and images")
    except (NotProved, PackyardError, BotoCoreError, ClientError) as error:
        with suppress(PackyardError, BotoCoreError, ClientError):
            for organisation in made:
                organisation.revoke_keys()
        left = f"not all could be removed: {error}. Its keys are void; the next trial removes the rest"
        show(f"  LEFT     {left}")
        return left
    return ""


def _delete_packs(target: Target, wire: Wire, organisation: Organisation) -> None:
    """Delete every pack of an organisation by the API, also those of uploads that are being built."""
    api = Api(wire, target.api_url, organisation.secret)
    for upload in organisation.uploads:
        deadline = time.monotonic() + _BUILD_SECONDS
        while time.monotonic() < deadline and _is_building(api, upload):
            time.sleep(_POLL_SECONDS)
    packs = api.call("GET", "/packs?owned=true&limit=100", 200).document["packs"]
    standing = {pack["id"] for pack in packs}
    if standing:
        # A pack that a role references cannot be deleted.
        organisation.roles.add(ROLE)
        api.call("PUT", f"/agent-roles/{ROLE}/packs", 200, json={"pack_ids": []})
    for pack_id in standing:
        organisation.packs.add(pack_id)
        api.call("DELETE", f"/packs/{pack_id}", 200)


def _is_building(api: Api, upload_id: str) -> bool:
    status: str = api.call("GET", f"/packs/uploads/{upload_id}", 200).document["status"]
    return status == "building"


def _show_cost(meter: Meter, seconds: float, show: Show) -> None:
    counted = ", ".join(f"{number} to the {name}" for name, number in meter.requests.items())
    show(
        f"  took     {seconds:.0f} s; requests: {counted}; {meter.sent:,} bytes sent, {meter.received:,} received"
    )
    show(f"  cost     at most about {meter.cents():.2f} US cents, by {PRICES_OF}")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn the signals that end a program into an exception while the block lasts."""

    def interrupt(_number: int, _frame: object) -> None:
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
