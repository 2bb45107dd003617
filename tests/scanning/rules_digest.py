"""The digest of everything that decides what a scan finds. A test compares it with the version that is stated."""

import hashlib
from pathlib import Path
from typing import Final

import packyard.scanning

_FOLDER: Final = Path(packyard.scanning.__file__).parent
# The other modules of the package carry findings about, and decide nothing about them.
_DECIDING: Final = (
    "rules/*.toml",
    "lists/*.txt",
    "detectors/*.py",
    *(
        f"{module}.py"
        for module in (
            "across_files",
            "catalogue",
            "collected",
            "containers",
            "documentation",
            "engine",
            "file_kind",
            "file_scan",
            "matches",
            "randomness",
            "windows",
        )
    ),
)


def digest_of_rules() -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the rules, the lists and the modules that apply them."""
    whole = hashlib.sha256()
    for pattern in _DECIDING:
        files = sorted(_FOLDER.glob(pattern))
        assert files, pattern
        for file in files:
            whole.update(f"{file.relative_to(_FOLDER).as_posix()}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:16]
