"""`lock.json` and `bundle.tar`: skopeo reads the layout, and `packyard install --from` installs it offline."""

import sys
import time
from collections.abc import Iterator
from typing import Final

import urllib3

from local.doors.distribution import version_of
from local.doors.layouts import copied, require_image
from local.doors.trial import THIS, Passed, Room, Trial, packyard_variables, require

_DOOR: Final = "bundle.tar"
_SECONDS: Final = 120


def verify(trial: Trial) -> Iterator[Passed]:
    """Yield what was got of the two documents.

    Raises:
        DoorFailed: It is something else.
    """
    http = urllib3.PoolManager(retries=False, timeout=60)
    lock = http.request("GET", f"{trial.feed}/lock.json")
    require((lock.status, lock.data) == (200, trial.lock), f"lock.json: {lock.status} {lock.data[:300]!r}")
    yield _passed("lock.json", "any HTTP client", "", "GET", "the bytes of the role's lock")

    room = Room(folder=trial.room("bundle"))
    bundle = room.folder / _DOOR
    bundle.write_bytes(_bundle(trial, http))
    for pack in trial.images:
        layout = copied(room, f"oci-archive:{bundle}:{pack.flat_name}", pack.flat_name)
        require_image(room, layout, pack)
    skopeo = version_of(room, "skopeo")
    yield _passed(_DOOR, "skopeo", skopeo, "copy oci-archive:", "every file and mode; digests by the client")

    into = room.folder / "installed"
    install = ("install", trial.role, "--from", bundle, "--offline", "--into", into)
    packyard = Room(folder=trial.room("packyard"), variables=packyard_variables())
    packyard.run(sys.executable, "-m", "packyard_cli", *install)
    for pack in trial.images:
        pack.require_in(into / pack.folder, modes=True)
    yield _passed(
        _DOOR,
        "packyard",
        THIS,
        "install --from --offline",
        "every file and mode; digests and lock by the client",
    )


def _bundle(trial: Trial, http: urllib3.PoolManager) -> bytes:
    """Return the bundle, once it has been made."""
    deadline = time.monotonic() + _SECONDS
    while True:
        answer = http.request("GET", f"{trial.feed}/{_DOOR}", redirect=False)
        if answer.status == 302:  # noqa: PLR2004 - Found
            break
        require(answer.status == 202, f"{_DOOR}: {answer.status} {answer.data[:300]!r}")  # noqa: PLR2004 - Accepted
        require(time.monotonic() < deadline, f"{_DOOR} was not made in {_SECONDS} s")
        time.sleep(min(float(answer.headers["Retry-After"]), 2))
    found = http.request("GET", answer.headers["Location"])
    require(found.status == 200, f"{_DOOR} at its store: {found.status} {found.data[:300]!r}")  # noqa: PLR2004 - OK
    return found.data


def _passed(door: str, client: str, number: str, ran: str, verified: str) -> Passed:
    return Passed(door=door, client=client, version=number, ran=ran, verified=verified)
