"""The main paths of the service, each one proved from outside."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from local.image_reader import ImageReader

from smoke.api import Api, NotProved, Wire
from smoke.archive import archive_of, pack_files
from smoke.organisation import Organisation
from smoke.target import Target

_OK, _CREATED, _NO_CONTENT, _NOT_MODIFIED = 200, 201, 204, 304
_BAD_REQUEST, _UNAUTHENTICATED, _NOT_FOUND, _CONFLICT = 400, 401, 404, 409

INLINE, STAGED, CLONED, ROLE = "smoke-inline", "smoke-staged", "smoke-clone", "smoke"
_BUILD_SECONDS: Final = 180
# An index of DynamoDB lags behind the table, usually by less than a second.
_LISTING_SECONDS: Final = 15
_POLL_SECONDS: Final = 0.5
_REALM: Final = re.compile(r'Bearer realm="([^"]+)"')

Path = Callable[["Journey"], str]


class Journey:
    """One trial's way through the service.

    Args:
        target: The deployment.
        wire: Sends the requests.
        ours: The organisation that has the packs.
        theirs: Another organisation, which must not see them.
    """

    def __init__(self, target: Target, wire: Wire, ours: Organisation, theirs: Organisation) -> None:
        self._target = target
        self._wire = wire
        self._organisation = ours
        self._us = Api(wire, target.api_url, ours.secret)
        self._them = Api(wire, target.api_url, theirs.secret)
        self._packs: dict[str, dict[str, Any]] = {}

    def a_stranger_is_refused(self) -> str:
        """Ask without a key."""
        Api(self._wire, self._target.api_url, None).call("GET", "/packs", _UNAUTHENTICATED, "unauthenticated")
        return "401 without a key"

    def an_archive_becomes_a_pack(self) -> str:
        """Send an archive in one request, and read the image from the registry."""
        files = pack_files(INLINE, "1.0.0")
        pack = self._us.call("POST", "/packs/upload", _CREATED, fields=_form(files)).document
        self._made(pack)
        return f"201, pinned {_short(pack)}; {self._verified(pack, files)}"

    def sent_again_it_stays_the_same(self) -> str:
        """Send the same archive once more."""
        repeated = self._us.call(
            "POST", "/packs/upload", _OK, fields=_form(pack_files(INLINE, "1.0.0"))
        ).document
        _same(repeated["id"], self._packs[INLINE]["id"], "the id of a pack that was sent twice")
        return "200, the existing pack"

    def it_is_read_and_listed(self) -> str:
        """Read the pack, ask again with its entity tag, list it, and read one of its files."""
        pack = self._packs[INLINE]
        tag = self._read_again(pack)
        self._until_listed(pack["id"])
        content = self._us.call("GET", f"/packs/{pack['id']}/files/guides/start.md", _OK).body
        _same(content, pack_files(INLINE, "1.0.0")["guides/start.md"], "a file that was read")
        return f"200 with ETag {tag}, 304 for it, listed, a file byte for byte"

    def a_refused_archive_says_why(self) -> str:
        """Send an archive with two faults."""
        files = {"pack.yaml": b"name: smoke-refused\nversion: '1.0'\n", "bin/run": b"x"}
        error = self._us.call("POST", "/packs/upload", _BAD_REQUEST, "validation_error", fields=_form(files))
        named = set(error.document["error"]["details"]["fields"])
        _same(named, {"pack.yaml:version", "archive:bin"}, "the faults that a refusal names")
        return "400, both faults by name"

    def a_staged_archive_becomes_a_pack(self) -> str:
        """Send an archive with S3's form, and wait until it is built."""
        files = pack_files(STAGED, "1.0.0")
        upload = self._us.call("POST", "/packs/uploads", _CREATED, json={}).document
        self._organisation.uploads.add(upload["upload_id"])
        form = upload["fields"] | {"file": ("pack.tar.gz", archive_of(files), "application/gzip")}
        posted = self._wire.send("bucket", "POST", upload["url"], fields=form)
        _same(posted.status, _NO_CONTENT, "S3's answer to the form")
        started = time.monotonic()
        built = self._until_built(upload["upload_id"])
        self._wire.meter.build_seconds += time.monotonic() - started
        pack = self._us.call("GET", f"/packs/{built['pack_id']}", _OK).document
        self._made(pack)
        return f"done after {time.monotonic() - started:.1f} s; {self._verified(pack, files)}"

    def a_new_version_replaces_it(self) -> str:
        """Send another archive for the pack."""
        files = pack_files(INLINE, "1.1.0")
        before = self._packs[INLINE]
        pack = self._us.call("POST", f"/packs/{before['id']}/upload", _OK, fields=_form(files)).document
        self._made(pack)
        _same((pack["id"], pack["version"]), (before["id"], "1.1.0"), "a pack that was replaced")
        if not self._image(pack).has(before["image_digest"]):
            raise NotProved("the registry has lost the first version's image")
        return f"200, the same id, pinned {_short(pack)}; {self._verified(pack, files)}; the first version is kept"

    def another_organisation_sees_nothing(self) -> str:
        """Ask for the pack with another organisation's key."""
        path = f"/packs/{self._packs[INLINE]['id']}"
        self._them.call("GET", path, _NOT_FOUND, "pack_not_found")
        self._them.call("DELETE", path, _NOT_FOUND, "pack_not_found")
        self._them.call("POST", f"{path}/clone", _NOT_FOUND, "pack_not_found", json={})
        listed = self._them.call("GET", f"/packs?q={INLINE}&limit=100", _OK).document["packs"]
        if self._packs[INLINE]["id"] in [pack["id"] for pack in listed]:
            raise NotProved("another organisation has the pack in its list")
        return "404 to read, delete and clone; not listed"

    def it_is_cloned(self) -> str:
        """Clone the pack under another name."""
        source = self._packs[INLINE]
        pack = self._us.call("POST", f"/packs/{source['id']}/clone", _CREATED, json={"name": CLONED}).document
        self._made(pack)
        _same(pack["image_digest"], source["image_digest"], "the digest of a clone")
        return f"201, the same digest; {self._verified(pack, pack_files(INLINE, '1.1.0'))}"

    def a_role_pins_it(self) -> str:
        """Attach the pack to a role, read the role, and try to delete the pack."""
        pack_id, role = self._packs[INLINE]["id"], f"/agent-roles/{ROLE}/packs"
        self._organisation.roles.add(ROLE)
        self._us.call("PUT", role, _OK, json={"pack_ids": [pack_id]})
        pinned = self._us.call("GET", role, _OK).document
        _same(pinned["pack_ids"], [pack_id], "the packs of a role")
        self._us.call("DELETE", f"/packs/{pack_id}", _CONFLICT, "pack_in_use")
        return "200; DELETE is 409 pack_in_use"

    def the_role_s_image_is_pulled_at_the_door(self) -> str:
        """Log in at the distribution door as its challenge says, and read the pinned index."""
        (pin,) = self._us.call("GET", f"/agent-roles/{ROLE}/packs", _OK).document["packs"]
        login = self._us.call("POST", f"/agent-roles/{ROLE}/pull-token", _OK).document
        scheme = urlsplit(self._target.api_url).scheme
        door = f"{scheme}://{login['registry']}/v2/"
        challenged = self._wire.send("registry", "GET", door)
        stated = challenged.headers.get("WWW-Authenticate", "")
        realm = _REALM.match(stated)
        if challenged.status != _UNAUTHENTICATED or realm is None:
            raise NotProved(f"GET {door} was answered {challenged.status} with the challenge {stated!r}")
        basic = urllib3.make_headers(basic_auth=f"{login['username']}:{login['password']}")
        token = self._wire.send("registry", "GET", realm[1], headers=basic).document["token"]
        digest = pin["image_digest"]
        url = f"{door}{pin['owner']}/{pin['name']}/manifests/{digest}"
        found = self._wire.send("registry", "GET", url, headers={"Authorization": f"Bearer {token}"})
        _same(f"sha256:{hashlib.sha256(found.body).hexdigest()}", digest, "the index at the door")
        return "401 with the way to a token, then the pinned index, byte for byte"

    def deleted_it_is_gone(self) -> str:
        """Detach the pack from the role, and delete all packs."""
        self._us.call("PUT", f"/agent-roles/{ROLE}/packs", _OK, json={"pack_ids": []})
        for pack in self._packs.values():
            self._us.call("DELETE", f"/packs/{pack['id']}", _OK)
            self._us.call("GET", f"/packs/{pack['id']}", _NOT_FOUND, "pack_not_found")
            if self._image(pack).has(pack["image_digest"]):
                raise NotProved(f"the registry still has the image of {pack['name']}")
        return f"200, {len(self._packs)} packs and their images; the registry has none of them"

    def _made(self, pack: dict[str, Any]) -> None:
        self._packs[pack["name"]] = pack
        self._organisation.packs.add(pack["id"])
        self._wire.meter.builds += 1

    def _image(self, pack: Mapping[str, Any]) -> ImageReader:
        """Return a reader of the pack's repository, in the registry that the stack names."""
        repository = pack["image_ref"].partition("/")[2].rpartition(":")[0]

        def get(url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
            shown = {**headers, **self._target.registry_headers}
            answer = self._wire.send("registry", "GET", url, headers=shown)
            return answer.status, answer.body

        return ImageReader(get, f"{self._target.registry_url}/v2/{repository}")

    def _verified(self, pack: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
        image = self._image(pack)
        trees = image.trees(pack["image_digest"])
        if not trees or any(dict(tree) != dict(files) for tree in trees):
            raise NotProved(f"the image {pack['image_ref']} does not hold the files that were sent")
        return f"{len(files)} files and {image.read} blobs match in the registry"

    def _read_again(self, pack: dict[str, Any]) -> str:
        """Read a pack, and again with its entity tag, which is returned.

        Statements about the image come seconds after the publication, and change the tag once: so it is tried twice.
        """
        path = f"/packs/{pack['id']}"
        for is_last in (False, True):
            read = self._us.call("GET", path, _OK)
            stated = {"attestations": None}
            _same({**read.document, **stated}, {**pack, **stated}, "a pack that was read")
            tag = read.headers.get("ETag", "")
            try:
                self._us.call("GET", path, _NOT_MODIFIED, headers={"If-None-Match": tag})
            except NotProved:
                if is_last:
                    raise
            else:
                break
        return tag

    def _until_listed(self, pack_id: str) -> None:
        deadline = time.monotonic() + _LISTING_SECONDS
        while time.monotonic() < deadline:
            listed = self._us.call("GET", f"/packs?owned=true&q={INLINE}", _OK).document["packs"]
            if pack_id in [pack["id"] for pack in listed]:
                return
            time.sleep(_POLL_SECONDS)
        raise NotProved(f"{pack_id} is not listed after {_LISTING_SECONDS} s")

    def _until_built(self, upload_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + _BUILD_SECONDS
        while time.monotonic() < deadline:
            upload = self._us.call("GET", f"/packs/uploads/{upload_id}", _OK).document
            if upload["status"] == "done":
                return upload
            if upload["status"] not in ("awaiting_archive", "building"):
                raise NotProved(f"a staged archive was not built: {upload}")
            time.sleep(_POLL_SECONDS)
        raise NotProved(f"a staged archive is not built after {_BUILD_SECONDS} s")


PATHS: Final[Mapping[str, Path]] = {
    "a stranger is refused": Journey.a_stranger_is_refused,
    "push an archive": Journey.an_archive_becomes_a_pack,
    "push it again": Journey.sent_again_it_stays_the_same,
    "read, list, read conditionally": Journey.it_is_read_and_listed,
    "a refused archive says why": Journey.a_refused_archive_says_why,
    "push a staged archive": Journey.a_staged_archive_becomes_a_pack,
    "push a new version": Journey.a_new_version_replaces_it,
    "another organisation": Journey.another_organisation_sees_nothing,
    "clone": Journey.it_is_cloned,
    "pin by a role": Journey.a_role_pins_it,
    "pull at the door": Journey.the_role_s_image_is_pulled_at_the_door,
    "delete": Journey.deleted_it_is_gone,
}


def _form(files: Mapping[str, bytes]) -> dict[str, Any]:
    return {"archive": ("pack.tar.gz", archive_of(files), "application/gzip")}


def _short(pack: Mapping[str, Any]) -> str:
    digest: str = pack["image_digest"]
    return digest[:19] + "…"


def _same(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise NotProved(f"{what}: {found!r}, not {wanted!r}")
