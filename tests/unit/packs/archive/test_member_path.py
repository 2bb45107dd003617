import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packyard.packs.archive import member_path
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import is_litter, parse_member_path, shown

LIMITS = ArchiveLimits()


def _parse(name: str | bytes, *, directory: bool = False, limits: ArchiveLimits = LIMITS) -> str:
    raw = name.encode() if isinstance(name, str) else name
    return parse_member_path(raw, directory=directory, limits=limits)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("pack.yaml", "pack.yaml"),
        ("./pack.yaml", "pack.yaml"),
        ("guides/a b.md", "guides/a b.md"),
        ("guides/naïve/日本語", "guides/naïve/日本語"),
        ("guides/e\u0301", "guides/e\u0301"),
        ("guides/...", "guides/..."),
        ("guides/.hidden", "guides/.hidden"),
        ("guides/x.wh.y", "guides/x.wh.y"),
        ("guides/ ", "guides/ "),
        ("C:", "C:"),
        # What `tar folder//a`, `tar .//a` and `tar ./folder/./a` write.
        ("a//b", "a/b"),
        (".//a", "a"),
        ("a/./b", "a/b"),
        ("././a", "a"),
        ("n" * 255, "n" * 255),
        ("é" * 127, "é" * 127),
    ],
)
def test_a_relative_path_is_kept_as_it_is_spelled(name: str, path: str) -> None:
    assert _parse(name) == path


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", "a"),
        ("a/", "a"),
        ("./a/", "a"),
        ("a/b/", "a/b"),
        ("a//", "a"),
        (".", ""),
        ("./", ""),
        ("./.", ""),
    ],
)
def test_a_directory_may_end_in_a_slash_and_be_the_root(name: str, path: str) -> None:
    assert _parse(name, directory=True) == path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "no name at its end"),
        (".", "no name at its end"),
        ("..", "segment"),
        ("/", "absolute"),
        ("/etc/passwd", "absolute"),
        ("a/", "no name at its end"),
        ("a/.", "no name at its end"),
        ("a/../b", "'..' as a segment"),
        ("a/Icon\rx", "control character"),
        ("a\\b", "backslash"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\x7f", "control character"),
        ("a\x80", "control character"),
        ("a\x9f", "control character"),
        (b"a\xff", "UTF-8"),
        (b"\xed\xb2\x80", "UTF-8"),
        (".wh.a", "deletion"),
        ("a/.wh..wh..opq", "deletion"),
        (".wh.a/b", "deletion"),
        ("n" * 256, "over 255 bytes"),
        ("é" * 128, "over 255 bytes"),
        ("/".join(["p" * 120] * 9), "over 1024 bytes"),
        ("/".join("d" * 33), "over 32 levels"),
    ],
)
def test_a_path_that_packs_may_not_have_is_refused_with_the_reason(name: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        _parse(name)


@pytest.mark.parametrize("name", ["//", "/", "..", "../", "./..", "/."])
def test_a_directory_that_packs_may_not_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="the path"):
        _parse(name, directory=True)


def test_the_limits_are_those_given() -> None:
    limits = ArchiveLimits(path_bytes=5, path_depth=2)
    assert _parse("./a/b", limits=limits) == "a/b"
    assert _parse("a/bcd", limits=limits) == "a/bcd"
    with pytest.raises(ValueError, match="over 5 bytes"):
        _parse("a/bcde", limits=limits)
    with pytest.raises(ValueError, match="over 2 levels"):
        _parse("a/b/c", limits=limits)


@pytest.mark.parametrize(
    "path",
    [
        *(
            ".DS_Store",
            "a/.DS_Store",
            "._a",
            "a/._b",
            "a/._b/c",
            "__MACOSX",
            "__MACOSX/a",
            "w/__MACOSX/a",
            "._",
        ),
        *("Icon\r", "a/Icon\r", "Thumbs.db", "a/thumbs.db", "desktop.ini", "a/Desktop.ini"),
    ],
)
def test_what_desktops_add_is_litter(path: str) -> None:
    assert is_litter(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "a", ".DS_Store2", "DS_Store", "a._b", "__MACOSX2", "a/_._", ".ds_store"),
        *("Icon", "icon\r", "Icon\rs", "Thumbs.db2", "a.desktop.ini", "Thumbs-db"),
    ],
)
def test_what_only_looks_like_it_is_not(path: str) -> None:
    assert not is_litter(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"guides/a.md", "guides/a.md"),
        ("é 日本".encode(), "é 日本"),
        (b"a\nb\x1b\x7f", "a\\nb\\x1b\\x7f"),
        (b"a\\n", "a\\\\n"),
        (b"\xff\xe9", "\\xff\\xe9"),
        ("\u202egnp.exe\u2028".encode(), "\\u202egnp.exe\\u2028"),
        (b"x" * 200, "x" * 200),
        (b"a" * 150 + b"b" * 150, "a" * 100 + "…" + "b" * 100),
    ],
)
def test_names_are_shown_so_that_they_can_be_distinguished(name: bytes, text: str) -> None:
    assert shown(name) == text


@given(
    st.binary(max_size=500) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_name_is_shown_short_and_without_controls(name: bytes) -> None:
    text = shown(name)
    assert len(text) <= 4 * 200 + 1
    assert not set(text) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E)}
    assert text.encode() or not name


@given(st.binary(max_size=60), st.booleans())
def test_whatever_is_taken_is_a_clean_relative_path(name: bytes, directory: bool) -> None:
    try:
        path = _parse(name, directory=directory)
    except ValueError:
        return
    assert path or directory
    assert not {"", ".", ".."} & set(path.split("/")) or not path
    assert (
        path.encode().split(b"/") == [part for part in name.split(b"/") if part not in (b"", b".")]
        or not path
    )


_SEGMENTS = st.text("aZ09_-. +~\\/\0é", max_size=6) | st.sampled_from(
    ["..", ".", ".wh.a", "a" * 100, "a" * 256]
)


@given(path=st.lists(_SEGMENTS, max_size=20).map("/".join), directory=st.booleans())
def test_plain_names_need_no_checks_and_get_the_same_answer(path: str, directory: bool) -> None:
    def answer() -> str:
        try:
            return _parse(path, directory=directory)
        except ValueError as error:
            return str(error)

    quick = answer()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(member_path, "_PLAIN", re.compile(rb"(?!)"))
        assert answer() == quick
