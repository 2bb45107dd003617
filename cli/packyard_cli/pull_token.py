"""`packyard roles pull-token`: a login at the distribution door, or at the registry itself, for what a role pins."""

import argparse
from base64 import b64encode
from pathlib import Path

from packyard_cli.context import Context
from packyard_cli.manifest import object_name
from packyard_cli.manifests import yaml_text
from packyard_cli.result import Result
from packyard_cli.service import JsonBody, role_path
from packyard_cli.settings import write_whole

_PRIVATE_FILE = 0o600


def pull_token(options: argparse.Namespace, context: Context) -> Result:
    """Ask for a login, and print it as container tools read it, or as a Secret for Kubernetes.

    Raises:
        Failure: There is no such role, or the login does not allow this.
        OSError: The file cannot be written.
    """
    if options.secret:
        object_name(options.secret, option="--secret")
    path = role_path(options.role, "/pull-token")
    # The door is what a request without a body means.
    body = JsonBody.of({"login": "registry"}) if options.registry else None
    login = context.service().call("POST", path, body=body).body
    config = str(login["docker_config"])
    text = _secret(options.secret, config, str(login["expires_at"])) if options.secret else f"{config}\n"
    context.printer.note(f"A login at {login['registry']} until {login['expires_at']}.")
    if not options.output:
        return Result(document=login, content=text.encode())
    write_whole(Path(options.output), text.encode(), mode=_PRIVATE_FILE)
    shown = {name: login[name] for name in ("registry", "username", "expires_at")}
    return Result(
        document={**shown, "file": options.output},
        lines=[f"{options.output}: a file that only you can read (mode 0600)"],
        essence=[options.output],
    )


def _secret(name: str, config: str, expires_at: str) -> str:
    return yaml_text(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "annotations": {"packyard/expires-at": expires_at}},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": b64encode(config.encode()).decode()},
        }
    )
