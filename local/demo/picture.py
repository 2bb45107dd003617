"""Draws the tutorial as an animated terminal: an SVG with one scene for each chapter.

It needs no script and no font of its own, so that it also moves inside of an `img` element. It brings its own
background, so that it can be read on light and dark pages. Where motion is not wanted or not supported, it shows one
scene. The same chapters make the same bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final
from xml.sax.saxutils import escape

from local.demo.tutorial import PROMPT, Chapter, File, chapters
from local.environments import PROJECT

PICTURE: Final = PROJECT / "docs" / "demo.svg"
# The scene to show where nothing moves, by a word of its title.
_STILL: Final = "consent"
COLUMNS: Final = 96
MAX_ROWS: Final = 30
_CELL, _LINE = 8.4, 19
_MARGIN, _BAR, _FOOT = 18, 40, 26
_WIDTH: Final = round(COLUMNS * _CELL + 2 * _MARGIN)
# How long a scene stays: to find one's way, and to read each line.
_SECONDS, _SECONDS_OF_A_LINE = 2.0, 0.5
_STYLE: Final = (
    "text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono',monospace;"
    "font-size:14px;white-space:pre;fill:#c9d1d9}"
    ".t{fill:#8b949e}.c{fill:#fff;font-weight:bold}.p{fill:#7ee787}.a{fill:#7ee787}.d{fill:#ff9492}.w{fill:#f0b72f}"
    ".s{visibility:hidden}.still{visibility:visible}"
)
_NO_MOTION: Final = "@media (prefers-reduced-motion:reduce){.s{animation:none!important}}"
# How lines of output begin, with their classes: what comes, goes, changes, and failures.
_KINDS: Final = (("+ ", "a"), ("- ", "d"), ("~ ", "w"), ("! ", "w"), ("packyard:", "d"))


class TooTall(Exception):
    """A chapter does not fit on the terminal."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A line on the terminal: pieces of text with their classes."""

    pieces: tuple[tuple[str, str], ...]

    @property
    def columns(self) -> int:
        return sum(len(text) for _, text in self.pieces)


def picture(markdown: str) -> str:
    """Return the SVG of the tutorial.

    Args:
        markdown: The tutorial.

    Raises:
        TooTall: A chapter has more lines than fit.
    """
    shown = chapters(markdown)
    scenes = [list(_rows(chapter)) for chapter in shown]
    for chapter, rows in zip(shown, scenes, strict=True):
        if len(rows) > MAX_ROWS:
            raise TooTall(f"{chapter.title!r} has {len(rows)} lines, and {MAX_ROWS} fit on the picture")
    height = _BAR + max(map(len, scenes)) * _LINE + _FOOT
    drawn = (
        _scene(number, chapter.title, rows, len(scenes), height)
        for number, (chapter, rows) in enumerate(zip(shown, scenes, strict=True))
    )
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            "<title>packyard in a terminal</title>",
            f"<desc>{escape('; '.join(chapter.title for chapter in shown))}</desc>",
            f"<style>{_STYLE}{_motion([len(rows) for rows in scenes])}{_NO_MOTION}</style>",
            f'<rect x=".5" y=".5" width="{_WIDTH - 1}" height="{height - 1}" rx="9" fill="#0d1117" stroke="#484f58"/>',
            *(
                f'<circle cx="{20 + 18 * number}" cy="19" r="5.5" fill="{colour}"/>'
                for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
            ),
            *drawn,
            "</svg>\n",
        )
    )


def _motion(heights: Sequence[int]) -> str:
    """Return the rules that show each scene in its turn, and all scenes over and over."""
    seconds = [_SECONDS + _SECONDS_OF_A_LINE * height for height in heights]
    total = sum(seconds)
    rules = []
    for number, (stays, end) in enumerate(zip(seconds, accumulate(seconds), strict=True)):
        # The delay is negative, so that each scene is hidden or shown by its animation from the start.
        rules.append(
            f"@keyframes k{number}{{0%{{visibility:visible}}{100 * stays / total:.3f}%,100%{{visibility:hidden}}}}"
            f"#s{number}{{animation:k{number} {total:g}s step-end {end - stays - total:g}s infinite}}"
        )
    return "".join(rules)


def _scene(number: int, title: str, rows: Sequence[_Row], count: int, height: int) -> str:
    lines = (_text(row, _BAR + 14 + place * _LINE) for place, row in enumerate(rows) if row.columns)
    heading = f'<text x="{_WIDTH / 2:g}" y="24" text-anchor="middle" class="t">{escape(title)}</text>'
    dots = "".join(
        f'<circle cx="{_WIDTH / 2 + 14 * (dot - (count - 1) / 2):g}" cy="{height - 12}" r="3" '
        f'fill="{"#c9d1d9" if dot == number else "#484f58"}"/>'
        for dot in range(count)
    )
    kind = "s still" if _STILL in title.lower() else "s"
    return "\n".join((f'<g id="s{number}" class="{kind}">', heading, *lines, dots, "</g>"))


def _text(row: _Row, y: float) -> str:
    pieces = "".join(
        f'<tspan class="{kind}">{escape(text)}</tspan>' if kind else escape(text) for kind, text in row.pieces
    )
    # The length is stated, since fonts differ in the width of their characters.
    return (
        f'<text x="{_MARGIN}" y="{y:g}" textLength="{row.columns * _CELL:g}" lengthAdjust="spacingAndGlyphs" '
        f'xml:space="preserve">{pieces}</text>'
    )


def _rows(chapter: Chapter) -> Iterator[_Row]:
    for step in chapter.steps:
        if isinstance(step, File):
            yield _Row((("t", f"# write {step.path}"),))
            continue
        for ran in step.ran:
            yield _Row((("p", PROMPT), ("c", ran.command)))
            for line in ran.output:
                yield from _wrapped(line)


def _wrapped(line: str) -> Iterable[_Row]:
    kind = next((kind for start, kind in _KINDS if line.lstrip().startswith(start)), "")
    for start in range(0, max(len(line), 1), COLUMNS):
        yield _Row(((kind, line[start : start + COLUMNS]),))
