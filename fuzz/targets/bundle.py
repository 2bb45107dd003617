"""A bundle as `packyard install --from` reads it. Its headers' checksums are always valid.

Whatever comes out of it is what its digest names.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from fuzz.tar_mutation import BLOCK, mutate_tar
from packyard.attestations.statement import BILL_OF_MATERIALS, PROVENANCE
from packyard.oci.digest import Digest, digest_of
from packyard_cli.bundle import read_bundle
from packyard_cli.failure import Exit, Failure
from packyard_cli.lock_document import LockedLayer, LockedPack, set_digest_of

if TYPE_CHECKING:
    from packyard_cli.blob_cache import BlobCache

_ROLE: Final = "support"
_REFUSED: Final = frozenset({Exit.INVALID, Exit.LOCK, Exit.OUTSIDE, Exit.TAMPERED})
_LAYER: Final = b"the layer"


class _Blob(io.BytesIO):
    """A blob that is being written."""

    kept = False

    def keep(self) -> None:
        self.kept = True


class _Cache:
    """What is taken out of a bundle, in memory."""

    def __init__(self) -> None:
        self.blobs: dict[Digest, bytes] = {}

    def size(self, digest: Digest) -> int | None:
        content = self.blobs.get(digest)
        return None if content is None else len(content)

    def keep(self, digest: Digest, content: bytes) -> None:
        self.blobs[digest] = content

    @contextmanager
    def begin(self, digest: Digest) -> Iterator[_Blob]:
        blob = _Blob()
        yield blob
        if blob.kept:
            self.blobs[digest] = blob.getvalue()


def check(data: bytes) -> None:
    cache = _Cache()
    try:
        _check(data + bytes(2 * BLOCK), cache)
    except Failure as failure:
        _check_refusal(failure)
    assert all(digest_of(content) == digest for digest, content in cache.blobs.items())


def _check(data: bytes, cache: _Cache) -> None:
    bundle = read_bundle(Path("bundle.tar"), io.BytesIO(data))
    lock = bundle.lock(_ROLE)
    assert lock.role_id == _ROLE
    bundle.fill(cast("BlobCache", cache), lock)
    for pack in lock.packs:
        found = bundle.statements(pack)
        signed = (found.provenance, found.bill) if found else ()
        assert all(_name_of(content) in bundle.places for content in signed if content is not None)


def _check_refusal(failure: Failure) -> None:
    assert failure.exit_code in _REFUSED
    json.dumps(failure.view(), ensure_ascii=False).encode()


def mutate(data: bytes, max_bytes: int, seed: int, at_random: Callable[[bytes, int], bytes]) -> bytes:
    return mutate_tar(data, max_bytes, seed, at_random)


def seeds() -> Iterator[bytes]:
    yield _tar({"lock.json": _json({})})
    image = _json({"layers": [{"digest": digest_of(_LAYER)}]})
    index = _json({"manifests": [{"digest": digest_of(image)}, {"digest": "sha256:x"}, 5]})
    signed = _json({"dsseEnvelope": {"payload": "cGFja18x"}})
    referrers = [
        _json(
            {
                "subject": {"digest": digest_of(index)},
                "annotations": {"dev.sigstore.bundle.predicateType": kind},
                "layers": [{"digest": digest_of(signed)}],
            }
        )
        for kind in (PROVENANCE, BILL_OF_MATERIALS)
    ]
    documents = {_name_of(content): content for content in (_LAYER, image, index, signed, *referrers)}
    listed = _json({"manifests": [{"digest": digest_of(content)} for content in (index, *referrers)]})
    whole = {"index.json": listed, "lock.json": _lock(digest_of(index)), **documents}
    yield _tar(whole)
    yield _tar({**whole, _name_of(_LAYER): b"other bytes"})
    yield _tar({"lock.json": _lock(digest_of(index))})


def _lock(image: Digest) -> bytes:
    layer = LockedLayer(digest=digest_of(_LAYER), size=len(_LAYER), media_type="")
    pack = LockedPack(
        id="pack_1",
        folder="slack",
        name="slack",
        version="1.0.0",
        revision=1,
        image="",
        image_digest=image,
        layers=(layer,),
        files=(),
        status="active",
    )
    stated: Mapping[str, Any] = {
        "lock_version": 1,
        "role_id": _ROLE,
        "revision": 1,
        "set_digest": set_digest_of([pack]),
        "packs": [
            {
                **{
                    name: getattr(pack, name)
                    for name in ("id", "name", "version", "revision", "image_digest")
                },
                "layers": [{"digest": layer.digest, "size": layer.size}],
                "files": [],
            }
        ],
    }
    return _json(stated)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _name_of(content: bytes) -> str:
    return f"blobs/{digest_of(content).replace(':', '/')}"


def _tar(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    # Without the zeros that fill a record, so that there is room for changes.
    return buffer.getvalue().rstrip(b"\0") + bytes(BLOCK)
