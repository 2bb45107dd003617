"""Statements about an image (in-toto Attestation Framework 1.0, "Statement").

A statement says of a subject, which it names by digest, what its predicate holds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from packyard.oci.digest import Digest, parse_digest
from packyard.text.strict_json import parse_object

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
# DSSE's name of what a statement is in an envelope.
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"

PROVENANCE: Final = "https://slsa.dev/provenance/v1"
BILL_OF_MATERIALS: Final = "https://cyclonedx.org/bom"

_MAX_SUBJECTS: Final = 64


class NotAStatement(ValueError):
    """The bytes are not a statement that this service reads. The message says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement about images.

    Attributes:
        subjects: The digests of what it is about, at least one.
        name: What the first subject is called, for people; empty for no name. It is not to be trusted: the digest says
            what the subject is.
        predicate_type: A URI that says what the predicate is.
        predicate: What it says, as JSON values.
    """

    subjects: tuple[Digest, ...]
    predicate_type: str
    predicate: Mapping[str, Any]
    name: str = ""

    def to_bytes(self) -> bytes:
        """Return the statement as JSON. Equal statements give equal bytes, since signatures are over these."""
        named = {"name": self.name} if self.name else {}
        body = {
            "_type": STATEMENT_TYPE,
            "subject": [
                {**(named if number == 0 else {}), "digest": {"sha256": digest.partition(":")[2]}}
                for number, digest in enumerate(self.subjects)
            ],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def parse_statement(raw: bytes) -> Statement:
    """Return the statement of a payload.

    Subjects that have no SHA-256 are refused: nothing here could be compared with them.

    Raises:
        NotAStatement: It is no statement of version 1, or has a repeated name, a subject without SHA-256, no subject or
            more than 64, or a predicate that is no object.
    """
    try:
        body = parse_object(raw)
    except ValueError:
        raise NotAStatement("the statement is not a JSON object with each name once") from None
    if body.get("_type") != STATEMENT_TYPE:
        raise NotAStatement(f"the statement is not of type {STATEMENT_TYPE}")
    subjects, predicate_type, predicate = (body.get(key) for key in ("subject", "predicateType", "predicate"))
    if not isinstance(subjects, list) or not 1 <= len(subjects) <= _MAX_SUBJECTS:
        raise NotAStatement(f"the statement must have 1 to {_MAX_SUBJECTS} subjects")
    if not isinstance(predicate_type, str) or not isinstance(predicate, dict):
        raise NotAStatement("the statement must have a predicateType and a predicate")
    name = subjects[0].get("name", "") if isinstance(subjects[0], dict) else ""
    return Statement(
        subjects=tuple(map(_digest, subjects)),
        predicate_type=predicate_type,
        predicate=predicate,
        name=name if isinstance(name, str) else "",
    )


def _digest(subject: Any) -> Digest:
    try:
        return parse_digest(f"sha256:{subject['digest']['sha256']}")
    except (KeyError, TypeError, ValueError):
        raise NotAStatement("a subject of the statement has no SHA-256 digest") from None
