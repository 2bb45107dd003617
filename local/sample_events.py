"""The sample events in `events/`, and the expected answer of each.

`events/<function>/<case>.json` is the event. `<case>.expected.json` has the fields that the answer must have at least,
with a JSON body parsed. `{{acme.org_id}}` and `{{acme.full_access}}` are placeholders for the local stack's values.
"""

import json
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from local.environments import PROJECT
from local.seeds import SeededOrg

EVENTS = PROJECT / "events"

_EXAMPLE = "events/get_pack/unknown.json"

_EXPECTED = ".expected.json"
_PLACEHOLDER = re.compile(r"\{\{([a-z-]+)\.([a-z_]+)\}\}")


class UnknownPlaceholder(Exception):
    """An event names an organisation or a key that the stack does not have. The message says which."""


def sample_events() -> list[Path]:
    """Return all sample events."""
    return sorted(path for path in EVENTS.glob("*/*.json") if is_event(path))


class NoEvent(Exception):
    """A path is not that of an event. The message says what helps."""


def event_at(text: str) -> Path:
    """Return the file of an event that somebody has named.

    Raises:
        NoEvent: There is no such file, or it is an answer, or a folder.
    """
    path = Path(text)
    if path.is_dir():
        raise NoEvent(
            f"{text} is a folder; take an event in it, or all of them: E='{text.rstrip('/')}/*.json'"
        )
    if not path.exists():
        known = [os.path.relpath(event) for event in sample_events()]
        near = get_close_matches(text, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"events/ has them, such as {_EXAMPLE}"
        raise NoEvent(f"there is no file {text}; {hint}")
    if not is_event(path):
        raise NoEvent(f"{text} is an answer; the event is {text.removesuffix(_EXPECTED)}.json")
    return path


def is_event(path: Path) -> bool:
    """Return whether a file is an event, and not an expected answer."""
    return not path.name.endswith(_EXPECTED)


def rendered(path: Path, orgs: Mapping[str, SeededOrg]) -> Any:
    """Return an event, or an answer, with its placeholders filled in.

    Args:
        path: The file.
        orgs: The running stack's organisations, by slug.

    Raises:
        UnknownPlaceholder: It has a placeholder that this stack has no value for.
        NoEvent: The file cannot be read, or is not JSON.
    """

    def known(match: re.Match[str]) -> str:
        org = orgs.get(match[1])
        value = org and (org["org_id"] if match[2] == "org_id" else org["keys"].get(match[2]))
        if not value:
            raise UnknownPlaceholder(f"{path}: {match[0]} is none of what the stack was given")
        return value

    try:
        return json.loads(_PLACEHOLDER.sub(known, path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise NoEvent(f"{path} is not JSON from line {error.lineno}, column {error.colno} on") from error
    except UnicodeDecodeError as error:
        raise NoEvent(f"{path} is not JSON in UTF-8") from error
    except OSError as error:
        raise NoEvent(f"{path} cannot be read: {error.strerror}") from error


def stated_answer(path: Path, orgs: Mapping[str, SeededOrg]) -> Any:
    """Return the expected answer to an event; None if there is none.

    Raises:
        UnknownPlaceholder, NoEvent: As for `rendered`.
    """
    expected = path.with_name(path.name.removesuffix(".json") + _EXPECTED)
    return rendered(expected, orgs) if expected.exists() else None


def narrowed(answer: Any, expected: Any) -> Any:
    """Return only those fields of `answer` that `expected` has, so that the two can be compared."""
    if isinstance(expected, dict) and isinstance(answer, str):
        try:
            answer = json.loads(answer)
        except ValueError:
            return answer
    if isinstance(expected, dict) and isinstance(answer, dict):
        return {key: narrowed(answer[key], value) for key, value in expected.items() if key in answer}
    return answer
