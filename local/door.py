"""The distribution door on a port of its own, since clients of OCI registries ask the root of a host.

On AWS the stage of the door is at the root of its host. The emulator has all APIs on one port, below a path, and a
registry of its own at the root.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from local.ports import is_free
from local.proxy import Received, proxied
from local.shortfalls import DOOR_STAGE

if TYPE_CHECKING:
    from local.proxy import PassOn, Sent


@dataclass(kw_only=True)
class Door:
    """The door of a running stack.

    Attributes:
        host: Its address and port.
        api_id: The API that it leads to; None until the stack is deployed.
    """

    host: str = ""
    api_id: str | None = None

    def lead(self, request: "Sent", pass_on: "PassOn") -> Received | None:
        """Pass a request on to the API. Before there is one, the connection is closed."""
        if self.api_id is None or not request.path.startswith(f"/{DOOR_STAGE}/"):
            return None
        path = request.path.removeprefix(f"/{DOOR_STAGE}")
        return pass_on(replace(request, path=f"/restapis/{self.api_id}/{DOOR_STAGE}/_user_request_{path}"))

    @property
    def challenge(self) -> str:
        """What the door's authorizer answers a client without a token."""
        return f'Bearer realm="http://{self.host}/{DOOR_STAGE}/token",service="{self.host}"'


@contextmanager
def open_door(*, folder: Path, emulator_port: int) -> Iterator[Door]:
    """Keep the door open while the block lasts, at the port that it had before, or at the one after the emulator's.

    Args:
        folder: The state of the stack, which remembers the port.
        emulator_port: Where the emulator listens.
    """
    remembered = folder / "door.port"
    wanted = int(remembered.read_text()) if remembered.exists() else emulator_port + 1
    door = Door()
    with proxied(emulator_port, door.lead, listen=wanted if is_free(wanted) else 0) as url:
        door.host = url.removeprefix("http://")
        remembered.write_text(door.host.rpartition(":")[2])
        yield door
