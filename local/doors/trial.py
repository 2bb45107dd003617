"""What the checks of all doors share: the feed, the packs, a folder, and how a client is run."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from local.doors.clients import node_path
from local.doors.pack import DoorFailed, ServedPack
from local.environments import PROJECT

_SECONDS: Final = 180
CHANGING: Final = "door-skill"
# The version of the command here.
THIS: Final = "this checkout"
# Nothing tells its makers, and nothing looks for a newer version of itself.
_QUIET: Final = {
    "CI": "1",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "DO_NOT_TRACK": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAWHUB_DISABLE_TELEMETRY": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "FASTMCP_CHECK_FOR_UPDATES": "off",
}
# The settings of whoever runs this are none of a client's.
_OWN: Final = ("LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One round through all doors.

    Attributes:
        role: The role whose feed it is.
        feed: The feed's URL, without a slash at its end.
        login: The name and password at the distribution door, with a colon between them.
        door: The distribution door's address and port.
        api_url: The stack's API.
        packs: What the feed serves; each with a SKILL.md.
        images: The same as the images hold them, where a SKILL.md that was made is not.
        folder: An empty folder.
        lock: The lock document of the role, as the API answers it.
    """

    role: str
    feed: str
    login: str
    door: str
    api_url: str
    packs: Sequence[ServedPack]
    images: Sequence[ServedPack]
    folder: Path
    lock: bytes

    @property
    def changing(self) -> ServedPack:
        """The pack that gets a new version after the first round."""
        return next(pack for pack in self.packs if pack.name == CHANGING)

    def room(self, name: str) -> Path:
        """Return an empty folder of a client, with a home."""
        folder = self.folder / name
        (folder / "home").mkdir(parents=True)
        return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A row of the table: a client that got what it should.

    Attributes:
        door: The door.
        client: The client.
        version: Its version.
        ran: What it was asked to do.
        verified: What was checked of it.
    """

    door: str
    client: str
    version: str
    ran: str
    verified: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a client ended.

    Attributes:
        status: Its exit status.
        output: What it printed.
        errors: What it printed beside that.
    """

    status: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Where a client runs.

    Attributes:
        folder: Its working directory; its home is `home` below it.
        variables: Its own variables.
    """

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, *command: str | Path, status: int = 0, given: str = "") -> Ended:
        """Run a client and wait for it.

        Args:
            command: The program and its arguments.
            status: The exit status that it must have.
            given: What it reads.

        Raises:
            DoorFailed: It has another one, or does not end.
        """
        home = self.folder / "home"
        environment = {
            **{name: os.environ[name] for name in _OWN if name in os.environ},
            **_QUIET,
            "PATH": node_path(),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            **self.variables,
        }
        words = [str(word) for word in command]
        try:
            ended = subprocess.run(
                words,
                cwd=self.folder,
                env=environment,
                input=given,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DoorFailed(f"{' '.join(words)} did not end in {_SECONDS} s") from None
        if ended.returncode != status:
            raise DoorFailed(
                f"{' '.join(words)}\n{ended.stdout}{ended.stderr}ended with status {ended.returncode}"
            )
        return Ended(ended.returncode, ended.stdout, ended.stderr)


def packyard_variables() -> dict[str, str]:
    """Return the variables with which this Python runs the `packyard` of this checkout."""
    return {
        "PYTHONPATH": f"{PROJECT / 'layers/packyard/python'}:{PROJECT / 'cli'}",
        "PACKYARD_NO_KEYRING": "1",
    }


def require(what: object, told: str) -> None:
    """Check something.

    Raises:
        DoorFailed: It is not so.
    """
    if not what:
        raise DoorFailed(told)
