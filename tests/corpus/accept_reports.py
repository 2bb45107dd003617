"""Archives of honest tools that some strict reader has refused. All readers agree on their content, so we accept them.

Each is made after somebody's report, or after what the tool is seen to write.
"""

from tests.corpus.accept_cases import GUIDE, LONG_PATH, MANIFEST, PACK, packed
from tests.corpus.gzip_bytes import gzipped
from tests.corpus.tar_bytes import (
    GNU,
    base_256,
    directory,
    file,
    gnu_long,
    header,
    link,
    padded,
    pax,
    pax_path,
    record,
    records,
)

_GO_DIRECTORY_BIT = 1 << 31
_MIB = 1 << 20


def _names() -> dict[str, bytes]:
    return {
        # What `tar -c folder//pack.yaml`, `tar -c ./folder/./guides` and `tar --transform` write.
        "name-with-two-slashes": packed(
            file("slack//pack.yaml", MANIFEST), file("slack//guides///a.md", b"a")
        ),
        "name-with-dots-inside": packed(
            file("././pack.yaml", MANIFEST), directory("./guides/./"), file("guides/./a.md", b"a")
        ),
        "name-with-two-trailing-slashes": packed(PACK, directory("data//")),
        "name-with-a-dot-and-two-slashes": packed(file(".//pack.yaml", MANIFEST), file(".//data/a", b"a")),
        "hard-link-to-a-name-with-two-slashes": packed(PACK, file("data/a", b"a"), link("data/b", "data//a")),
    }


def _headers() -> dict[str, bytes]:
    middle = "p/" + "m" * 100
    return {
        # .NET's TarWriter leaves the size of an empty file unset: dotnet/runtime #95354.
        "size-and-mode-of-zeros": packed(PACK, header(b"data/a", size=bytes(12), mode=bytes(8))),
        "size-and-mode-blank": packed(PACK, header(b"data/a", size=b" " * 11 + b"\0", mode=b" " * 7 + b"\0")),
        "size-of-zeros-of-a-directory": packed(PACK, header(b"data/", size=bytes(12), kind=b"5", magic=GNU)),
        # pub.dev (COMPRESS-699), Maven's plexus-archiver, Docker's old writer, Ant and JRuby: composefs/tar-rs PR #471.
        **{
            f"ustar-with-version-{name}": packed(PACK, header(b"data/a", magic=b"ustar\0" + version))
            for name, version in (
                *(("of-zeros", b"\0\0"), ("zero-blank", b"0 "), ("blank-zero", b" \0"), ("of-blanks", b"  ")),
                ("one", b"01"),
            )
        },
        "format-that-nobody-knows": packed(PACK, header(b"data/a", magic=b"tarball\0")),
        # archiver's tar-stream 3.2.2, Python's USTAR_FORMAT and GNU cpio split "long/path/" at its last slash.
        "ustar-directory-in-the-prefix-alone": packed(
            PACK, directory("guides/"), header(b"", kind=b"5", prefix=b"guides/" + middle.encode())
        ),
        # Go programs write all of an os.FileMode: hashicorp/go-slug.
        "mode-with-go-s-directory-bit": packed(
            PACK, header(b"data/", kind=b"5", mode=base_256(_GO_DIRECTORY_BIT | 0o755, width=8), magic=GNU)
        ),
        "mode-in-base-256": packed(
            PACK,
            header(b"scripts/a", mode=base_256(0o755, width=8), magic=GNU),
            header(b"data/a", mode=base_256(0o644, width=8), magic=GNU),
        ),
        # Maven's plexus-archiver (tar-stream's space.tar); AIX tar (commons-compress' simple-aix-native-tar.tar).
        "owner-blank": packed(PACK, header(b"data/a", uid=b" " * 7 + b"\0")),
        "time-after-a-zero-byte": packed(PACK, header(b"data/a", mtime=b"\x000000000007 ")),
        "numbers-with-something-behind-their-end": packed(
            PACK,
            header(b"data/a", size=b"3\0garbage", mode=b"755\0abc", mtime=b"7\0garbage") + padded(b"abc"),
        ),
        "largest-owner": packed(PACK, header(b"data/a", uid=base_256(2**32 - 1, width=8), magic=GNU)),
        "text-behind-the-prefix-s-place": packed(PACK, header(b"data/a", magic=GNU, tail=b"x" * 12)),
        # nanotar 0.3 (unjs/nanotar #71), Go programs that do not close their writer, quay/claircore #683.
        "no-end-marker": gzipped(PACK + GUIDE),
        "no-end-marker-after-a-directory": gzipped(PACK + directory("guides/")),
    }


