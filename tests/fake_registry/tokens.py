"""Tokens of a registry, for certain scopes and some time (token specification of the CNCF's distribution project)."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from urllib.parse import parse_qs

from tests.fake_registry.shelves import Refusal

Rights = dict[str, set[str]]

_SCOPE = re.compile(r"repository:(?P<name>[a-z0-9._/-]+):(?P<actions>[a-z,*]+)")
_REPOSITORY = re.compile(r"/v2/(?P<name>.+?)/(?:blobs|manifests|tags)/")
_ACTIONS = {"GET": {"pull"}, "HEAD": {"pull"}, "DELETE": {"delete"}}


@dataclass
class Tokens:
    """Issues tokens, and checks their scopes.

    Attributes:
        users: What each `user:password` may do.
        expires_in: Seconds, as it says; None to say nothing.
        mint: Makes a token of what may be done in which repository.
        asked: The scopes of every request for a token that was granted.
        granted: By token, what may be done in which repository.
    """

    users: Mapping[str, set[str]]
    expires_in: int | None = 300
    mint: Callable[[Rights], str] | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)
    granted: dict[str, Rights] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def token(self, authorization: str, query: str) -> bytes:
        """Answer a request for a token. The token grants those of the requested scopes that the user has."""
        user = next(
            (user for user in self.users if authorization == f"Basic {b64encode(user.encode()).decode()}"),
            None,
        )
        if user is None:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED")
        scopes = tuple(parse_qs(query).get("scope", []))
        self.asked.append(scopes)
        rights: Rights = {}
        for scope in filter(None, map(_SCOPE.fullmatch, scopes)):
            rights.setdefault(scope["name"], set()).update(
                set(scope["actions"].split(",")) & self.users[user]
            )
        token = self.mint(rights) if self.mint is not None else f"token-{next(self._numbers)}"
        self.granted[token] = rights
        answer: dict[str, object] = {"token": token}
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in
        return json.dumps(answer).encode()

    def allow(self, authorization: str, method: str, path: str, query: Mapping[str, str]) -> bool:
        """Tell whether a token allows a request (distribution, `appendAccessRecords`)."""
        rights = self.granted.get(authorization.removeprefix("Bearer "))
        if rights is None:
            return False
        needed = _needed(method, path, query)
        return all(actions <= rights.get(name, set()) for name, actions in needed.items())

    def scope(self, method: str, path: str) -> str:
        """Return the challenge that answers a request."""
        return " ".join(
            f"repository:{name}:{','.join(sorted(actions))}"
            for name, actions in _needed(method, path, {}).items()
        )


def _needed(method: str, path: str, query: Mapping[str, str]) -> dict[str, set[str]]:
    found = _REPOSITORY.match(path)
    if found is None:
        return {}
    needed = {found["name"]: _ACTIONS.get(method, {"pull", "push"})}
    return needed | ({query["from"]: {"pull"}} if "from" in query else {})
