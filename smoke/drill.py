"""`python -m smoke.drill`: the drill of docs/operating.md on a running local stack, with the time that each step takes.

A secret is published, found, withdrawn and deleted, and the events say who did what and which roles ran it. It uses the
API alone, makes a pack, roles and webhooks of its own in two organisations, and removes them.
"""

import argparse
import json
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import urllib3
from local.receiver import Receiver, receiving
from local.standing_stack import StackNotRunning, standing_stack

from smoke.archive import archive_of, pack_files

_OWNER: Final = "acme"
_USER: Final = "globex"
_SECONDS: Final = 180.0
_POLL_SECONDS: Final = 0.25
_AT_ONCE: Final = 4
_ATTEMPTS: Final = 5
_UNAVAILABLE: Final = 503
_DONE: Final = frozenset({200, 201})


class Refused(Exception):
    """A request of the drill was refused, or something did not come about in time."""


@dataclass
class Drill:
    """One drill.

    Attributes:
        api: The URL of the API.
        keys: The key of each organisation, by its slug.
        roles: How many roles of each organisation pin the pack.
        receiver: What takes the webhooks.
        http: Sends the requests.
        times: The seconds of each step so far.
    """

    api: str
    keys: Mapping[str, str]
    roles: int
    receiver: Receiver
    http: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(retries=False, timeout=60, maxsize=_AT_ONCE)
    )
    name: str = field(default_factory=lambda: f"drill-{uuid.uuid4().hex[:8]}")
    times: list[tuple[str, float]] = field(default_factory=list)

    def ask(self, org: str, method: str, path: str, **more: Any) -> Any:
        """Send a request, a few times if it is answered 503, and return the body of its answer.

        Raises:
            Refused: It was not answered 2xx.
        """
        headers = {"Authorization": f"Bearer {self.keys[org]}"}
        for _ in range(_ATTEMPTS):
            answer = self.http.request(method, f"{self.api}{path}", headers=headers, **more)
            if answer.status != _UNAVAILABLE:
                break
            time.sleep(_POLL_SECONDS)
        body = json.loads(answer.data) if answer.data else None
        if answer.status not in _DONE:
            raise Refused(f"{method} {path} was answered {answer.status}: {body}")
        return body

    def upload(self, path: str, **files: bytes) -> Any:
        """Send an archive; each file lies in `data/`."""
        held = {f"data/{name}": content for name, content in files.items()}
        version = f"1.{len(self.times)}.0"
        archive = archive_of({**pack_files(self.name, version), **held})
        fields: dict[str, Any] = {"archive": ("pack.tar.gz", archive, "application/gzip")}
        if path == "/packs/upload":
            fields["visibility"] = "community"
        return self.ask(_OWNER, "POST", path, fields=fields)

    def role_ids(self) -> list[tuple[str, str]]:
        """Return the roles: the organisation and the id of each."""
        return [(org, f"{self.name}-{number}") for org in (_OWNER, _USER) for number in range(self.roles)]

    def of_roles(self, act: Callable[[tuple[str, str]], Any]) -> list[Any]:
        """Do something with each role, a few at once."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(act, self.role_ids()))

    def timed(self, step: str, act: Callable[[], Any], *, since: float | None = None) -> Any:
        """Do a step and note how long it took, or how long after an instant it ended."""
        started = time.monotonic() if since is None else since
        result = act()
        self.times.append((step, time.monotonic() - started))
        print(f"  {self.times[-1][1]:7.1f} s  {step}", flush=True)
        return result

    def run(self) -> None:
        """Play it.

        Raises:
            Refused: As for `ask`; or something did not come about within three minutes.
        """
        hooks = {
            org: self.ask(org, "POST", "/webhooks", json={"url": f"{self.receiver.url}/{org}"})["id"]
            for org in (_OWNER, _USER)
        }
        pack = self.upload("/packs/upload", password=b"hunter2")["id"]
        try:
            self._play(pack)
        finally:
            self.of_roles(lambda role: self.ask(role[0], "DELETE", f"/agent-roles/{role[1]}"))
            self.ask(_OWNER, "DELETE", f"/packs/{pack}")
            for org, hook in hooks.items():
                self.ask(org, "DELETE", f"/webhooks/{hook}")

    def _play(self, pack: str) -> None:
        revision = f"/packs/{pack}/revisions/1"
        pin = {"pack_ids": [pack]}
        self.of_roles(lambda role: self.ask(role[0], "PUT", f"/agent-roles/{role[1]}/packs", json=pin))
        reason = {"reason": "It holds a password."}
        withdrawn = time.monotonic()
        self.timed("withdraw", lambda: self.ask(_OWNER, "POST", f"{revision}/withdrawal", json=reason))
        # To wait for what arrives costs the stack nothing, as against asking for all locks again and again.
        told = self.timed("every owner is told, from then", lambda: self._until(self._told), since=withdrawn)
        self.timed("every lock says so, from then", lambda: self._until(self._locks_say_so), since=withdrawn)
        self.timed("publish without it", lambda: self.upload(f"/packs/{pack}/upload", readme=b"No secret."))
        self.timed("move all pins", lambda: self.of_roles(self._refresh))
        deleted = self.timed("delete the content", lambda: self.ask(_OWNER, "DELETE", revision))
        self.timed("the list of events has it", lambda: self._until(lambda: self._listed(pack)))
        print(f"\n{told} events role.withdrawn_pin arrived; also_in {deleted['also_in']}\n\nWho did what:")
        for event in self._events(_OWNER, f"pack_id={pack}"):
            print(f"  {event['at']}  {event['type']:22} {event['actor']}  {event['request_id']}")
        print("\nWhich roles ran revision 1, from when to when:")
        for org, role_id, since, until in self.of_roles(lambda role: self._ran(role, pack)):
            print(f"  {org:7} {role_id}  {since} … {until}")

    def _refresh(self, role: tuple[str, str]) -> Any:
        return self.ask(role[0], "POST", f"/agent-roles/{role[1]}/packs/refresh", json={})

    def _locks_say_so(self) -> int:
        locks = self.of_roles(lambda role: self.ask(role[0], "GET", f"/agent-roles/{role[1]}/lock"))
        return int(all(lock["packs"][0]["status"] == "withdrawn" for lock in locks))

    def _told(self) -> int:
        told = [
            (org, event["role_id"])
            for org, events in self.receiver.bodies.items()
            for event in events
            if event["type"] == "role.withdrawn_pin"
        ]
        return len(told) if set(told) >= set(self.role_ids()) else 0

    def _listed(self, pack: str) -> int:
        return len(self._events(_OWNER, f"pack_id={pack}&type=revision.deleted"))

    def _events(self, org: str, query: str) -> Sequence[Any]:
        found: Sequence[Any] = self.ask(org, "GET", f"/events?limit=100&{query}")["events"]
        return found

    def _ran(self, role: tuple[str, str], pack: str) -> tuple[str, str, str, str]:
        org, role_id = role
        history = self.ask(org, "GET", f"/agent-roles/{role_id}/revisions")["revisions"][::-1]
        ran = [
            any((held["id"], held["revision"]) == (pack, 1) for held in entry["packs"]) for entry in history
        ]
        first, ended = ran.index(True), ran.index(False)
        return org, role_id, history[first]["at"], history[ended]["at"]

    @staticmethod
    def _until(holds: Callable[[], int]) -> int:
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            if found := holds():
                return found
            time.sleep(_POLL_SECONDS)
        raise Refused(f"it did not come about within {_SECONDS:g} s")


def main(arguments: Sequence[str]) -> int:
    """Run the command line. Return the exit status: 0 if all of it came about."""
    parser = argparse.ArgumentParser(prog="python -m smoke.drill", description=__doc__)
    parser.add_argument("--port", type=int, default=4566, help="the stack's port")
    parser.add_argument("--roles", type=int, default=10, help="how many roles of each organisation")
    options = parser.parse_args(arguments)
    try:
        stack = standing_stack(options.port).description
        keys = {org: stack["orgs"][org]["keys"]["full_access"] for org in (_OWNER, _USER)}
        with receiving() as receiver:
            Drill(api=stack["api_url"], keys=keys, roles=options.roles, receiver=receiver).run()
    except (Refused, StackNotRunning) as failure:
        print(f"drill: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
