"""Pushes an archive unchanged with oras: `python oras_push.py ARCHIVE HOST REPOSITORY`, in oras's own environment."""

import sys

import oras.client


def main() -> None:
    """Push one archive."""
    archive, host, repository = sys.argv[1:]
    client = oras.client.OrasClient(hostname=host, insecure=True)
    client.push(
        target=f"{host}/{repository}:latest",
        files=[f"{archive}:application/vnd.oci.image.layer.v1.tar+gzip"],
        disable_path_validation=True,
    )


main()
