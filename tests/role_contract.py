"""Section 8 of the API contract, as far as the command needs it: the lock and the download, made of real images.

It stands for operations that the service does not have yet, in front of one that has all others.
"""

import copy
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.command import URL, Gateway, received
from tests.service import ACME, Service

from packyard_cli.wire import Received

_BLOBS = "https://blobs.test/"


@dataclass
class RoleContract:
    """Answers for roles that pin.

    Attributes:
        locks: The lock of each role, as it was when it was pinned.
        damaged: Digests of layers that come with other bytes.
        fetched: The digests of layers that were fetched.
    """

    service: Service
    gateway: Gateway
    locks: dict[str, dict[str, Any]] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    fetched: list[str] = field(default_factory=list)
    _images: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gateway.instead("GET", r"/agent-roles/[^/]+/lock", lambda _: self._lock())
        self.gateway.instead("GET", r"/download", lambda _: self._download())
        self.gateway.instead("GET", f"^{re.escape(_BLOBS)}", lambda _: self._blob())

    def pin(self, role: str, *pack_ids: str) -> dict[str, Any]:
        """Attach packs to a role, pin their current revisions, and return the lock."""
        assert self.service.set_role(role, list(pack_ids)).status == 200
        # Packs that the role had already stay where they were pinned.
        assert self.service.refresh_role(role).status == 200
        packs = [self._pinned(pack_id) for pack_id in pack_ids]
        lines = "".join(sorted(f"{pack['id']}\0{pack['image_digest']}\n" for pack in packs))
        revision = self.locks.get(role, {"revision": 0})["revision"] + 1
        self.locks[role] = {
            "lock_version": 1,
            "role_id": role,
            "revision": revision,
            "packs": packs,
            "set_digest": f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}",
        }
        return self.locks[role]

    def _pinned(self, pack_id: str) -> dict[str, Any]:
        answer = self.service.get(pack_id)
        pack, revision = answer.body, int(answer.headers["ETag"].strip('"').partition("@")[0])
        listed = self.service.send("list_files", "GET", f"/packs/{pack_id}/files").body
        image = self._image(pack)
        self._images[pack_id, revision] = image
        name, _, _ = pack["image_ref"].rpartition(":")
        return {
            "id": pack_id,
            "name": pack["name"],
            "owner": ACME.org_slug,
            "version": pack["version"],
            "revision": revision,
            "image": f"{name}@{pack['image_digest']}",
            "image_digest": pack["image_digest"],
            "layers": [
                {name: layer[name] for name in ("digest", "size", "media_type")} for layer in image["layers"]
            ],
            "content_digest": listed["content_digest"],
            "files": listed["files"],
            "capabilities": pack.get("capabilities", ""),
            "status": "active",
        }

    def _image(self, pack: dict[str, Any]) -> dict[str, Any]:
        repository = self._repository(pack)
        index = repository.manifest(pack["image_digest"])
        documents = [(index.media_type, index.raw)]
        for entry in json.loads(index.raw)["manifests"]:
            manifest = repository.manifest(entry["digest"])
            documents.append((manifest.media_type, manifest.raw))
        layers = json.loads(documents[-1][1])["layers"]
        return {
            "image_digest": pack["image_digest"],
            "content_digest": pack["content_digest"],
            "documents": [
                {"media_type": kind, "digest": _digest(body), "content": body.decode()}
                for kind, body in documents
            ],
            "layers": [
                {
                    "digest": layer["digest"],
                    "size": layer["size"],
                    "media_type": layer["mediaType"],
                    "url": f"{_BLOBS}{_repository_name(pack)}/{layer['digest']}",
                }
                for layer in layers
            ],
        }

    def _repository(self, pack: dict[str, Any]) -> Any:
        return self.service.registry.shelves.repository(_repository_name(pack))

    def _lock(self) -> Received:
        parts = urlsplit(self.gateway.sent[-1][1].removeprefix(URL))
        lock = copy.deepcopy(self.locks.get(parts.path.split("/")[2]))
        if lock is None:
            refusal = {"code": "role_not_found", "message": "There is no such role.", "request_id": "r"}
            return received(404, {"error": refusal})
        if parse_qs(parts.query).get("files") != ["true"]:
            for pack in lock["packs"]:
                del pack["files"]
        return received(200, lock)

    def _download(self) -> Received:
        parts = urlsplit(self.gateway.sent[-1][1].removeprefix(URL))
        pack_id = parts.path.split("/")[2]
        revision = parse_qs(parts.query).get("revision")
        if revision is None:
            self._pinned(pack_id)
        number = int(revision[0]) if revision else max(n for known, n in self._images if known == pack_id)
        return received(200, self._images[pack_id, number])

    def _blob(self) -> Received:
        assert "Authorization" not in self.gateway.headers[-1]
        repository, _, digest = self.gateway.sent[-1][1].removeprefix(_BLOBS).rpartition("/")
        self.fetched.append(digest)
        content = self.service.registry.shelves.repository(repository).blob(digest)
        return received(200, content[:-9] + b"x" + content[-8:] if digest in self.damaged else content)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _repository_name(pack: dict[str, Any]) -> str:
    return str(pack["image_ref"]).partition("/")[2].rpartition(":")[0]
