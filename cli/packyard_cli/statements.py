"""What is signed about images: as the service has it, and as it was kept here.

Nothing of it is believed before its signatures are verified, wherever it comes from.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from packyard.attestations.statement import BILL_OF_MATERIALS, PROVENANCE
from packyard.oci.digest import Digest
from packyard_cli.failure import Exit, Failure
from packyard_cli.service import Service, segment
from packyard_cli.settings import write_whole

ATTACHED, PENDING, OFF = "attached", "pending", "off"
_NO_ROUTE: Final = "route_not_found"
# Ours are two. An image that was registered may have brought others.
_MAX_STATEMENTS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """What is signed about one image.

    Attributes:
        state: `attached`, `pending` (there is nothing yet) or `off` (there will be nothing).
        provenance: The bundle of how the image came about; None where there is none.
        bill: The bundle of what is in it; None where there is none.
        built_here: Whether the service has built the image, as it says; None where it does not say.
    """

    state: str
    provenance: bytes | None = None
    bill: bytes | None = None
    built_here: bool | None = None


def fetch_statements(service: Service, pack_id: str, revision: int | None) -> Statements:
    """Return what the service has of a pack's image. One request, and one more if it is too large for an answer.

    Raises:
        Failure: The service refused, did not answer, or answers something else.
    """
    query = {} if revision is None else {"revision": str(revision)}
    try:
        body = service.get(f"/packs/{segment(pack_id)}/attestations", query=query).body
    except Failure as failure:
        # A service that is too old to sign.
        if failure.code == _NO_ROUTE:
            return Statements(state=OFF)
        raise
    try:
        state, listed = str(body["attestations"]), body["statements"][:_MAX_STATEMENTS]
        origin = body.get("image_origin")
        return Statements(
            state=state if state in {ATTACHED, PENDING} else OFF,
            provenance=_bundle(listed, PROVENANCE),
            bill=_bundle(listed, BILL_OF_MATERIALS),
            built_here=None if origin is None else origin != "image_ref",
        )
    except (KeyError, TypeError, AttributeError):
        raise Failure(
            Exit.UNAVAILABLE, "The service's answer about what is signed lacks something."
        ) from None


def _bundle(listed: list[dict[str, Any]], predicate_type: str) -> bytes | None:
    for statement in listed:
        if statement["predicate_type"] == predicate_type:
            return json.dumps(statement["bundle"], separators=(",", ":")).encode()
    return None


class KeptStatements(Protocol):
    """Statements that are here already."""

    def find(self, pack_id: str, image: Digest) -> Statements | None:
        """Return what there is of a pack's image, unverified; None for nothing."""

    def keep(self, pack_id: str, image: Digest, statements: Statements) -> None:
        """Keep statements that the service has sent."""


@dataclass(frozen=True, slots=True)
class StatementCache:
    """What was fetched before, by pack and image. A clone has statements of its own about the same image.

    Attributes:
        folder: Where it is; it need not exist.
    """

    folder: Path

    def find(self, pack_id: str, image: Digest) -> Statements | None:
        """Return what was kept, unverified; None for nothing, or nothing that can be read."""
        try:
            kept = json.loads(self._place(pack_id, image).read_bytes())
            return Statements(
                state=str(kept["state"]),
                provenance=_encoded(kept.get("provenance")),
                bill=_encoded(kept.get("bill")),
                built_here=kept.get("built_here"),
            )
        except (FileNotFoundError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return None

    def keep(self, pack_id: str, image: Digest, statements: Statements) -> None:
        """Keep statements.

        Raises:
            OSError: They cannot be written.
        """
        document = {
            "state": statements.state,
            "provenance": _decoded(statements.provenance),
            "bill": _decoded(statements.bill),
            "built_here": statements.built_here,
        }
        place = self._place(pack_id, image)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, json.dumps(document, separators=(",", ":")).encode())

    def _place(self, pack_id: str, image: Digest) -> Path:
        # The id comes from a lock, and may be no name of a file.
        name = hashlib.sha256(f"{pack_id}\0{image}".encode()).hexdigest()
        return self.folder / "statements" / f"{name}.json"


def _encoded(bundle: Any) -> bytes | None:
    return bundle.encode() if isinstance(bundle, str) else None


def _decoded(bundle: bytes | None) -> str | None:
    return None if bundle is None else bundle.decode()
