"""Clients of the emulator. The credentials are dummies, because the emulator checks none."""

import os
from dataclasses import dataclass

import boto3

from local.emulator import HOST, REGION

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The emulator's address.

    Attributes:
        port: Its port on 127.0.0.1.
    """

    port: int

    @property
    def url(self) -> str:
        """Its base URL, for every service and for the registry."""
        return f"http://{HOST}:{self.port}"

    def session(self) -> boto3.Session:
        """Return a session with region and credentials. Clients still need `endpoint_url`."""
        return boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )

    def environment(self) -> dict[str, str]:
        """Return this process's environment, changed so that AWS tools use the emulator."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        return {**kept, **CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.url}
