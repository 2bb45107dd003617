"""A file that is written into a new folder, or taken over, is what its digest says, and has its own mode and owner."""

import hashlib
import io
import os
from pathlib import Path

import pytest

from packyard_cli.archive import HashedFile
from packyard_cli.new_tree import NewTree

_CONTENT = b"# Post a message\n"
_LARGE = bytes(range(256)) * (20 << 10)


def _file(content: bytes = _CONTENT, *, path: str = "guides/post.md", mode: int = 0o644) -> HashedFile:
    return HashedFile(path=path, size=len(content), mode=mode, sha256=hashlib.sha256(content).hexdigest())


@pytest.fixture
def tree(tmp_path: Path) -> NewTree:
    (tmp_path / "new").mkdir()
    return NewTree(tmp_path / "new")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    place = tmp_path / "before"
    place.write_bytes(_CONTENT)
    place.chmod(0o644)
    return place


@pytest.mark.parametrize("content", [b"", _CONTENT, _LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_a_file_is_written_with_its_mode(tree: NewTree, tmp_path: Path, content: bytes, mode: int) -> None:
    assert tree.write(_file(content, mode=mode), io.BytesIO(content).read)

    place = tmp_path / "new" / "guides" / "post.md"
    assert place.read_bytes() == content
    assert place.stat().st_mode & 0o7777 == mode
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["guides"]


@pytest.mark.parametrize("content", [_CONTENT, _LARGE], ids=["small", "large"])
def test_other_content_gets_no_name(tree: NewTree, tmp_path: Path, content: bytes) -> None:
    assert not tree.write(_file(content), io.BytesIO(content[::-1]).read)

    assert list((tmp_path / "new").iterdir()) == []


def test_the_same_file_from_two_layers_is_written_once(tree: NewTree, tmp_path: Path) -> None:
    for _ in range(2):
        assert tree.write(_file(), io.BytesIO(_CONTENT).read)

    assert (tmp_path / "new" / "guides" / "post.md").read_bytes() == _CONTENT


def test_a_file_is_taken_over_by_a_link(tree: NewTree, tmp_path: Path, source: Path) -> None:
    assert tree.take(str(source), _file())

    assert (tmp_path / "new" / "guides" / "post.md").samefile(source)


@pytest.mark.parametrize("mode", [0o600, 0o755, 0o4644, 0o2644, 0o1644, 0o6755])
def test_a_file_of_another_mode_is_copied(tree: NewTree, tmp_path: Path, source: Path, mode: int) -> None:
    source.chmod(mode)

    assert tree.take(str(source), _file())

    place = tmp_path / "new" / "guides" / "post.md"
    assert place.stat().st_mode & 0o7777 == 0o644
    assert place.read_bytes() == _CONTENT
    assert source.stat().st_mode & 0o7777 == mode


def test_a_file_of_another_owner_is_copied(
    tree: NewTree, tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: os.lstat(source).st_uid + 1)

    assert tree.take(str(source), _file())

    assert not (tmp_path / "new" / "guides" / "post.md").samefile(source)


def test_where_there_are_no_links_a_file_is_copied(
    tree: NewTree, tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", refuse)

    assert tree.take(str(source), _file())

    assert (tmp_path / "new" / "guides" / "post.md").read_bytes() == _CONTENT


def test_what_is_not_that_file_is_not_taken(tree: NewTree, tmp_path: Path, source: Path) -> None:
    link, other = tmp_path / "link", tmp_path / "other"
    link.symlink_to(source)
    other.write_bytes(_CONTENT[::-1])
    os.mkfifo(tmp_path / "pipe")

    taken = [tree.take(str(tmp_path / name), _file()) for name in ("link", "other", "absent", "pipe", ".")]

    assert taken == [False] * 5
    assert list((tmp_path / "new").rglob("*.md")) == []
