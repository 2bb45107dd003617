"""Logins of clients of OCI registries, in requests and answers."""

import json
from base64 import b64encode
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent

from packyard.errors import InvalidRequest
from packyard.http.app import json_response
from packyard.http.fields import Body, Field
from packyard.http.json_body import read_json
from packyard.packs.timestamp import format_timestamp


class LoginAt(StrEnum):
    """Where a login is valid."""

    DOOR = "door"
    REGISTRY = "registry"


LOGIN: Final = Field(
    name="login",
    values=tuple(LoginAt),
    default=LoginAt.DOOR,
    example=LoginAt.REGISTRY,
    description="Where the login is valid: at the distribution door, or at Amazon ECR itself. A login at ECR opens "
    "whole repositories for up to 12 hours, and nothing ends it sooner. Every image has to be in a repository of your "
    "own organisation.",
)
LOGIN_REQUEST: Final = Body(name="PullLoginRequest", description="Which login is wanted.", fields=(LOGIN,))


def read_login(event: APIGatewayProxyEvent) -> LoginAt:
    """Return where a login is to be valid; at the door unless the body says otherwise.

    Raises:
        UnsupportedMediaType, PayloadTooLarge: See `read_json`.
        InvalidRequest: The body is not such an object, or `login` is unknown.
    """
    given = read_json(event, LOGIN_REQUEST)
    try:
        return LoginAt(given.get(LOGIN.name, LOGIN.default))
    except ValueError:
        where = f"{LoginAt.DOOR} (the distribution door) or {LoginAt.REGISTRY} (Amazon ECR itself)"
        raise InvalidRequest({LOGIN.name: f"must be {where}"}) from None


def login_response(*, registry: str, username: str, password: str, expires_at: datetime) -> Response[str]:
    """Return a login, also in the form that container tools read from their configuration file.

    Args:
        registry: The host where it is valid, with its port if it has one.
        username: The user.
        password: The password. It is a secret.
        expires_at: From when on it is refused, UTC.
    """
    basic = b64encode(f"{username}:{password}".encode()).decode()
    body = {
        "registry": registry,
        "username": username,
        "password": password,
        "expires_at": format_timestamp(expires_at),
        # `config.json` of Docker and `auth.json` of podman and skopeo (containers-auth.json(5)).
        "docker_config": json.dumps({"auths": {registry: {"auth": basic}}}),
    }
    return json_response(HTTPStatus.OK, body, {"Cache-Control": "no-store"})
