"""Builds the events that API Gateway sends, and reads the answers it gets back."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from packyard.http.caller import to_context
from packyard.tenants.caller import Caller


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request as a client would make it."""

    method: str
    resource: str
    path: str | None = None
    query: Mapping[str, str | list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    caller: Caller | None = None

    def event(self) -> dict[str, Any]:
        """Return the REST API proxy event; every body is passed on as bytes, as the template configures it."""
        body = None if self.body is None else base64.b64encode(self.body).decode()
        query = {name: [value] if isinstance(value, str) else value for name, value in self.query.items()}
        return {
            "httpMethod": self.method,
            "resource": self.resource,
            "path": self.path or self.resource,
            "headers": self.headers,
            "multiValueHeaders": {k: [v] for k, v in self.headers.items()},
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "pathParameters": None,
            "stageVariables": None,
            "requestContext": {
                "requestId": str(uuid4()),
                "stage": "v1",
                "path": f"/v1{self.path or self.resource}",
                "httpMethod": self.method,
                "identity": {"sourceIp": "192.0.2.10"},
                "authorizer": to_context(self.caller) if self.caller else {},
            },
            "body": body,
            "isBase64Encoded": body is not None,
        }


@dataclass(frozen=True)
class Answer:
    """What the function answered."""

    status: int
    headers: dict[str, str]
    body: Any

    @classmethod
    def of(cls, raw: dict[str, Any]) -> "Answer":
        """Read a proxy result."""
        headers = {k: v[0] for k, v in raw["multiValueHeaders"].items()}
        text = raw["body"]
        return cls(raw["statusCode"], headers, json.loads(text) if text else None)

    @property
    def error(self) -> dict[str, Any]:
        """The envelope's inner object."""
        error = self.body["error"]
        assert isinstance(error, dict)
        return error

    @property
    def fields(self) -> dict[str, str]:
        """What is wrong, by field; empty when the error has none."""
        fields = self.error.get("details", {}).get("fields", {})
        assert isinstance(fields, dict)
        return fields


def multipart(parts: dict[str, bytes], boundary: str = "frontier") -> tuple[bytes, dict[str, str]]:
    """Return a multipart/form-data body and its headers; the part `archive` is sent as a file."""
    lines = []
    for name, content in parts.items():
        disposition = f'form-data; name="{name}"' + ('; filename="pack.tar.gz"' if name == "archive" else "")
        lines.append(
            f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"
        )
    lines.append(f"--{boundary}--\r\n".encode())
    return b"".join(lines), {"Content-Type": f"multipart/form-data; boundary={boundary}"}
