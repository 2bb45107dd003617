"""One process at a time fills a folder."""

import errno
import re
from pathlib import Path

import pytest

from packyard_cli import folder_lock
from packyard_cli.failure import Exit, Failure
from packyard_cli.folder_lock import locked
from packyard_cli.installation import Installation


def test_the_second_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    folder = tmp_path / "packs"

    with locked(folder) as alone:
        assert alone
        with pytest.raises(Failure) as refused, locked(folder):
            pass
        with locked(tmp_path / "other"):
            pass

    assert refused.value.exit_code is Exit.CONFLICT
    assert str(folder) in refused.value.message
    with locked(folder):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = tmp_path / "packs", folder_lock.take_lock
    removed: list[Path] = []

    def remove_first(descriptor: int) -> None:
        if not removed:
            # The holder before ends after this process has opened its file.
            removed.append(tmp_path / ".packs.packyard-lock")
            removed[0].unlink()
        real(descriptor)

    monkeypatch.setattr(folder_lock, "take_lock", remove_first)

    with locked(folder), pytest.raises(Failure), locked(folder):
        pass
    assert removed


@pytest.mark.parametrize(
    ("number", "goes_on"), [(errno.ENOLCK, True), (errno.ENOSYS, True), (errno.EIO, False)]
)
def test_a_file_system_without_locks_is_used_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, goes_on: bool
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(folder_lock, "take_lock", refuse)

    if goes_on:
        with locked(tmp_path / "packs") as alone:
            assert not alone
    else:
        with pytest.raises(OSError, match="no"), locked(tmp_path / "packs"):
            pass


def test_nobody_moves_an_installation_back_while_it_is_being_replaced(tmp_path: Path) -> None:
    folder, away = tmp_path / "packs", tmp_path / ".packs.packyard-old-x"
    away.mkdir()

    with locked(folder), pytest.raises(Failure) as refused:
        Installation.at(folder)

    assert refused.value.exit_code is Exit.CONFLICT
    assert away.exists()
    Installation.at(folder)
    assert [place.name for place in tmp_path.iterdir()] == ["packs"]


def test_what_killed_processes_have_left_is_removed_by_the_next_install(tmp_path: Path) -> None:
    for name in ("packs", ".packs.packyard-new-a", ".packs.packyard-old-b", ".others.packyard-new-c"):
        (tmp_path / name).mkdir()

    with Installation.to_fill(tmp_path / "packs"):
        pass

    assert {place.name for place in tmp_path.iterdir()} == {"packs", ".others.packyard-new-c"}


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_parent_that_cannot_be_written_is_named_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(place: Path, *_: object) -> int:
        raise OSError(number, "no", str(place))

    monkeypatch.setattr("os.open", refuse)

    with (
        pytest.raises(Failure, match=re.escape(f"{tmp_path} cannot be written (no)")) as refused,
        locked(tmp_path / "packs"),
    ):
        pass

    assert refused.value.exit_code is Exit.DISK
    assert str(tmp_path) in refused.value.advice
