"""The distribution door in one process: what API Gateway does between a client and the door's functions."""

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from typing import Any

from tests.gateway import Request
from tests.service import ACME, Service

from packyard.tenants.caller import Caller

_METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef/v2/GET/"


@dataclass(frozen=True)
class DoorAnswer:
    """An answer as a client of OCI registries sees it."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def code(self) -> str:
        """The code of an error."""
        (error,) = json.loads(self.body)["errors"]
        return str(error["code"])


@dataclass(frozen=True, kw_only=True)
class DoorClient:
    """A client of the door.

    Attributes:
        service: The service.
        bearer: The token that it sends; empty for none.
    """

    service: Service
    bearer: str = ""

    def logged_in(self, user: str, password: str) -> "DoorClient":
        """Return the client with a token for a login."""
        return replace(self, bearer=json.loads(self.token(user, password).body)["token"])

    def token(self, user: str, password: str) -> DoorAnswer:
        """Ask the token server."""
        basic = b64encode(f"{user}:{password}".encode()).decode()
        return self.token_for(f"Basic {basic}")

    def token_for(self, authorization: str) -> DoorAnswer:
        """Ask the token server with an Authorization header."""
        event = Request(method="GET", resource="/token", headers={"Authorization": authorization}).event()
        return _answer(self.service.invoke("exchange_pull_token", event))

    def authorize(self, host: str = "registry.packyard.example") -> Any:
        """Return what the door's authorizer answers."""
        headers = {"Host": host} | ({"Authorization": f"Bearer {self.bearer}"} if self.bearer else {})
        return self.service.invoke(
            "authorize_pull", {"type": "REQUEST", "methodArn": _METHOD_ARN, "headers": headers}
        )

    def ping(self) -> DoorAnswer:
        """Ask whether this is a registry."""
        return self._ask("ping_door", "GET", "/")

    def manifest(self, repository: str, reference: str, *, method: str = "GET") -> DoorAnswer:
        """Ask for a manifest."""
        return self._ask("pull_manifest", method, f"/{repository}/manifests/{reference}")

    def blob(self, repository: str, digest: str) -> DoorAnswer:
        """Ask for a blob."""
        return self._ask("pull_blob", "GET", f"/{repository}/blobs/{digest}")

    def _ask(self, function: str, method: str, path: str) -> DoorAnswer:
        decision = self.authorize()
        (statement,) = decision["policyDocument"]["Statement"]
        if statement["Effect"] == "Deny":
            return DoorAnswer(401, {"WWW-Authenticate": decision["context"]["challenge"]}, "")
        event = Request(method=method, resource=path).event()
        event["requestContext"]["authorizer"] = decision["context"]
        return _answer(self.service.invoke(function, event))


def login(service: Service, role_id: str, *, caller: Caller = ACME) -> Any:
    """Return what the API answers to who asks for a login at the door."""
    return service.send("issue_pull_token", "POST", f"/agent-roles/{role_id}/pull-token", caller=caller)


def _answer(raw: dict[str, Any]) -> DoorAnswer:
    return DoorAnswer(
        raw["statusCode"], {name: values[0] for name, values in raw["multiValueHeaders"].items()}, raw["body"]
    )