def _extensions() -> dict[str, bytes]:
    times = pax(record("mtime", "1700000000.5"))
    return {
        # Perl's Archive::Tar, Haskell's tar, .NET 7 to 9: dotnet/runtime PR #114940.
        **{
            f"gnu-long-name-of-{length}-bytes-without-its-end": packed(
                PACK, _gnu_long_without_end(_long("data", length), b"L"), file(b"data/short", b"a", magic=GNU)
            )
            for length in (101, 511, 512, 513)
        },
        "gnu-long-link-without-its-end": packed(
            PACK,
            gnu_long(LONG_PATH),
            file(LONG_PATH[:100], b"a", magic=GNU),
            _gnu_long_without_end(LONG_PATH.encode(), b"K"),
            link(b"data/b", LONG_PATH[:100], magic=GNU),
        ),
        # commons-compress with LONGFILE_GNU and BIGNUMBER_POSIX, as Maven's tarLongFileMode=gnu has it.
        "gnu-long-name-then-pax-times": packed(
            PACK, gnu_long(LONG_PATH), times, file(LONG_PATH[:100], b"a", magic=GNU)
        ),
        "pax-times-then-gnu-long-name": packed(
            PACK, times, gnu_long(LONG_PATH), file(LONG_PATH[:100], b"a", magic=GNU)
        ),
        "gnu-long-link-then-pax-path": packed(
            PACK,
            file("data/a", b"a"),
            gnu_long("data/a", kind=b"K"),
            pax_path(LONG_PATH),
            link("x", "y", magic=GNU),
        ),
        # macOS stores resource forks, quarantine and Finder's data twice: libarchive #1987.
        "pax-attributes-of-70-kilobytes": packed(
            PACK,
            pax(
                records(
                    [
                        ("LIBARCHIVE.xattr.com.apple.ResourceFork", b"QUJD" * 10_000),
                        ("SCHILY.xattr.com.apple.ResourceFork", b"ABC\n" * 7_500),
                        ("path", "guides/Über.md"),
                    ]
                )
            ),
            file("guides/U", b"a"),
        ),
        "pax-header-of-a-mebibyte": packed(
            PACK, pax(_record_of("comment", _MIB // 2) * 2), file("data/a", b"a")
        ),
        # npm 1 to 4 (fstream-npm) put package.json into NODETAR records: fbjs-0.8.17.
        "pax-records-by-the-hundred": packed(
            PACK,
            pax(records((f"NODETAR.package.key{n}", "value") for n in range(1024))),
            file("data/a", b"a"),
        ),
        # POSIX: the last one counts.
        "pax-record-twice": packed(
            PACK, pax(record("path", "data/b") + record("path", "data/c")), file("x", b"a")
        ),
        "pax-link-name-field": packed(
            PACK,
            header(b"PaxHeaders/0", size=13, kind=b"x", link=b"x") + padded(record("mtime", "1.5")),
            file("data/a"),
        ),
        "pax-access-list-that-says-what-the-mode-says": packed(
            PACK,
            pax(
                record(
                    "SCHILY.acl.access", "user::rwx\nuser:lisa:r-x:502\ngroup::r-x\nmask::r-x\nother::r-x\n"
                )
            ),
            file("scripts/a", b"a", mode=0o755),
            pax(record("SCHILY.acl.access", "user::rw-,group::r--,other::r--")),
            directory("data/"),
        ),
    }


def _members() -> dict[str, bytes]:
    icon = file(b"guides/Icon\r", b"")
    return {
        # bun, pnpm, Guix, cp -l: npm/pacote #285.
        "manifest-is-a-hard-link": packed(file("data/p", MANIFEST), link("pack.yaml", "data/p")),
        "manifest-is-a-hard-link-in-a-wrapper": packed(
            file("w/data/p", MANIFEST), link("w/pack.yaml", "w/data/p")
        ),
        "manifest-is-a-hard-link-to-a-hard-link": packed(
            file("data/p", MANIFEST), link("data/q", "data/p"), link("pack.yaml", "data/q")
        ),
        # tar with overlapping arguments: tar-rs' fixture duplicate_dirs.tar.
        "directory-twice": packed(
            PACK, directory("data/"), directory("data"), file("data/a"), directory("data/")
        ),
        "root-twice": packed(directory("./"), directory("."), PACK),
        # Finder's folder with a picture (MacPacker #216), Explorer's previews and settings.
        "litter-of-finder-and-explorer": packed(
            PACK,
            GUIDE,
            icon,
            *(
                file(name, b"x")
                for name in ("Thumbs.db", "data/thumbs.db", "desktop.ini", "guides/Desktop.ini")
            ),
        ),
        "litter-that-is-a-hard-link-to-litter": packed(
            PACK,
            file("._a", b"x"),
            link("guides/._a", "._a"),
            GUIDE,
            link("data/.DS_Store", "guides/start.md"),
        ),
        # Decision 31.
        "names-that-windows-cannot-hold": packed(
            PACK,
            *(
                file(f"data/{name}", name.encode())
                for name in ("aux.md", "NUL", "com1", "a.", "b ", "a:b", "what?", "<a>|b")
            ),
        ),
        "names-differing-in-case-of-directories": packed(
            PACK, file("data/A/x", b"1"), file("data/a/x", b"2")
        ),
    }


def _long(folder: str, length: int) -> bytes:
    """A path of so many bytes, no name of which is too long."""
    path = folder + "/" + "/".join(["n" * 99] * 20)
    return path[:length].rstrip("/").ljust(length, "e").encode()


def _gnu_long_without_end(text: bytes, kind: bytes) -> bytes:
    return header(b"././@LongLink", size=len(text), kind=kind, magic=GNU) + padded(text)


def _record_of(key: str, size: int) -> bytes:
    """A record of so many bytes."""
    value = "x" * size
    return record(key, value[: size - (len(record(key, value)) - size)])


def accepted_after_reports() -> dict[str, bytes]:
    """Every archive of this kind, by name."""
    return _names() | _headers() | _extensions() | _members()
