"""Dry runs: a use case runs whole, and what it would write is taken down instead.

The use case is the same object with other adapters. They read what the real ones read, and every write of theirs does
nothing. So all checks are made, the image is built and its digests are those that would come, and nothing is kept: no
row, no claim, no image, no repository, no staged archive, no cleanup message. Only caches may be written, as by any
read.

What a real write checks by its own condition is read here: whether the name is free, whether the organisation may use
more, and whether the image was withdrawn or deleted. The rest of these conditions
is about what others do meanwhile. So what passes a dry run can only fail by what has changed since (API contract,
section 11).
"""

from dataclasses import dataclass, field, fields, replace
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Self, cast

from packyard.errors import InvalidRequest, RegistryUnavailable
from packyard.messaging.cleanup_queue import CleanupQueue
from packyard.oci.read.file_index import FileIndex
from packyard.operations.built_images import BuiltImages
from packyard.operations.outcome import Outcome
from packyard.operations.published import Published
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.image_state import ImageStatus
from packyard.packs.pack import Pack
from packyard.storage.file_indexes import FileIndexes
from packyard.storage.staging import Staging
from packyard.store.brought_signatures import BroughtStore
from packyard.store.events import EventLog
from packyard.store.image_state_items import ImageNotUsable
from packyard.store.packs import PackStore
from packyard.store.repositories import RepositoryStore
from packyard.store.repository_holds import Claim, NameHeld
from packyard.store.table import Table
from packyard.store.usage import UsageLedger
from packyard.tenants.caller import Actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from packyard.operations.edit import FileEditor
    from packyard.operations.image_files import ImageFiles
    from packyard.operations.publish import Publisher
    from packyard.operations.register import Registrar
    from packyard.scanning.result import ScanResult


@dataclass(slots=True)
class Notes:
    """What a use case would have written.

    Attributes:
        before: The pack that it would have changed; None if it would have made one, or nothing.
        index: The files of the image that it would have pushed; None for none.
        archive: The archive that it has read; None for none.
        scan: The result of scanning the new image; None for none.
    """

    before: Pack | None = None
    index: FileIndex | None = None
    archive: "Counted | None" = None
    scan: "ScanResult | None" = None


@dataclass(kw_only=True)
class DryRun:
    """One dry run of one request. It is not used again.

    Attributes:
        table: Read, and not written.
        events: What the stores are made with. No event is written.
        usage: Knows the limits on what organisations use. Nothing is counted.
        files: Returns the reader of packs' files. Asked only if a pack stands whose files are to be compared.
        limits: Bounds on a pack.
    """

    table: Table
    events: EventLog
    usage: UsageLedger
    files: "Callable[[], ImageFiles]"
    limits: ArchiveLimits
    notes: Notes = field(default_factory=Notes)

    def publisher(self, publisher: "Publisher") -> "Publisher":
        """Return a publisher that keeps nothing."""
        return replace(
            publisher,
            packs=_Packs(self.table, self.events, self.usage, self.notes),
            repositories=_Repositories(self.table, self.events),
            staging=_Staging(),
            cleanup_queue=_Queue(),
            images=_images(publisher.images),
            indexes=_Indexes(self.notes),
        )

    def editor(self, editor: "FileEditor") -> "FileEditor":
        """Return an editor of files that keeps nothing."""
        return replace(
            editor,
            packs=_Packs(self.table, self.events, self.usage, self.notes),
            repositories=_Repositories(self.table, self.events),
            images=_images(editor.images),
            indexes=_Indexes(self.notes),
        )

    def registrar(self, registrar: "Registrar") -> "Registrar":
        """Return a registrar that keeps nothing."""
        return replace(
            registrar,
            packs=_Packs(self.table, self.events, self.usage, self.notes),
            repositories=_Repositories(self.table, self.events),
            signatures=replace(registrar.signatures, brought=_Brought(table=self.table)),
        )

    def counted(self, archive: BinaryIO) -> BinaryIO:
        """Return an archive for the use case to read, whose size is known when it has been read."""
        self.notes.archive = Counted(archive)
        return cast("BinaryIO", self.notes.archive)

    def outcome(self, published: Published, *, actor: Actor) -> Outcome:
        """Return what the request would have done.

        Args:
            published: What the use case has returned.
            actor: Who asks.

        Raises:
            ServiceUnavailable: AWS did not answer when the files of the pack that stands were read.
        """
        notes = self.notes
        before = notes.before if published.changed else published.pack
        return Outcome(
            pack=published.pack,
            before=before,
            changed=published.changed,
            index=notes.index,
            standing=self._standing(before, actor) if published.changed else notes.index,
            archive_bytes=None if notes.archive is None else notes.archive.size,
            limits=self.limits,
            scan=notes.scan,
            warnings=published.warnings,
        )

    def _standing(self, before: Pack | None, actor: Actor) -> FileIndex | None:
        """Return the files of the pack that stands; None if there are none to compare, or they cannot be read."""
        if before is None or self.notes.index is None:
            return None
        try:
            return self.files().index(before, org_id=actor.org_id)
        except (InvalidRequest, RegistryUnavailable):
            # The registry has lost the image, which the real request would push anew.
            return None


