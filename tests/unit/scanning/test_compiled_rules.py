"""Compiled rules in a file: used when they fit, and made again when they do not."""

from pathlib import Path

from packyard.scanning.catalogue import load_rules
from packyard.scanning.compiled_rules import engine_from
from packyard.scanning.engine import Match

RULES = [load_rules()["script.miner"]]
CONTENT = b"stratum+tcp://pool.invalid"
FOUND = [Match("script.miner", 0, 14)]


def test_compiled_rules_are_kept_and_find_the_same(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "rules.bin"
    engine_from(file, keep=True, rules=RULES)
    kept = file.stat().st_ino

    assert engine_from(file, keep=True, rules=RULES).find(CONTENT, seconds=1).matches == FOUND
    assert file.stat().st_ino == kept
    assert [entry.name for entry in file.parent.iterdir()] == ["rules.bin"]


def test_a_damaged_or_foreign_file_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "rules.bin"
    engine_from(file, keep=True, rules=RULES)
    whole = file.read_bytes()
    for other in (b"", b"something else", whole[: len(whole) // 2]):
        file.write_bytes(other)

        assert engine_from(file, keep=True, rules=RULES).find(CONTENT, seconds=1).matches == FOUND
        assert engine_from(file, rules=RULES).find(CONTENT, seconds=1).matches == FOUND
    assert file.read_bytes().startswith(b"packyard rules ")


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    engine = engine_from(tmp_path / "file" / "rules.bin", keep=True, rules=RULES)

    assert engine.find(CONTENT, seconds=1).matches == FOUND
