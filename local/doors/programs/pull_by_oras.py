"""Pulls an image of one manifest by oras, in an environment that has it, after logging in.

    python pull_by_oras.py REGISTRY REPOSITORY@DIGEST FOLDER < USER:PASSWORD

Prints oras' version. Needs nothing of Packyard.
"""

import sys
from importlib.metadata import version

from oras.client import OrasClient


def _pull(registry: str, image: str, folder: str, *, login: str) -> None:
    username, _, password = login.strip().partition(":")
    client = OrasClient(hostname=registry, insecure=True)
    client.auth.set_basic_auth(username, password)
    client.pull(target=f"{registry}/{image}", outdir=folder)


if __name__ == "__main__":
    _pull(sys.argv[1], sys.argv[2], sys.argv[3], login=sys.stdin.read())
    sys.stdout.write(version("oras"))
