"""Requests to a registry and its answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus


@dataclass(frozen=True)
class Request:
    """A request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    body: bytes = b""
    raw_query: str = ""


@dataclass
class Reply:
    """An answer. Content-Length is added when it is sent."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
