"""The lock document of a role: made when it is first asked for at a revision of the role, then read from the bucket.

Only the bucket's cache is written. So a crash, a repeat and two readers at once all have the same outcome: equal bytes.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from packyard.operations.role_packs import RoleReader
from packyard.packs.image_state import ImageStatus
from packyard.packs.lock import LockedFile, LockedPack, lock_document, lock_tag
from packyard.packs.pack import Layer, Pack
from packyard.packs.role import Role, RolePack
from packyard.storage.locks import Locks, lock_key
from packyard.tenants.caller import Caller

if TYPE_CHECKING:
    from packyard.operations.image_files import ImageFiles

# Each may wait for S3 or for a registry.
_THREADS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LockReader:
    """Reads lock documents.

    Attributes:
        reader: Reads roles and their packs.
        files: Returns what reads the files of packs' images. A poll does without it, so it is made when it is needed.
        locks: Where documents are kept.
    """

    reader: RoleReader
    files: Callable[[], "ImageFiles"]
    locks: Locks

    def role(self, role_id: str, *, caller: Caller) -> Role:
        """Return a role; see `RoleReader.role`."""
        return self.reader.role(role_id, caller=caller)

    def read(self, role: Role, *, with_files: bool, caller: Caller) -> bytes:
        """Return a role's lock document.

        Args:
            role: The role.
            with_files: Whether the document lists the files of the packs that we have built.
            caller: Whose role it is.

        Raises:
            InvalidRequest, RegistryUnavailable: The image of a pack cannot be read, which is necessary only for files
                and for revisions from before their layers were kept.
            ServiceUnavailable: A backing service did not answer.
        """
        tag = lock_tag(role, with_files=with_files)
        if tag is None:
            return self._made(role, with_files=with_files, caller=caller)
        key = lock_key(org_id=role.org_id, role_id=role.role_id, tag=tag)
        content = self.locks.get(key)
        if content is None:
            content = self._made(role, with_files=with_files, caller=caller)
            self.locks.put(key, content)
        return content

    def url(self, role: Role, tag: str, content: bytes) -> str:
        """Return a short-lived URL of a role's lock document.

        Args:
            role: The role.
            tag: The document's entity tag, without quotes.
            content: The document.

        Raises:
            ServiceUnavailable: S3 did not answer.
        """
        return self.locks.stage(lock_key(org_id=role.org_id, role_id=role.role_id, tag=tag), content)

    def _made(self, role: Role, *, with_files: bool, caller: Caller) -> bytes:
        read = self.reader.with_pins(role)
        state = self.reader.state(role, read, caller=caller)
        locked = partial(self._locked, with_files=with_files, org_id=caller.org_id)
        # The document says what its entity tag says: what the role has been told, not what its packs are now.
        packs = [
            # The history of a pinned revision has the whole pack (decision 84).
            (_as_told(pack, role), cast("Pack", read.at(pack.pin.pack_id, pack.pin.revision)))
            for pack in state.packs
        ]
        with ThreadPoolExecutor(_THREADS) as pool:
            return lock_document(
                role.role_id, role.revision, list(pool.map(lambda pair: locked(*pair), packs))
            )

    def _locked(self, pack: RolePack, then: Pack, *, with_files: bool, org_id: str) -> LockedPack:
        there = pack.status is not ImageStatus.DELETED
        return LockedPack(
            pin=pack.pin,
            layers=then.layers or (self._layers(then, org_id) if there else ()),
            capabilities=then.capabilities,
            files=self._files(then, org_id) if with_files and there and then.layer_digest else None,
            status=pack.status,
        )

    def _layers(self, pack: Pack, org_id: str) -> tuple[Layer, ...]:
        return tuple(
            Layer(layer.digest, layer.size, layer.media_type)
            for layer in self.files().layers(pack, org_id=org_id)
        )

    def _files(self, pack: Pack, org_id: str) -> list[LockedFile]:
        index = self.files().index(pack, org_id=org_id)
        return [
            LockedFile(file.path, file.size, f"{file.mode:04o}", f"sha256:{file.sha256}")
            for file in sorted(index.files, key=lambda file: file.path.encode())
        ]


def _as_told(pack: RolePack, role: Role) -> RolePack:
    return pack if pack.floating else replace(pack, status=role.marked(pack.pin))
