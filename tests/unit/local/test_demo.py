"""The tutorial as it is read, played and drawn, without a stack."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest
from local.demo.picture import COLUMNS, MAX_ROWS, PICTURE, TooTall, picture
from local.demo.placeholders import Placeholders
from local.demo.playing import Player, StoryFailed
from local.demo.story import TUTORIAL
from local.demo.tutorial import Chapter, File, Ran, Session, chapters, with_sessions

PAGE = """\
# Title

## Consent

```sh
export NOT=PLAYED
```

```md pack/guides/a.md
## Not a heading
```

```console
$ packyard check pack
one

two
$ echo $?
3
```

## Only prose
"""
SVG = "{http://www.w3.org/2000/svg}"


class Packyard:
    """Stands for the command: answers with an exit code and text, and remembers its arguments."""

    def __init__(self, exit_code: int, text: str) -> None:
        self.answer = exit_code, text
        self.called: list[Sequence[str]] = []

    def __call__(self, arguments: Sequence[str]) -> tuple[int, str]:
        self.called.append(arguments)
        return self.answer


def _play(folder: Path, packyard: Packyard, page: str = PAGE) -> list[Session]:
    shown: list[str] = []
    player = Player(folder=folder, packyard=packyard, placeholders=Placeholders({}), show=shown.append)
    return player.play(chapters(page))


def test_a_page_is_read_as_files_and_sessions() -> None:
    ran = (Ran("packyard check pack", ("one", "", "two")), Ran("echo $?", ("3",)))

    assert chapters(PAGE) == (
        Chapter("Consent", (File("pack/guides/a.md", "## Not a heading\n"), Session(ran))),
    )


def test_what_was_played_takes_the_place_of_the_output_alone(tmp_path: Path) -> None:
    packyard = Packyard(3, "other\n")

    sessions = _play(tmp_path, packyard)

    assert packyard.called == [["check", "pack"]]
    assert (tmp_path / "pack" / "guides" / "a.md").read_text() == "## Not a heading\n"
    assert with_sessions(PAGE, sessions) == PAGE.replace("one\n\ntwo\n", "other\n")


@pytest.mark.parametrize(
    ("page", "exit_code", "said"),
    [
        pytest.param(PAGE.replace("$ echo $?\n3\n", ""), 3, "exit code 3, without `echo", id="at the end"),
        pytest.param(PAGE.replace("$ echo $?", "$ packyard list"), 3, "exit code 3", id="before another"),
        pytest.param(PAGE.replace("packyard", "rm"), 0, "neither `packyard` nor", id="another program"),
    ],
)
def test_a_story_that_goes_otherwise_fails(tmp_path: Path, page: str, exit_code: int, said: str) -> None:
    with pytest.raises(StoryFailed, match=said):
        _play(tmp_path, Packyard(exit_code, "text\n"), page)


def test_what_varies_has_placeholders_and_the_same_value_has_the_same_one() -> None:
    placeholders = Placeholders({"127.0.0.1:4566": "<registry>"})
    one, other = "1" * 64, "2" * 64
    lines = [
        f"127.0.0.1:4566/packs/org_{'0' * 26}/a@sha256:{one}",
        f"pack_{'0' * 26} pack_{'1' * 26} pack_{'0' * 26} sha256:{other} sha256:{one}",
        "request id: 00000000-0000-4000-8000-000000000000 at 2026-01-02T03:04:05.678Z",
        "  compressed_bytes: 1.2 KiB of 256.0 MiB",
        "nothing of 12 files, 1.2 KiB",
    ]

    assert [placeholders.replaced(line) for line in lines] == [
        "<registry>/packs/<org-1>/a@sha256:<digest-1>",
        "<pack-1> <pack-2> <pack-1> sha256:<digest-2> sha256:<digest-1>",
        "request id: <request-1> at <time-1>",
        "  compressed_bytes: <size-1> of 256.0 MiB",
        "nothing of 12 files, 1.2 KiB",
    ]


def test_the_picture_that_stands_is_that_of_the_tutorial() -> None:
    # Where it is another: `make demo ARGS=--write`.
    assert PICTURE.read_text(encoding="utf-8") == picture(TUTORIAL.read_text(encoding="utf-8"))
    assert PICTURE.stat().st_size < 100_000


def test_a_picture_has_a_scene_for_each_chapter_and_needs_nothing_from_elsewhere() -> None:
    long = "x" * (COLUMNS + 1)
    drawn = picture(PAGE.replace("two", f"<&> {long}"))
    root = ET.fromstring(drawn)  # noqa: S314 - our own

    (scene,) = (group for group in root.iter(f"{SVG}g"))
    lines = ["".join(text.itertext()) for text in scene.iter(f"{SVG}text")]
    assert lines[:3] == ["Consent", "# write pack/guides/a.md", "$ packyard check pack"]
    assert [len(line) for line in lines if "x" in line] == [COLUMNS, 5]
    assert "still" in scene.attrib["class"]
    assert not any(outside in drawn for outside in ("url(", "href", "@import", "<script"))


def test_a_chapter_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TooTall, match="'Consent' has"):
        picture(PAGE.replace("two", "two\n" * MAX_ROWS))
