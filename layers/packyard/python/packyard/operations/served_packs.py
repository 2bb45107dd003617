"""What a role or a list of packs serves at the doors: the catalogue, and the documents of its packs (decision 138).

Only the bucket's caches are written, and messages are sent that have images prepared. So a crash, a repeat and two
readers at once all have the same outcome. A catalogue is kept when nothing of it is pending.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, cast

from packyard.doors.document import ServedDocument, parse_document
from packyard.doors.flat_name import NoFlatName, flat_name
from packyard.doors.served_pack import FORM, Catalogue, LeftOut, ServedPack, parse_catalogue
from packyard.messaging.preparation_queue import ImageToPrepare, PreparationQueue
from packyard.oci.reference import parse_reference
from packyard.operations.read import is_visible
from packyard.operations.role_packs import RoleReader
from packyard.packs.image_state import ImageStatus
from packyard.packs.lock import lock_tag
from packyard.packs.pack import Pack, PackStatus
from packyard.packs.role import Pin, Role, pin_of
from packyard.storage.door_files import DoorFiles, catalogue_key, document_key, zip_key
from packyard.store.pack_revisions import PacksRead
from packyard.tenants.caller import Caller

# Each waits for S3.
_THREADS: Final = 16
_ELSEWHERE: Final = (
    "its image is in another registry, where only its owner's organisation is known to have access; ask its owner to "
    "upload it, or clone it"
)
_GONE: Final = "it is not there, or not for this organisation to see"


class _Held(NamedTuple):
    """A pack as a role or a list has it."""

    pin: Pin
    then: Pack
    status: ImageStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Whose packs are served, and which.

    Attributes:
        caller: For whom they are served; of a feed, its organisation.
        name: What it is called: the role's id, or the feed's.
        tag: What decides the catalogue; None if nothing short does, because the role has packs without a pin.
        role: The role; None for a list.
        listed: The packs of a list as they are; None for a role.
        pack_ids: The packs, in order.
    """

    caller: Caller
    name: str
    tag: str | None
    pack_ids: tuple[str, ...]
    role: Role | None = None
    listed: PacksRead | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedPacks:
    """Finds what is served.

    Attributes:
        reader: Reads roles and their packs.
        files: What has been prepared.
        queue: Takes messages for images that are not prepared.
        own_host: The start of references to our registry.
    """

    reader: RoleReader
    files: DoorFiles
    queue: PreparationQueue
    own_host: str

    def of_role(self, role_id: str, *, caller: Caller) -> Selection:
        """Return what a role of the caller's organisation serves: its pins. One read.

        Raises:
            RoleNotFound: There is none.
            ServiceUnavailable: DynamoDB did not answer.
        """
        role = self.reader.role(role_id, caller=caller)
        decided = lock_tag(role, with_files=False)
        return Selection(
            caller=caller,
            name=role.role_id,
            tag=None if decided is None else f"{FORM}.{decided}",
            pack_ids=role.pack_ids,
            role=role,
        )

    def of_list(self, pack_ids: Collection[str], *, name: str, caller: Caller) -> Selection:
        """Return what a list of packs serves: their present revisions. One read.

        Args:
            pack_ids: At most 100 packs.
            name: What the list is called.
            caller: For whom they are served.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        read = self.reader.packs.read(pack_ids)
        lines = "".join(
            f"{pack_id}\0{pack.revision}\0{pack.image_digest}\0{pack.status}\0{pack.withdrawn}\0"
            f"{is_visible(pack, caller)}\n"
            for pack_id in pack_ids
            if (pack := read.now.get(pack_id)) is not None
        )
        return Selection(
            caller=caller,
            name=name,
            tag=f"{FORM}.{hashlib.sha256(lines.encode()).hexdigest()[:32]}",
            pack_ids=tuple(pack_ids),
            listed=read,
        )

    def catalogue(self, selection: Selection) -> Catalogue:
        """Return what is served. A kept catalogue takes one read of the bucket, a new one a read for each image.

        Raises:
            ServiceUnavailable: A backing service did not answer.
        """
        if selection.tag is None:
            return self._made(selection)
        key = catalogue_key(org_id=selection.caller.org_id, role_id=selection.name, tag=selection.tag)
        kept = self.files.catalogue(key)
        if kept is not None:
            try:
                return parse_catalogue(kept)
            except ValueError:
                pass
        made = self._made(selection)
        if not made.pending:
            self.files.put_catalogue(key, made.to_bytes())
        return made

    def zip_url(self, pack: ServedPack) -> str:
        """Return a URL from which anyone can download the zip of a pack for five minutes. Makes no call to AWS."""
        key = zip_key(org_id=pack.org_id, pack_id=pack.pack_id, image=pack.image_digest)
        return self.files.zip_url(key, name=pack.zip_name)

    def is_deprecated(self, pack: ServedPack) -> bool:
        """Return whether the owner of a pack says now that it should not be used any more. One read.

        Raises:
            ServiceUnavailable: DynamoDB did not answer.
        """
        now = self.reader.packs.read([pack.pack_id]).now.get(pack.pack_id)
        return now is not None and now.deprecated is not None

    def documents(self, packs: Iterable[ServedPack]) -> list[ServedDocument | None]:
        """Return the documents of packs, in their order; None for one that is being prepared anew.

        Raises:
            ServiceUnavailable: S3 or SQS did not answer.
        """
        wanted = list(packs)
        with ThreadPoolExecutor(_THREADS) as pool:
            found = list(pool.map(self._document, wanted))
        self.queue.send(
            [
                ImageToPrepare(pack_id=pack.pack_id, revision=pack.revision, digest=pack.image_digest)
                for pack, document in zip(wanted, found, strict=True)
                if document is None
            ]
        )
        return found

    def _made(self, selection: Selection) -> Catalogue:
        packs: list[ServedPack] = []
        left_out: list[LeftOut] = []
        for held in self._held(selection, left_out):
            reason = self._left_out(held, selection.caller)
            if reason is None:
                packs.append(_served(held, selection.caller))
            else:
                left_out.append(LeftOut(held.pin.pack_id, held.pin.owner, held.pin.name, reason))
        usable = [pack for pack in packs if pack.status is ImageStatus.ACTIVE]
        documents = dict(zip((pack.pack_id for pack in usable), self.documents(usable), strict=True))
        pending = tuple(pack_id for pack_id, document in documents.items() if document is None)
        whole = [
            pack if document is None else replace(pack, **pack.with_document(document))
            for pack in packs
            for document in (documents.get(pack.pack_id),)
            if pack.pack_id not in pending
        ]
        return Catalogue(packs=tuple(whole), pending=pending, left_out=tuple(left_out))

    def _held(self, selection: Selection, left_out: list[LeftOut]) -> Sequence[_Held]:
        if selection.role is None:
            return self._of_list(selection, left_out)
        role = selection.role
        read = self.reader.with_pins(role)
        state = self.reader.state(role, read, caller=selection.caller)
        return [
            _Held(
                pin=pack.pin,
                # The history of a pinned revision has the whole pack (decision 84).
                then=cast("Pack", read.at(pack.pin.pack_id, pack.pin.revision)),
                # As its tag says: what the role has been told, not what its packs are now.
                status=pack.status if pack.floating else role.marked(pack.pin),
            )
            for pack in state.packs
        ]

    def _of_list(self, selection: Selection, left_out: list[LeftOut]) -> Sequence[_Held]:
        read = cast("PacksRead", selection.listed)
        there = []
        for pack_id in selection.pack_ids:
            pack = read.now.get(pack_id)
            if pack is None or pack.status is not PackStatus.ACTIVE or not is_visible(pack, selection.caller):
                left_out.append(LeftOut(pack_id, "", "", _GONE))
            else:
                there.append(pack)
        owners = self.reader.owners((pack.org_id for pack in there), caller=selection.caller)
        return [
            _Held(
                pin=pin_of(pack, owner=owners[pack.org_id]),
                then=pack,
                status=ImageStatus.WITHDRAWN if pack.withdrawn else ImageStatus.ACTIVE,
            )
            for pack in there
        ]

    def _left_out(self, held: _Held, caller: Caller) -> str | None:
        ours = parse_reference(held.pin.image_ref).registry == self.own_host
        return None if ours or held.pin.org_id == caller.org_id else _ELSEWHERE

    def _document(self, pack: ServedPack) -> ServedDocument | None:
        content = self.files.document(
            document_key(org_id=pack.org_id, pack_id=pack.pack_id, image=pack.image_digest)
        )
        try:
            return None if content is None else parse_document(content)
        except ValueError:
            return None


def _served(held: _Held, caller: Caller) -> ServedPack:
    pin, then = held.pin, held.then
    try:
        flat, reason = flat_name(pin.owner, pin.name, own=caller.org_slug), None
    except NoFlatName as none:
        flat, reason = None, str(none)
    return ServedPack(
        pack_id=pin.pack_id,
        org_id=pin.org_id,
        owner=pin.owner,
        name=pin.name,
        flat_name=flat,
        unnamed=reason,
        display_name=then.display_name,
        version=pin.version,
        revision=pin.revision,
        image_digest=pin.image_digest,
        status=held.status,
        published_at=then.updated_at,
    )
