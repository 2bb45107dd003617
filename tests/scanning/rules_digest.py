"""The digest of everything that decides what a scan finds. A test compares it with the version that is stated."""

import hashlib
from pathlib import Path
from typing import Final

import packyard.scanning

_FOLDER: Final = Path(packyard.scanning.__file__).parent


def digest_of_rules() -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the rules, the lists and the modules that apply them."""
    whole = hashlib.sha256()
    for file in sorted(_FOLDER.rglob("*")):
        if file.suffix in (".toml", ".txt") or (file.suffix == ".py" and file.name != "rules_version.py"):
            whole.update(f"{file.relative_to(_FOLDER).as_posix()}\0".encode() + file.read_bytes())
    return whole.hexdigest()[:16]
