"""What is asked of a registry, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Message
    body: bytes = b""
    raw_query: str = ""


@dataclass
class Reply:
    """What is answered; Content-Length is added on the way out."""

    status: HTTPStatus
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
