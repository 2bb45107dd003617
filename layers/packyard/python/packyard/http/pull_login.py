"""A login at the distribution door in answers."""

import json
from base64 import b64encode
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from packyard.http.app import json_response
from packyard.operations.pull_tokens import IssuedToken
from packyard.packs.timestamp import format_timestamp


def login_response(login: IssuedToken, *, door: str, role_id: str) -> Response[str]:
    """Return a login, also in the form that container tools read from their configuration file.

    Args:
        login: The login.
        door: The host of the door, with its port if it has one.
        role_id: The role, which is the user.
    """
    basic = b64encode(f"{role_id}:{login.text}".encode()).decode()
    body = {
        "registry": door,
        "username": role_id,
        "password": login.text,
        "expires_at": format_timestamp(login.expires_at),
        # `config.json` of Docker and `auth.json` of podman and skopeo (containers-auth.json(5)).
        "docker_config": json.dumps({"auths": {door: {"auth": basic}}}),
    }
    return json_response(HTTPStatus.OK, body, {"Cache-Control": "no-store"})
