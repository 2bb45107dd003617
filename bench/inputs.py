"""The packs for the measurements: made from a seed, the same on every machine, and kept in `.local/bench` only.

    pack            8,500 files, 280 MB: prose, source code, JSON and CSV tables; 8 % of it pictures
    incompressible  50 files, 200 MB of random bytes, which compress as little as media
    small           40 files, 60 KB: the common case
    80_mb           what `pack` is made of, as much of it as makes a layer of 80 MB: one file is read out of it
    50_mb, 1_gib    what `pack` is made of, to show that memory does not grow with the archive; the larger one has each
                    text four times, or it would be over the limit of an archive

Prose is sentences of phrases of words. Word frequencies fall with their rank, as in natural language. gzip reduces it
to a third, as it does real guides. Sizes of files are log-normal. Members are in no order, as `tar` finds them in a
directory, and below one wrapping directory.
"""

import gzip
import hashlib
import io
import json
import random
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

KB: Final = 1000
MB: Final = 1_000_000
GIB: Final = 1 << 30

_VOCABULARY: Final = 6_000
_PHRASES: Final = 6_000
_SENTENCES: Final = 50_000
_LETTERS: Final = "etaoinshrdlcumwfgypbvk"
_RANDOM_PART: Final = 0.08
_MANIFEST: Final = "name: {name}\nversion: 1.0.0\ndescription: An input of the benchmark, made from a seed.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The recipe of an input.

    Attributes:
        files: How many, `pack.yaml` included.
        size: Approximate bytes of content.
        random_part: The random share of its bytes; the rest is text.
        copies: How often each text occurs.
    """

    files: int
    size: int
    random_part: float = _RANDOM_PART
    copies: int = 1


RECIPES: Final[Mapping[str, Recipe]] = {
    "pack": Recipe(files=8_500, size=280 * MB),
    "incompressible": Recipe(files=50, size=200 * MB, random_part=1),
    "small": Recipe(files=40, size=60 * KB),
    "80_mb": Recipe(files=6_000, size=198 * MB),
    "50_mb": Recipe(files=1_500, size=50 * MB),
    "1_gib": Recipe(files=19_000, size=GIB - 24 * MB, copies=4),
}


def archive_of(name: str, *, folder: Path) -> Path:
    """Return an input's `.tar.gz`. It is made if `folder` does not have it yet.

    Args:
        name: One of `RECIPES`.
        folder: Where inputs are kept.
    """
    recipe_hash = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    path = folder / f"{name}-{recipe_hash}.tar.gz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        _write(unfinished, name, RECIPES[name])
        unfinished.rename(path)
    return path


def _write(path: Path, name: str, recipe: Recipe) -> None:
    # Level 6, as `tar -z` uses. Neither time nor name is stated.
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        wrapper = name.replace("_", "-")
        for member, content in _files(name, recipe):
            info = tarfile.TarInfo(f"{wrapper}/{member}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def _files(name: str, recipe: Recipe) -> Iterator[tuple[str, bytes]]:
    """Yield the members of an input in the order of its archive."""
    dice = random.Random(f"packyard {name}")  # noqa: S311 - what is wanted is the same numbers again
    text = _Text(dice)
    kinds: list[tuple[str, Callable[[int], bytes]]] = [
        ("guides/{topic}/{name}.md", text.prose),
        ("guides/{topic}/{name}.md", text.prose),
        ("scripts/{topic}/{name}.py", text.code),
        ("data/{topic}/{name}.json", text.table),
        ("data/{topic}/{name}.csv", text.csv),
    ]
    count = recipe.files - 1
    pictures = round(count * recipe.random_part)
    sizes = _sizes(dice, count, recipe.size)
    manifest_at = dice.randrange(count)
    for number in range(count):
        if number == manifest_at:
            yield "pack.yaml", _MANIFEST.format(name=name.replace("_", "-")).encode()
        topic, stem = f"{text.word()}-{number % 97:02d}", f"{text.word()}-{number:05d}"
        # Spread evenly, so that about the same share of bytes as of files is random.
        if number * pictures // count != (number + 1) * pictures // count:
            yield f"data/{topic}/{stem}.png", dice.randbytes(sizes[number])
        else:
            pattern, make = dice.choice(kinds)
            size = sizes[number]
            text_of_it = make(-(-size // recipe.copies))
            yield pattern.format(topic=topic, name=stem), (text_of_it * recipe.copies)[:size]


def _sizes(dice: random.Random, count: int, total: int) -> list[int]:
    drawn = [dice.lognormvariate(0, 1) for _ in range(count)]
    scale = total / sum(drawn)
    return [max(1, round(size * scale)) for size in drawn]


class _Text:
    """Text of several kinds, of any length."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._words = sorted({self._new_word() for _ in range(_VOCABULARY)})
        dice.shuffle(self._words)
        weights = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))
        drawn = iter(dice.choices(self._words, cum_weights=weights, k=_PHRASES * 4))
        phrases = [" ".join(next(drawn) for _ in range(dice.randint(2, 4))) for _ in range(_PHRASES)]
        often = list(accumulate(1 / rank for rank in range(1, _PHRASES + 1)))
        used = iter(dice.choices(phrases, cum_weights=often, k=_SENTENCES * 6))
        self._sentences = [
            " ".join(next(used) for _ in range(dice.randint(2, 6))).capitalize() + "."
            for _ in range(_SENTENCES)
        ]

    def word(self) -> str:
        return self._dice.choice(self._words)

    def prose(self, size: int) -> bytes:
        return self._until(size, lambda: f"## {self.word()}\n\n{' '.join(self._some(6))}\n\n")

    def code(self, size: int) -> bytes:
        return self._until(
            size,
            lambda: (
                f'def {self.word()}_{self.word()}({self.word()}: str) -> None:\n    """{self._some(1)[0]}"""\n'
                f"    if {self.word()} is None:\n        raise ValueError({self._some(1)[0]!r})\n"
                f"    return {self.word()}.{self.word()}({self._dice.randrange(1000)})\n\n\n"
            ),
        )

    def table(self, size: int) -> bytes:
        return self._until(
            size,
            lambda: (
                json.dumps(
                    {"id": self._dice.randrange(10**6), "title": self.word(), "text": self._some(1)[0]}
                )
                + "\n"
            ),
        )

    def csv(self, size: int) -> bytes:
        return self._until(
            size,
            lambda: f"{self._dice.randrange(10**6)},{self.word()},{self._dice.random():.6f},{self.word()}\n",
        )

    def _new_word(self) -> str:
        return "".join(self._dice.choices(_LETTERS, k=self._dice.randint(2, 10)))

    def _some(self, count: int) -> list[str]:
        return self._dice.choices(self._sentences, k=count)

    def _until(self, size: int, piece: Callable[[], str]) -> bytes:
        pieces: list[str] = []
        length = 0
        while length < size:
            pieces.append(piece())
            length += len(pieces[-1])
        return "".join(pieces).encode()[:size]