class Counted:
    """A file that is read from its start, and how much of it has been read."""

    def __init__(self, archive: BinaryIO) -> None:
        self._archive = archive
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """See `io.RawIOBase`."""
        piece = self._archive.read(size)
        self.size += len(piece)
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """See `io.IOBase`."""
        self.size = self._archive.seek(offset, whence)
        return self.size


class _Packs(PackStore):
    """The packs, of which none is written."""

    def __init__(self, table: Table, events: EventLog, usage: UsageLedger, notes: Notes) -> None:
        super().__init__(table=table, events=events, usage=usage)
        self._notes = notes

    def create(self, pack: Pack, *, scan: "ScanResult | None" = None, **_: Any) -> None:
        """Check that there is room for the pack, and write nothing. One read."""
        self._notes.scan = scan
        self.require_room(pack, before=None)

    def change(self, before: Pack, after: Pack, *, scan: "ScanResult | None" = None, **_: Any) -> None:
        """Write nothing. Check that there is room for another image, and that it may be used: a read each."""
        self._notes.scan = scan
        self.require_room(after, before=before)
        if after.image_digest != before.image_digest:
            state = self.state_of(after.id, after.image_digest)
            if state is not None and state.status is not ImageStatus.ACTIVE:
                raise ImageNotUsable(state)
        self._notes.before = before


class _Brought(BroughtStore):
    """What images bring, of which nothing is written."""

    def write(self, pack_id: str, signatures: object) -> None:
        """Write nothing."""


class _Repositories(RepositoryStore):
    """The names and repositories, of which none is claimed."""

    def __init__(self, table: Table, events: EventLog) -> None:
        super().__init__(table=table)
        self._packs = PackStore(table=table, events=events)

    def claim_for_create(self, *, org_id: str, name: Any, **_: Any) -> Claim:
        """Check that no pack holds the name. One read."""
        holder = self._packs.find_by_name(org_id=org_id, name=name)
        if holder is not None:
            raise NameHeld(holder)
        return Claim(org_id=org_id, name=name, epoch="")

    def claim_for_change(self, pack: Pack, **_: Any) -> Claim:
        """Claim nothing."""
        return Claim(org_id=pack.org_id, name=pack.name, epoch="")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Images(BuiltImages):
    """The images of built packs, to which nothing is sent."""

    def begin_upload(self, **_: Any) -> "_NoUpload":
        """Begin nothing."""
        return _NoUpload()

    def push(self, *_args: Any, **_kwargs: Any) -> None:
        """Push nothing."""

    def tag(self, *_args: Any, **_kwargs: Any) -> None:
        """Tag nothing."""


def _images(images: BuiltImages) -> _Images:
    return _Images(**{each.name: getattr(images, each.name) for each in fields(BuiltImages)})


class _NoUpload:
    """An early upload that sends nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def write(self, piece: bytes) -> None:
        """Drop it."""

    def end(self) -> None:
        """Do nothing."""

    def settle(self) -> None:
        """Do nothing."""

    def finish(self) -> str | None:
        """Say that it has failed."""
        return None


class _Indexes(FileIndexes):
    """The indexes, of which none is kept. The one of the new image says what its files are."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def put(self, digest: object, index: FileIndex, *, reader: str | None = None) -> None:  # noqa: ARG002 - as it is called
        """Take the index down."""
        self._notes.index = index


class _Staging(Staging):
    """The archives in the bucket, of which none is kept."""

    def __init__(self) -> None:
        """Have no bucket."""

    def put(self, key: str, body: bytes | IO[bytes]) -> None:
        """Keep nothing."""


class _Queue(CleanupQueue):
    """The cleanup queue, to which nothing is sent."""

    def __init__(self) -> None:
        """Have no queue."""

    def enqueue(self, *_args: Any, **_kwargs: Any) -> None:
        """Send nothing."""
