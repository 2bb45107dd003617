"""Folders that cannot be replaced as a whole are refused before anything is fetched, with what helps."""

import errno
from pathlib import Path

import pytest

from packyard_cli.failure import Exit, Failure
from packyard_cli.installation import Installation
from packyard_cli.lock_document import LOCK_FILE


def _refused(folder: Path) -> Failure:
    with pytest.raises(Failure) as refused, Installation.to_fill(folder) as installation:
        installation.require_replaceable()
    return refused.value


def test_a_mount_point_is_refused_with_a_folder_inside_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "is_mount", lambda path: path == tmp_path)

    failure = _refused(tmp_path)

    assert failure.exit_code is Exit.DISK
    assert str(tmp_path / "packs") in failure.advice


@pytest.mark.parametrize("below", [".", "guides"])
def test_the_folder_in_which_the_command_runs_is_not_taken_from_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    (tmp_path / "packs" / "guides").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "packs" / below)

    assert _refused(tmp_path / "packs").exit_code is Exit.CONFLICT
    assert list(tmp_path.iterdir()) == [tmp_path / "packs"]


def test_a_link_to_itself_is_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    # Since Python 3.13, such a link is what a file is.
    assert _refused(loop).exit_code in {Exit.USAGE, Exit.DISK}


def test_a_damaged_lock_in_an_installation_is_answered_with_what_helps_there(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / LOCK_FILE).write_text("{")

    with pytest.raises(Failure) as refused:
        Installation.at(tmp_path / "packs").require_lock()

    assert refused.value.advice == f"packyard install ROLE --into {tmp_path / 'packs'} puts it right."


def test_a_folder_of_a_container_s_image_cannot_be_replaced_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / LOCK_FILE).write_text("{}")

    def refuse(place: Path, _: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(place))

    monkeypatch.setattr(Path, "rename", refuse)

    with (
        pytest.raises(Failure, match="part of the container's image") as refused,
        Installation.to_fill(tmp_path / "packs") as installation,
        installation.replaced(),
    ):
        pass

    assert refused.value.exit_code is Exit.DISK
    assert [place.name for place in tmp_path.iterdir()] == ["packs"]
    assert (tmp_path / "packs" / LOCK_FILE).read_text() == "{}"
