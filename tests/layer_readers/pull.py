"""Pulls an image by each of Python's clients, in an environment that has them.

    python pull.py HOST REPOSITORY INDEX MANIFEST FOLDER

INDEX and MANIFEST are digests. Prints a line of JSON for each client: its name, its version, what it was asked for, and
the files that it has left, or its error. Needs nothing of Packyard.
"""

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import oras.client
from dxf import DXF


def main(host: str, repository: str, index: str, manifest: str, folder: str) -> None:
    """Pull the image by everything here."""
    client = oras.client.OrasClient(hostname=host, insecure=True)
    registry = DXF(host, repository, insecure=True)

    def by_oras(digest: str) -> list[str]:
        # It unpacks a layer into the folder, and returns the path of the blob, which is not there.
        seen = client.pull(target=f"{host}/{repository}@{digest}", outdir=str(Path(folder, "oras")))
        return [str(Path(folder, "oras"))] if seen else []

    def manifest_by_dxf(digest: str) -> list[str]:
        found = registry.get_manifest(digest)
        return sorted(found) if isinstance(found, dict) else [found]

    def layer_by_dxf() -> list[str]:
        path = Path(folder, "dxf.tar.gz")
        document = json.loads(registry.get_manifest(manifest))
        with path.open("wb") as file:
            for piece in registry.pull_blob(document["layers"][0]["digest"]):
                file.write(piece)
        return [str(path)]

    _report("oras (Python)", "oras", "index", lambda: by_oras(index))
    _report("oras (Python)", "oras", "manifest", lambda: by_oras(manifest))
    _report("python-dxf", "python-dxf", "index", lambda: manifest_by_dxf(index))
    _report("python-dxf", "python-dxf", "layer", layer_by_dxf)


def _report(client: str, package: str, what: str, pull: Callable[[], list[str]]) -> None:
    answer = {"client": client, "version": version(package), "what": what, "seen": [], "error": ""}
    try:
        answer["seen"] = pull()
    except Exception as error:  # noqa: BLE001 - whatever a client raises is what is to be reported
        answer["error"] = f"{type(error).__name__}: {error}"
    sys.stdout.write(f"{json.dumps(answer)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
