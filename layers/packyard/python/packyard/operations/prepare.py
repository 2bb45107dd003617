"""Preparing an image for the doors: its zip and its document, in the bucket (decision 138).

    read the pack → read the image's files → put the zip and the skill artifact's layer → put the document
        → read the pack again

A message comes for each image that a pack gets, from the events (`operations.fan_out`), and from a door that finds an
image unprepared. It comes again until it is settled.

- A crash before the document: nobody serves the others, and the next attempt puts the same bytes.
- A crash after it: the image is prepared. The next attempt finds that, or removes it if the image is gone.
- Two at once: both put the same bytes.
- The pack or the image is deleted meanwhile: whoever deletes removes what is there. What is put after that is found by
  the last read, which is later than the put, and removed here. A crash in between is mended by the message's return.
- A withdrawal changes nothing here: doors ask for the status of the image.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from packyard.aws import figures
from packyard.doors.document import SKILL_FILE, ServedDocument, ServedFile, Zip, parse_document
from packyard.doors.door import Door
from packyard.doors.fitness import unfit_doors, zip_refusal
from packyard.doors.made_skill import BEHAVIOR, MadeSkill, made_skill
from packyard.doors.skill_artifact import SkillArtifact, skill_artifact
from packyard.doors.skill_layer import write_layer
from packyard.doors.zip_file import write_zip
from packyard.errors import InvalidRequest
from packyard.messaging.preparation_queue import BundleToMake, ImageToPrepare, parse_message
from packyard.oci.digest import Digest
from packyard.oci.reference import parse_reference
from packyard.operations.bundle import BundleMaker
from packyard.operations.image_files import ImageFiles
from packyard.operations.whole_image import Contents, opened_image
from packyard.packs.image_state import ImageId
from packyard.packs.pack import Pack, PackStatus
from packyard.packs.skill.frontmatter import Frontmatter, read_frontmatter
from packyard.storage.door_files import DoorFiles, document_key, keys_of, layer_key, zip_key
from packyard.storage.kept_content import KeptContent
from packyard.store.pack_revisions import PackRevisions, RevisionId

logger = Logger(child=True)

_CHUNK: Final = 1 << 20
# Of a `behavior.md` or `SKILL.md`: what is longer is no instruction for an agent, but would be read into memory.
_MAX_TEXT: Final = 1 << 20
# The files of an image that was built elsewhere are read one by one.
_MAX_FILES_ELSEWHERE: Final = 2000

_Reading = Callable[[ServedFile], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparer:
    """Prepares images for the doors.

    Attributes:
        packs: Where packs and their histories are.
        images: Reads the files of images.
        files: Takes what is made.
        kept: Removes what is in the bucket.
        bundles: Makes bundles.
        max_frontmatter: The largest frontmatter of a `SKILL.md`, in bytes.
        own_host: The start of references to our registry.
        clock: The present instant, UTC.
    """

    packs: PackRevisions
    images: ImageFiles
    files: DoorFiles
    kept: KeptContent
    bundles: Callable[[], BundleMaker]
    max_frontmatter: int
    own_host: str
    clock: Callable[[], datetime]

    def settle(self, body: str) -> None:
        """Prepare the image of a message, or make the bundle that it asks for.

        Raises:
            ValueError: The message is not one of ours.
            RegistryUnavailable, ServiceUnavailable: It failed; the message should come again.
        """
        message = parse_message(body)
        if isinstance(message, BundleToMake):
            self.bundles().make(message)
            return
        pack = self._usable(message)
        if pack is None or self._is_prepared(pack):
            return
        try:
            self._prepare(pack)
        except InvalidRequest:
            # The image is in another registry, which does not let us read it now. The next reader asks again.
            logger.warning("image not read", extra={"pack_id": pack.id}, exc_info=True)
            return
        if self._usable(message) is not None:
            logger.info("prepared", extra={"pack_id": pack.id, "digest": pack.image_digest})

    def measure(self, sent_at: datetime) -> None:
        """Write for how long a message that is left in the queue has waited, as a metric.

        Args:
            sent_at: When it was first sent.
        """
        waited = (self.clock() - sent_at).total_seconds()
        figures.record({"WaitingPreparationSeconds": (max(waited, 0), MetricUnit.Seconds)})

    def _usable(self, message: ImageToPrepare) -> Pack | None:
        """Return the pack as it was with the image; None if the image is gone, and then nothing of it is left here."""
        image = ImageId(message.pack_id, message.digest)
        wanted = RevisionId(message.pack_id, message.revision)
        read = self.packs.read([message.pack_id], [wanted], [image])
        now = read.now.get(message.pack_id)
        state = read.states.get(image)
        if now is None:
            # The row of a deleted pack stays longer than any message.
            return None
        if now.status is not PackStatus.ACTIVE or (state is not None and state.is_gone):
            self.kept.remove(keys_of(org_id=now.org_id, pack_id=now.id, image=message.digest))
            return None
        then = read.at(*wanted)
        if then is None or then.image_digest != message.digest:
            logger.error("no such image in the history", extra={"pack_id": message.pack_id})
            return None
        return then

    def _is_prepared(self, pack: Pack) -> bool:
        content = self.files.document(
            document_key(org_id=pack.org_id, pack_id=pack.id, image=pack.image_digest)
        )
        if content is None:
            return False
        try:
            parse_document(content)
        except ValueError:
            return False
        return True

    def _prepare(self, pack: Pack) -> None:
        index = self.images.index(pack, org_id=pack.org_id)
        listed = [ServedFile(file.path, file.size, file.sha256, file.mode) for file in index.files]
        if pack.layer_digest is None and len(listed) > _MAX_FILES_ELSEWHERE:
            self._put(pack, self._too_many(pack, listed))
            return
        with opened_image(self.images, pack, index) as contents:
            skill = self._skill(pack, listed, contents)
            served = skill.files(listed)
            elsewhere = parse_reference(pack.image_ref).registry != self.own_host
            document = skill.document(served, name=pack.name, elsewhere=elsewhere)
            if zip_refusal(served) is None:
                document = replace(document, zip=self._put_zip(pack, served, skill.reading(contents)))
            if Door.SKILL_ARTIFACT not in document.unfit:
                layer = self._put_layer(pack, document, skill.reading(contents))
                document = replace(document, artifact=layer)
        self._put(pack, document)

    def _put_zip(self, pack: Pack, served: Sequence[ServedFile], contents: _Reading) -> Zip:
        with TemporaryFile() as target:
            write_zip(target, served, contents)
            made = _zip_of(target, served)
            target.seek(0)
            self.files.put_zip(zip_key(org_id=pack.org_id, pack_id=pack.id, image=pack.image_digest), target)
        return made

    def _put_layer(self, pack: Pack, document: ServedDocument, contents: _Reading) -> SkillArtifact:
        """Put the layer of the skill artifact, and return what names it."""
        stated = document.frontmatter
        with TemporaryFile() as target:
            digest, size = write_layer(target, document.files, contents, folder=stated["name"])
            target.seek(0)
            key = layer_key(org_id=pack.org_id, pack_id=pack.id, image=pack.image_digest)
            self.files.put_layer(key, target)
        return skill_artifact(stated, version=pack.version, digest=digest, size=size)

    def _put(self, pack: Pack, document: ServedDocument) -> None:
        key = document_key(org_id=pack.org_id, pack_id=pack.id, image=pack.image_digest)
        self.files.put_document(key, document.to_bytes())

    def _skill(self, pack: Pack, listed: list[ServedFile], contents: Contents) -> "_Skill":
        """Return the `SKILL.md` of a pack: its own, or the one that is made of it."""
        own = next((file for file in listed if file.path == SKILL_FILE), None)
        if own is not None:
            return self._own_skill(own, contents)
        behavior = next((file for file in listed if file.path == BEHAVIOR), None)
        return _Skill(
            made=made_skill(
                name=pack.name,
                display_name=pack.display_name,
                version=pack.version,
                description=pack.description,
                behavior=None if behavior is None else _start_of(behavior, contents),
                paths=(file.path for file in listed),
            )
        )

    def _own_skill(self, own: ServedFile, contents: Contents) -> "_Skill":
        if own.size > _MAX_TEXT:
            return _Skill(unreadable=f"its {SKILL_FILE} has over {_MAX_TEXT} bytes")
        try:
            content = b"".join(contents(own.path))
            return _Skill(frontmatter=read_frontmatter(content, max_bytes=self.max_frontmatter))
        except InvalidRequest as refusal:
            field, reason = next(iter(refusal.fields.items()))
            return _Skill(unreadable=f"{field}: {reason}")

    def _too_many(self, pack: Pack, listed: list[ServedFile]) -> ServedDocument:
        reason = (
            f"its image was built elsewhere and has {len(listed)} files; of such an image at most "
            f"{_MAX_FILES_ELSEWHERE} are read"
        )
        return ServedDocument(files=(), unfit=unfit_doors([], {}, name=pack.name, unreadable=reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Skill:
    """The `SKILL.md` of a pack.

    Attributes:
        made: The one that is made of the pack; None if the pack brings one.
        frontmatter: Of the one that the pack brings.
        unreadable: Why that has none that can be read.
    """

    made: MadeSkill | None = None
    frontmatter: Frontmatter | None = None
    unreadable: str | None = None

    def files(self, listed: list[ServedFile]) -> tuple[ServedFile, ...]:
        """Return the files that are served, by path."""
        if self.made is None:
            return tuple(listed)
        content = self.made.text.encode()
        made = ServedFile(SKILL_FILE, len(content), hashlib.sha256(content).hexdigest(), 0o644)
        return tuple(sorted((*listed, made)))

    def reading(self, contents: Contents) -> _Reading:
        """Return what reads a served file."""
        if self.made is None:
            return lambda file: contents(file.path)
        text = self.made.text.encode()
        return lambda file: [text] if file.path == SKILL_FILE else contents(file.path)

    def document(self, served: tuple[ServedFile, ...], *, name: str, elsewhere: bool) -> ServedDocument:
        """Return the document, without what is made of the files."""
        made, own = self.made, self.frontmatter
        values = made.frontmatter if made is not None else {} if own is None else own.values
        unfit = unfit_doors(
            served,
            values,
            name=name,
            unreadable=self.unreadable,
            uncertain=() if own is None else own.uncertain,
            elsewhere=elsewhere,
        )
        return ServedDocument(
            files=served,
            frontmatter=values,
            skill_md=None if made is None else made.text,
            unfit=unfit,
            warnings=() if own is None else own.warnings,
        )


def _start_of(file: ServedFile, contents: Contents) -> bytes:
    """Return the content of a file, or its first MiB."""
    taken, left = [], _MAX_TEXT
    for piece in contents(file.path):
        taken.append(piece[:left])
        left -= len(taken[-1])
        if left <= 0:
            break
    return b"".join(taken)


def _zip_of(target: IO[bytes], served: Sequence[ServedFile]) -> Zip:
    target.seek(0)
    sha256, size = hashlib.sha256(), 0
    while chunk := target.read(_CHUNK):
        sha256.update(chunk)
        size += len(chunk)
    return Zip(Digest(f"sha256:{sha256.hexdigest()}"), size, sum(file.size for file in served))
