"""The validator of the Agent Skills specification's own project judges each `SKILL.md` that we make of a pack."""

import json
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from local.environments import prepare, tool

from packyard.doors.made_skill import made_skill

# It prints what the validator finds wrong, by the name of the folder around each skill's.
_VALIDATE: Final = """
import json, sys
from pathlib import Path
from skills_ref.validator import validate
folders = sorted(Path(sys.argv[1]).glob("*/*"))
print(json.dumps({folder.parent.name: validate(folder) for folder in folders}))
"""
# Each is special to some reader of YAML, of Markdown or of the lines of a frontmatter.
TEXTS: Final = (
    *(
        "Posts messages.",
        "a: b",
        "a: b: c",
        "a #b",
        "# a",
        "- a",
        "? a",
        "[a",
        "{a: b}",
        "a, b",
        "&a",
        "*a",
        "!a",
        "!!str a",
    ),
    *(
        "%a",
        "@a",
        "`a`",
        "| a",
        "> a",
        "'a'",
        '"a"',
        "it's",
        'say "a"',
        "\\n",
        "a\\",
        "~",
        "null",
        "yes",
        "No",
        "1.0",
        "0x1",
        "1e3",
    ),
    *(
        "0o7",
        "1_000",
        "2026-03-01",
        "12:30",
        ".inf",
        "=",
        "<<",
        "...",
        "---",
        "a --- b",
        "a\n---\nb",
        "--- a",
        "-" * 80,
        "a\tb",
    ),
    *(
        " a ",
        "a\r\nb",
        "a\u2028b",
        "a\x85b",
        "a\0b",
        "\ufeffa",
        "\u202ea",
        "caf\u00e9",
        "\u6f22\u5b57",
        "\U0001f600",
        "<b>a</b>",
    ),
    *("word " * 400, "\u00e9" * 1100, "${a}", "{{ a }}", "a" * 3000),
)


class _Told(NamedTuple):
    """What a pack says of itself."""

    description: str | None = "Posts."
    display_name: str = "Slack"
    version: str = "1.4.0"


def test_the_specification_s_validator_finds_nothing_wrong_with_what_we_make(tmp_path: Path) -> None:
    prepare("doors")
    told_of = [
        *(_Told(description=text) for text in (*TEXTS, None)),
        *(_Told(display_name=text, description=None) for text in TEXTS),
        *(_Told(version=text) for text in ("0.0.0-0", "1.0.0---a", "1.0.0+1e3", "1.0.0-alpha.1+build")),
    ]
    for number, pack in enumerate(told_of):
        behavior = (pack.description or "").encode(errors="replace") if number % 2 else None
        made = made_skill(**pack._asdict(), name="slack", behavior=behavior, paths=["guides/a b.md"])
        folder = tmp_path / str(number) / "slack"
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(made.text, encoding="utf-8", newline="")

    told = subprocess.run(  # noqa: S603 - our own
        [tool("doors", "python"), "-c", _VALIDATE, tmp_path],
        capture_output=True,
        check=True,
        encoding="utf-8",
        timeout=60,
    )

    found = json.loads(told.stdout)
    assert len(found) == len(told_of)
    assert {number: faults for number, faults in found.items() if faults} == {}
