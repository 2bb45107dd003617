"""What the path of a file says: names that deceive, and files that agents and tools obey by their name alone."""

import re
from collections.abc import Iterator
from typing import Final

from packyard.scanning.detectors.confusables import looks_latin, mixed_words
from packyard.scanning.excerpt import shown_text
from packyard.scanning.finding import Severity
from packyard.scanning.sighting import Sighting

_DECEIVING: Final = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\u00ad\ufeff\u115f\u1160\u3164\uffa0\U000e0000-\U000e007f]"
)
_TWO_ENDINGS: Final = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|txt|md|jpe?g|png|gif|csv|mp[34])\s*\.(?:sh|bash|exe|bat|cmd|com|scr|js|vbs|ps1|command|app|py|jar)$",
    re.IGNORECASE,
)
_OBEYED: Final = re.compile(
    r"(?:^|/)(?:\.claude/(?:settings(?:\.local)?\.json|hooks/[^/]+|commands/[^/]+|agents/[^/]+)|\.mcp\.json|mcp\.json|hooks/hooks\.json|"
    r"\.cursor/(?:mcp\.json|rules/.+|hooks\.json)|\.vscode/(?:settings|tasks|mcp)\.json|\.gemini/settings\.json|\.codex/(?:config\.toml|hooks.+)|"
    r"\.kiro/.+|\.windsurf/.+|\.continue/.+|\.aider\.conf\.yml|\.cursorrules|\.windsurfrules|\.clinerules|"
    r"\.git/(?:hooks/.+|config)|\.githooks/.+|\.husky/[^/]+|\.envrc|\.bashrc|\.zshrc|\.profile|\.npmrc|\.pypirc|sitecustomize\.py|[^/]+\.pth)$"
)
_PROGRAMS: Final = re.compile(
    r"\.(?:exe|dll|so|dylib|msi|scr|com|jar|class|pyc|pyd|apk|deb|rpm|dmg|pkg|wasm|node)$", re.IGNORECASE
)


def sightings_of_path(path: str) -> Iterator[Sighting]:
    """Yield what a path says."""
    if _DECEIVING.search(path):
        yield Sighting("name.invisible-characters", None, shown_text(path))
    for word, _ in mixed_words(path):
        yield Sighting("name.mixed-script", None, _explained(path, word))
    if not path.isascii():
        words = re.findall(r"[^\W\d_]+", path)
        alike = [word for word in words if not word.isascii() and looks_latin(word)]
        if alike and any(word.isascii() for word in words[:-1]):
            yield Sighting("name.look-alike", None, _explained(path, alike[0]))
    if _TWO_ENDINGS.search(path):
        yield Sighting("name.two-endings", None, shown_text(path))
    if _OBEYED.search(path):
        yield Sighting("settings.obeyed-file", None, shown_text(path))
    if _PROGRAMS.search(path):
        # Bytecode of Python runs in place of the source beside it.
        severity = Severity.MEDIUM if path.endswith((".pyc", ".pyd", ".pth")) else None
        yield Sighting("content.program", None, shown_text(path), severity)


def _explained(path: str, word: str) -> str:
    strange = [f"U+{ord(letter):04X}" for letter in dict.fromkeys(word) if not letter.isascii()]
    return shown_text(f"{path}: {word} has {', '.join(strange)}")
