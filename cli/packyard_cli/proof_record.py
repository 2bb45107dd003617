"""What an installation keeps of the proofs of its packs, so that they can be verified again without a network.

It is in a folder of its own, which no pack can have: the statements as bundles that other tools verify too, and a list
of what was known of each pack. It is as trustworthy as the folder, so all of it is verified again whenever it is used.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packyard_cli.lock_document import LockedPack
from packyard_cli.proving import PROVED, PackProof
from packyard_cli.pulled import RECORD_FOLDER
from packyard_cli.statements import ATTACHED, Statements

_RECORD: Final = f"{RECORD_FOLDER}/provenance.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRecord:
    """What was known of the packs of an installation.

    Attributes:
        is_there: Whether there is a record.
        url: The deployment by whose keys they were proved; None if there was none.
        states: What was known of each pack, by its id.
    """

    is_there: bool = False
    url: str | None = None
    states: Mapping[str, str] = field(default_factory=dict)

    def of(self, url: str | None) -> Mapping[str, str]:
        """Return what was known of the packs if it was proved by a deployment; nothing otherwise."""
        return self.states if url is not None and url == self.url else {}


def write_record(folder: Path, proofs: Sequence[PackProof], *, url: str | None) -> None:
    """Write what is known of packs into their installation.

    Raises:
        OSError: It cannot be written.
    """
    (folder / RECORD_FOLDER).mkdir()
    record = {
        "provenance_version": _VERSION,
        "service": url,
        "packs": [{"id": proof.pack.id, "provenance": proof.state} for proof in proofs],
    }
    (folder / _RECORD).write_bytes(json.dumps(record, indent=1).encode() + b"\n")
    for proof in proofs:
        kept = proof.statements
        if kept is not None and kept.provenance is not None and kept.bill is not None:
            provenance, bill = statement_files(proof.pack)
            (folder / provenance).write_bytes(kept.provenance)
            (folder / bill).write_bytes(kept.bill)


def read_record(folder: Path) -> ProofRecord:
    """Return what was known of the packs of an installation; nothing where there is no record, or a damaged one."""
    try:
        document = json.loads((folder / _RECORD).read_bytes())
        if document["provenance_version"] != _VERSION:
            return ProofRecord()
        url = document["service"]
        return ProofRecord(
            is_there=True,
            url=None if url is None else str(url),
            states={str(entry["id"]): str(entry["provenance"]) for entry in document["packs"]},
        )
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ProofRecord()


def read_statements(folder: Path, pack: LockedPack) -> Statements:
    """Return the statements that an installation keeps of a pack, unverified; None for what is not there."""
    provenance, bill = (_read(folder / file) for file in statement_files(pack))
    return Statements(state=ATTACHED, provenance=provenance, bill=bill)


def statement_files(pack: LockedPack) -> tuple[str, str]:
    """Return where an installation keeps the statements about a pack: its provenance, and its bill of materials."""
    stem = f"{RECORD_FOLDER}/{pack.folder or 'pack'}"
    return f"{stem}.provenance.sigstore.json", f"{stem}.bom.sigstore.json"


def record_files(record: ProofRecord, packs: Iterable[LockedPack]) -> set[str]:
    """Return the paths of what an installation keeps of proofs."""
    proved = [pack for pack in packs if record.states.get(pack.id) == PROVED]
    files = {file for pack in proved for file in statement_files(pack)}
    return files | ({_RECORD} if record.is_there else set())


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None
