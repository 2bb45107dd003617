"""Archives that readers read differently, by other projects' tests and reports, and truncated archives."""

from tests.corpus.accept_cases import GUIDE, PACK, packed
from tests.corpus.gzip_bytes import gzipped
from tests.corpus.tar_bytes import (
    END,
    GNU,
    base_256,
    file,
    gnu_long,
    header,
    link,
    padded,
    pax,
    record,
)

Case = tuple[bytes, str]


def _headers() -> dict[str, bytes]:
    digits = header(b"data/a")[148:154]
    return {
        # node-tar looks for a prefix only with version 00.
        **{
            f"prefix-with-version-{name}": header(b"a", prefix=b"data", magic=b"ustar\0" + version)
            for name, version in (("of-zeros", b"\0\0"), ("of-blanks", b"  "), ("one", b"01"))
        },
        # .NET before 10: dotnet/docs #46465. Python and busybox read the times as a path.
        "gnu-with-times": header(b"data/a", prefix=b"14400000000\x0014400000000\0", magic=GNU),
        "prefix-then-times-that-are-none": header(b"a", prefix=b"data" + bytes(127) + b"\xc3" * 12),
        "xstar-with-times-that-are-none": header(
            b"a", prefix=b"data" + bytes(127) + b"x" * 12, tail=bytes(8) + b"tar\0"
        ),
        "size-of-blanks": header(b"data/a", size=b" " * 12),
        "owner-of-blanks": header(b"data/a", uid=b" " * 8),
        # node-tar reads a checksum on into the next field, and a name on past its NUL if a line break follows.
        "checksum-without-an-end": header(b"data/a", checksum=b"00" + digits),
        "line-break-behind-the-end-of-a-name": header(b"data/a\0x\ny"),
        "link-name-on-a-file": header(b"data/a", link=b"pack.yaml"),
        "link-name-on-a-directory": header(b"data/", kind=b"5", link=b"x"),
        "link-name-on-a-long-name": header(b"././@LongLink", size=7, kind=b"L", magic=GNU, link=b"x")
        + padded(b"data/b\0")
        + header(b"data/a"),
        # GNU tar fails on it.
        "owner-negative": header(b"data/a", uid=base_256(-2, width=8), magic=GNU),
        "owner-beyond-32-bits": header(b"data/a", uid=base_256(2**32, width=8), magic=GNU),
        # node-tar leaves the member out.
        "time-beyond-53-bits": header(b"data/a", mtime=base_256(2**60, width=12), magic=GNU),
        "mode-after-a-zero-byte": header(b"data/a", mode=b"\x00000755"),
        "mode-negative": header(b"data/a", mode=base_256(-1, width=8), magic=GNU),
    }


def _records() -> dict[str, bytes]:
    leaf = file("data/a", b"a")
    numbers = {
        "mtime-empty": ("mtime", ""),
        "mtime-not-a-number": ("mtime", "yesterday"),
        "mtime-with-a-plus": ("mtime", "+1"),
        "mtime-beyond-64-bits": ("mtime", "9" * 19),
        "atime-not-a-number": ("atime", "."),
        "ctime-not-a-number": ("ctime", "-"),
        "uid-negative": ("uid", "-1"),
        "uid-beyond-32-bits": ("uid", str(2**32)),
        "gid-empty": ("gid", ""),
        "owner-with-a-zero-byte": ("uname", "a\0b"),
        "label-of-a-volume": ("GNU.volume.label", "pack"),
        "attribute-of-a-megabyte": ("SCHILY.xattr.user.a", "x" * 1_000_000),
        "value-with-a-record-in-it": ("comment", "x\n20 path=data/zzzzzz\n"),
    }
    return {
        **{f"pax-{name}": pax(record(*pair)) + leaf for name, pair in numbers.items()},
        **{f"global-{name}": pax(record(*pair), kind=b"g") + leaf for name, pair in numbers.items()},
        # New versions of libarchive fail on it.
        "pax-header-that-is-empty": pax(b"") + leaf,
        "global-header-that-is-empty": pax(b"", kind=b"g") + leaf,
        "global-access-list": pax(record("SCHILY.acl.access", "user::rw-"), kind=b"g") + leaf,
        "gnu-link-then-pax-link": gnu_long("pack.yaml", kind=b"K")
        + pax(record("linkpath", "pack.yaml"))
        + link("data/a", "pack.yaml"),
    }


def _access_lists() -> dict[str, bytes]:
    """libarchive lets the list replace the mode; HEAD does so with that of NFSv4 too."""
    script, note = file("data/a", b"a", mode=0o755), file("data/a", b"a")
    plain, executable = "user::rw-,group::r--,other::r--", "user::rwx,group::r--,other::r--"
    masked = "user::rw-,user:lisa:rwx:502,group::r--,mask::rwx,other::r--"
    nfs4 = "owner@:rwxp--aARWcCos:-------:allow,everyone@:r-----a-R-c--s:-------:allow"
    return {
        "access-list-that-makes-executable": pax(record("SCHILY.acl.access", executable)) + note,
        "access-list-that-takes-that-away": pax(record("SCHILY.acl.access", plain)) + script,
        "access-list-whose-mask-is-in-the-mode": pax(record("SCHILY.acl.access", masked)) + script,
        "access-list-that-cannot-be-read": pax(record("SCHILY.acl.access", "who knows")) + note,
        "access-list-of-nfs4": pax(record("SCHILY.acl.ace", nfs4)) + note,
        "access-list-of-nfs4-that-cannot-be-read": pax(record("SCHILY.acl.ace", "x")) + note,
    }


def _ends() -> dict[str, bytes]:
    """Go continues after a single zero block, and treats zeros after a gzip file as damage."""
    return {
        "no-end-and-half-a-block": gzipped(PACK + bytes(256)),
        "no-end-and-three-bytes": gzipped(PACK + GUIDE[:3]),
        "no-end-and-zeros-after-gzip": gzipped(PACK) + bytes(512),
        "one-end-block-and-zeros-after-gzip": gzipped(PACK + bytes(512)) + bytes(512),
        "one-end-block-and-a-half": gzipped(PACK + bytes(700)),
        "newline-after-the-end": gzipped(PACK + END + b"\n"),
    }


def _members() -> dict[str, Case]:
    links = (link(f"node_modules/.bin/{number}", "../x", kind=b"2") for number in range(150))
    return {
        "forbidden-folder-of-many-faults": (
            packed(file("node_modules/x"), *links, PACK),
            "archive:node_modules",
        ),
        "forbidden-folder-of-many-faults-in-a-wrapper": (
            packed(
                file("w/.venv/x"),
                *(link(f"w/.venv/bin/{number}", "/usr/bin/x", kind=b"2") for number in range(150)),
                file("w/pack.yaml", b"name: slack\nversion: 1.4.0\n"),
            ),
            "archive:w/.venv",
        ),
        "litter-that-is-a-hard-link-to-nothing": (packed(PACK, link("._a", "data/a")), "archive:._a"),
        "litter-that-is-a-hard-link-to-itself": (
            packed(PACK, file("._a"), link("._a", "._a")),
            "archive:._a",
        ),
        **{name: (packed(PACK, tar), "archive:data/a") for name, tar in _access_lists().items()},
    }


def rejected_after_reports() -> dict[str, Case]:
    """Every archive of this kind, by name, with the field that its refusal names."""
    whole = {name: packed(PACK, tar) for name, tar in (_headers() | _records()).items()} | _ends()
    return {name: (archive, "archive") for name, archive in whole.items()} | _members()
