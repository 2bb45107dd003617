"""Makes `signatures.json` anew: what real cosign writes beside an image, with keys that are thrown away.

    python -m tests.cosign.remake COSIGN_3 COSIGN_2

The arguments are the programs of two releases: 3.1.1 (Debian forky) and 2.5.0 (Debian trixie). docker-registry and
openssl must be on the path. The keys and signatures differ each time; the tests do not depend on their values.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.third_party_images import pack_image

from packyard.oci.digest import digest_of
from packyard.oci.media_types import ANY_MANIFEST

KEYS: Final = {
    "p256": ("ecparam", "-name", "prime256v1", "-genkey", "-noout"),
    "p384": ("ecparam", "-name", "secp384r1", "-genkey", "-noout"),
    "rsa": ("genpkey", "-algorithm", "rsa", "-pkeyopt", "rsa_keygen_bits:2048"),
    "ed25519": ("genpkey", "-algorithm", "ed25519"),
}
PREDICATE_TYPE: Final = "https://packyard.example/review/v1"
HOST: Final = "127.0.0.1:5978"
FILE: Final = Path(__file__).with_name("signatures.json")


def main(cosign_3: str, cosign_2: str) -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder, registry(Path(folder)):
        work = Path(folder)
        (work / "predicate.json").write_text('{"approved": true}')
        repositories = {}
        for name, command in KEYS.items():
            run(work, "openssl", *command, "-out", f"{name}.pem")
            run(work, cosign_3, "import-key-pair", "--key", f"{name}.pem", "--output-key-prefix", name)
            for release, program in (("cosign3", cosign_3), ("cosign2", cosign_2)):
                repository = f"{release}/{name}"
                image = f"{HOST}/{repository}@{push(repository)}"
                options = ["--key", f"{name}.key", "--tlog-upload=false", "--allow-http-registry"]
                options += ["--use-signing-config=false"] if release == "cosign3" else []
                run(work, program, "sign", *options, image)
                attest = ["--type", PREDICATE_TYPE, "--predicate", "predicate.json"]
                run(work, program, "attest", *options, *attest, image)
                repositories[repository] = taken(repository)
        keys = {name: (work / f"{name}.pub").read_text() for name in KEYS}
    FILE.write_text(json.dumps({"keys": keys, "repositories": repositories}, indent=1) + "\n")


@contextmanager
def registry(folder: Path) -> Iterator[None]:
    """Run docker-registry while the context lasts."""
    settings = folder / "registry.yml"
    storage = f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}"
    settings.write_text(f"version: 0.1\n{storage}\nhttp: {{addr: {HOST}}}\nlog: {{level: error}}\n")
    program = shutil.which("docker-registry") or sys.exit("docker-registry is not on the path")
    with subprocess.Popen([program, "serve", str(settings)]) as server:  # noqa: S603 - what was found
        try:
            for _ in range(100):
                try:
                    ask("GET", "/v2/")
                    break
                except URLError:
                    time.sleep(0.1)
            yield
        finally:
            server.terminate()


def run(folder: Path, *command: str) -> None:
    """Run a program; its output is shown only if it fails."""
    environment = os.environ | {"COSIGN_PASSWORD": "", "COSIGN_YES": "true", "HOME": str(folder)}
    ended = subprocess.run(  # noqa: S603 - what the caller names
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        sys.exit(f"{' '.join(command)}: {ended.stderr}")


def ask(method: str, path: str, body: bytes | None = None, media_type: str = "") -> Any:
    """Send a request, and return the answer."""
    headers = {"Accept": ANY_MANIFEST, **({"Content-Type": media_type} if media_type else {})}
    return urlopen(Request(f"http://{HOST}{path}", data=body, method=method, headers=headers))


def push(repository: str) -> str:
    """Push the image that the tests have too, and return its digest."""
    image = pack_image()
    for blob in (image.config, *image.layers):
        started = ask("POST", f"/v2/{repository}/blobs/uploads/", b"").headers["Location"]
        place = started.removeprefix(f"http://{HOST}")
        ask("PUT", f"{place}&digest={digest_of(blob.content)}", blob.content, "application/octet-stream")
    manifest = image.manifest
    ask("PUT", f"/v2/{repository}/manifests/1.4.0", manifest.raw, manifest.media_type)
    return manifest.digest


def taken(repository: str) -> dict[str, Any]:
    """Return the image and what lies beside it: manifests by their tags and digests, and blobs."""
    tag = pack_image().manifest.digest.replace(":", "-")
    found: dict[str, Any] = {"tags": {}, "manifests": {}, "blobs": {}}
    for name in ("1.4.0", tag, f"{tag}.sig", f"{tag}.att"):
        try:
            digest = take(repository, name, found)
        except HTTPError:
            continue
        found["tags"][name] = digest
    return found


def take(repository: str, reference: str, found: dict[str, Any]) -> str:
    """Note a manifest and what it names, and return its digest."""
    answer = ask("GET", f"/v2/{repository}/manifests/{reference}")
    raw = answer.read()
    digest = digest_of(raw)
    found["manifests"][digest] = {"media_type": answer.headers["Content-Type"], "raw": raw.decode()}
    body = json.loads(raw)
    for entry in body.get("manifests", ()):
        take(repository, entry["digest"], found)
    for blob in (*([body["config"]] if "config" in body else []), *body.get("layers", ())):
        content = ask("GET", f"/v2/{repository}/blobs/{blob['digest']}").read()
        found["blobs"][blob["digest"]] = base64.b64encode(content).decode()
    return digest


if __name__ == "__main__":
    main(*sys.argv[1:])
