"""Does the service's main job once, as a user would: over HTTP, and checked from outside.

It shares no code with the service, so that it cannot repeat the service's mistakes.
"""

import io
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import urllib3

from local.environments import PROJECT
from local.image_reader import ImageReader, NotVerified
from local.stack import StackDescription

SAMPLE: Final = PROJECT / "examples" / "hello-pack"
_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """A pack that was pushed and read back.

    Attributes:
        folder: The pushed folder, relative to the current one.
        is_new: Whether it was not there before.
        is_changed: Whether somebody has given the pack of this name other content, which then stands.
        pack_id, name, version, image_ref, image_digest: As the API answered.
        files: How many files it has.
        blobs: How many blobs of the registry were read and hashed, its manifests included.
    """

    folder: str
    is_new: bool
    is_changed: bool
    pack_id: str
    name: str
    version: str
    image_ref: str
    image_digest: str
    files: int
    blobs: int


def push_and_read_back(stack: StackDescription, folder: Path = SAMPLE) -> Pushed:
    """Push a pack for the organisation `acme`, and read its image from the registry.

    A pack of the same name that has other content by now is left alone, and its image is read instead.

    Args:
        stack: The running stack.
        folder: The pack.

    Raises:
        NotVerified: The push was refused, or the registry's content differs from what was pushed.
    """
    http = urllib3.PoolManager(retries=False, timeout=_SECONDS)
    try:
        answer, is_new, is_changed = _pushed(http, stack, folder)
        pack = json.loads(answer.data)
        registry, _, rest = pack["image_ref"].partition("/")

        def get(url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
            read = http.request("GET", url, headers=headers)
            return read.status, read.data

        image = ImageReader(get, f"http://{registry}/v2/{rest.partition('@')[0].partition(':')[0]}")
        trees = image.trees(pack["image_digest"])
    except urllib3.exceptions.HTTPError as error:
        raise NotVerified(
            f"the stack did not answer: {error}; its log is emulator.log in its state"
        ) from error
    sent = trees[0] if is_changed and trees else _files_of(folder)
    if not trees or any(tree != sent for tree in trees):
        raise NotVerified(f"the image {pack['image_ref']} does not hold the files of {folder}")
    return Pushed(
        folder=os.path.relpath(folder),
        is_new=is_new,
        is_changed=is_changed,
        pack_id=pack["id"],
        name=pack["name"],
        version=pack["version"],
        image_ref=pack["image_ref"],
        image_digest=pack["image_digest"],
        files=len(sent),
        blobs=image.read,
    )


def _pushed(
    http: urllib3.PoolManager, stack: StackDescription, folder: Path
) -> tuple[urllib3.BaseHTTPResponse, bool, bool]:
    """Push a folder. Return the answer that has the pack, whether it is new, and whether another content stands."""
    headers = {"Authorization": f"Bearer {stack['orgs']['acme']['keys']['full_access']}"}
    answer = http.request(
        "POST",
        stack["api_url"] + "/packs/upload",
        headers=headers,
        fields={"archive": (f"{folder.name}.tar.gz", _archive_of(folder), "application/gzip")},
    )
    is_new, is_changed = answer.status == HTTPStatus.CREATED, answer.status == HTTPStatus.CONFLICT
    if is_changed:
        holder = json.loads(answer.data)["error"].get("details", {}).get("pack_id")
        answer = http.request("GET", f"{stack['api_url']}/packs/{holder}", headers=headers)
    if answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
        raise NotVerified(f"the push of {folder.name} was answered {answer.status}: {answer.data.decode()}")
    return answer, is_new, is_changed


def _archive_of(folder: Path) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(folder, folder.name)
    return archive.getvalue()


def _files_of(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
