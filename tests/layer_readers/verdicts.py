"""Which readers are right about our image, and what is known of those that are not."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.layer_readers.clients import pulls
from tests.layer_readers.readings import Reading, readings
from tests.layer_readers.sample import published_sample

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "readers.md"
START: Final = "<!-- written by `python -m tests.layer_readers` -->\n"
END: Final = "<!-- end of what it writes -->\n"

# Readers that are not right, and what a user can do.
_NO_PAX: Final = (
    "right but for names beyond ASCII or over 255 bytes:"
    " they are in pax headers, which it does not know, and it shows `?` instead"
)
KNOWN: Final[Mapping[str, str]] = {
    "Archive::Tar": _NO_PAX,
    "Gem::Package::TarReader": _NO_PAX,
    "PharData": _NO_PAX,
    "stream-inflate": "wrong without an error, for any stored block that follows a compressed one, zlib's own too"
    " (`findings/stream-inflate-stored-blocks.sh`); use `zlib`",
    "oras (Python), index": "an empty list for an image index, without an error; give it the digest of a manifest",
    "python-dxf, index": "the names of the platforms; give it the digest of a manifest",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A reader, and whether it sees what is there."""

    reading: Reading
    right: bool


def verdicts(folder: Path) -> Iterator[Verdict]:
    """Publish the sample, and yield a verdict on each reader and client that is on this machine.

    Args:
        folder: An empty folder.
    """
    places = folder / "pulls"
    places.mkdir()
    with published_sample(folder) as sample:
        right = {"tar": sample.tar, "files": sample.files}
        for reading in (*readings(sample.layer), *pulls(sample.image, places)):
            yield Verdict(reading, reading.digest == right[reading.kind])


def table(rows: Iterable[Verdict]) -> str:
    """Return the table in Markdown."""
    lines = ["| reader | version | reads | |", "|---|---|---|---|"]
    for row in rows:
        reading = row.reading
        what = "the files" if reading.kind == "files" else "the tar"
        says = (
            "right" if row.right else KNOWN.get(reading.reader) or f"wrong: {reading.error or reading.digest}"
        )
        lines.append(f"| {reading.reader} | {reading.version} | {what} | {says} |")
    return "\n".join(lines) + "\n"
