"""Archives that are packs: what people's tools write, and what the contract's limits just allow."""

import io
import tarfile

from tests.corpus import manifests, skills
from tests.corpus.gzip_bytes import deflated, gzipped, stored_blocks, trailer, with_fields, zeros_gzipped
from tests.corpus.tar_bytes import (
    END,
    GNU,
    V7,
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

MANIFEST = b"name: slack\nversion: 1.4.0\n"
PACK = file("pack.yaml", MANIFEST)
GUIDE = file("guides/start.md", b"# Start\n")

LONG_PATH = "guides/" + "/".join(["a" * 99] * 3)
LONGEST_PATH = "/".join(["guides", *["p" * 101] * 9, "p" * 99])
DEEPEST_PATH = "/".join(["guides", *"d" * 30, "leaf.md"])


# Above this, a committed archive is worth compressing.
_LARGE = 16 * 1024


def packed(*members: bytes) -> bytes:
    tar = b"".join(members) + END
    return deflated(tar) if len(tar) > _LARGE else gzipped(tar)


def _layouts() -> dict[str, bytes]:
    return {
        "only-the-manifest": packed(PACK),
        "every-top-level-entry": packed(
            PACK,
            *(file(name, name.encode()) for name in ("behavior.md", "README.md", "LICENSE")),
            *(file(f"{name}/a.txt", b"a") for name in ("guides", "scripts", "data", "templates", "skills")),
        ),
        "wrapped": packed(
            directory("slack/"), file("slack/pack.yaml", MANIFEST), file("slack/guides/a.md", b"a")
        ),
        "wrapped-without-a-member-for-the-wrapper": packed(
            file("slack-1.4.0/guides/a.md", b"a"), file("slack-1.4.0/pack.yaml", MANIFEST)
        ),
        "wrapper-named-like-a-top-level-entry": packed(
            file("guides/pack.yaml", MANIFEST), file("guides/guides/a.md", b"a")
        ),
        "wrapper-named-like-the-manifest": packed(file("pack.yaml/pack.yaml", MANIFEST)),
        "wrapper-with-a-name-beyond-ascii": packed(
            file("パック/pack.yaml", MANIFEST), file("パック/data/é", b"")
        ),
        "from-tar-dot": packed(
            directory("./"),
            file("./pack.yaml", MANIFEST),
            directory("./guides/"),
            file("./guides/a.md", b"a"),
        ),
        "from-tar-dot-without-slash": packed(directory("."), file("./pack.yaml", MANIFEST)),
        "wrapped-from-tar-dot": packed(directory("./"), directory("./w/"), file("./w/pack.yaml", MANIFEST)),
        "manifest-last": packed(GUIDE, file("README.md", b"hello"), PACK),
        "manifest-last-in-a-wrapper": packed(file("w/README.md", b"hello"), file("w/pack.yaml", MANIFEST)),
        "another-manifest-in-data": packed(
            file("data/pack.yaml", b"{"), PACK, file("data/x/pack.yaml", b"{")
        ),
        "empty-directories": packed(PACK, directory("guides/"), directory("data/a/b/c/")),
        "directories-without-trailing-slash": packed(PACK, directory("guides"), directory("guides/a")),
        "directories-after-their-files": packed(PACK, GUIDE, directory("guides/")),
        "empty-file": packed(PACK, file("data/empty", b"")),
        "sizes-around-a-block": packed(
            PACK, *(file(f"data/{size}", b"x" * size) for size in (1, 511, 512, 513))
        ),
        "content-that-looks-like-a-tar": packed(PACK, file("data/inner.tar", END + GUIDE + END), GUIDE),
        "file-over-one-megabyte": packed(PACK, file("data/big", b"0123456789abcdef" * 70_000)),
        "largest-manifest": packed(file("pack.yaml", MANIFEST + b"#" * (256 * 1024 - len(MANIFEST)))),
        "most-members": packed(PACK, *(file(f"data/{n:05}") for n in range(19_999))),
        "litter-at-the-root": packed(PACK, file(".DS_Store", b"\0Bud1"), file("._pack.yaml", b"\0\5\x16\7")),
        "litter-beside-the-wrapper": packed(
            file("._w", b"\0\5\x16\7"),
            directory("w/"),
            file("w/pack.yaml", MANIFEST),
            directory("__MACOSX/"),
            file("__MACOSX/w/._pack.yaml", b"\0\5\x16\7"),
        ),
        "litter-deep-down": packed(
            PACK,
            file("guides/.DS_Store", b""),
            file("guides/a/._b.md", b""),
            GUIDE,
            file("data/__MACOSX/x", b""),
        ),
        "litter-twice": packed(PACK, file(".DS_Store", b"1"), file(".DS_Store", b"2")),
    }


def _names() -> dict[str, bytes]:
    return {
        "names-with-spaces-quotes-and-signs": packed(
            PACK,
            *(
                file(f"data/{name}", b"")
                for name in ("a b", "'q'", '"', "$(x)", "*?", "a:b", "%2e", "-rf", " ")
            ),
        ),
        "names-that-look-like-special-ones": packed(
            PACK,
            *(file(f"data/{name}", b"") for name in ("...", "..a", "a.wh.b", ".whiteout", "DS_Store", "_._")),
        ),
        "names-beyond-ascii": packed(PACK, file("data/naïve-😀.md", b""), file("data/日本語/ファイル", b"")),
        "names-decomposed": packed(PACK, file("data/e\u0301.md", b"")),
        "names-with-format-characters": packed(PACK, file("data/a\u2028b\u202ec\ufeff", b"")),
        "names-differing-in-case": packed(PACK, file("guides/a.md", b"1"), file("guides/A.md", b"2")),
        "hidden-files": packed(PACK, file("guides/.gitkeep", b""), file("data/.env.example", b"")),
        "longest-path": packed(PACK, pax_path(LONGEST_PATH), file("x", b"a")),
        "longest-name": packed(PACK, gnu_long("data/" + "n" * 255), file("x", b"a", magic=GNU)),
        "deepest-path": packed(PACK, file(DEEPEST_PATH, b"a")),
        "executable-for-anyone": packed(
            PACK,
            *(file(f"scripts/{mode:o}", b"#!", mode=mode) for mode in (0o100, 0o010, 0o001, 0o755, 0o600, 0)),
        ),
        "special-mode-bits": packed(
            PACK, file("scripts/a", b"", mode=0o6755), file("scripts/b", b"", mode=0o1644)
        ),
        "mode-with-the-file-type": packed(PACK, file("scripts/a", b"", mode=0o100755)),
        "hard-link": packed(
            PACK, file("data/a", b"content", mode=0o755), link("data/b", "data/a", mode=0o755)
        ),
        "hard-link-to-a-hard-link": packed(
            PACK, GUIDE, link("data/b", "guides/start.md"), link("data/c", "data/b")
        ),
        "hard-link-under-tar-dot": packed(PACK, file("./data/a", b"content"), link("./data/b", "./data/a")),
        "hard-link-in-a-wrapper": packed(
            file("w/pack.yaml", MANIFEST), link("w/data/copy.yaml", "w/pack.yaml")
        ),
    }


def _ustar_and_gnu() -> dict[str, bytes]:
    return {
        "ustar-prefix": packed(PACK, header(b"a" * 99, prefix=b"guides/" + b"b" * 99, magic=b"ustar\x0000")),
        "ustar-name-of-100-bytes": packed(PACK, file("data/" + "n" * 95, b"a")),
        "v7": packed(
            header(b"pack.yaml", size=len(MANIFEST), kind=b"\0", magic=V7) + padded(MANIFEST),
            header(b"guides/", kind=b"\0", magic=V7),
            header(b"guides/a.md", kind=b"\0", magic=V7),
        ),
        "old-regular-type-in-ustar": packed(
            PACK, header(b"data/a", kind=b"\0"), header(b"guides/", kind=b"\0")
        ),
        "gnu": packed(file("pack.yaml", MANIFEST, magic=GNU), directory("guides/", magic=GNU)),
        "gnu-long-name": packed(PACK, gnu_long(LONG_PATH), file(LONG_PATH[:100], b"a", magic=GNU)),
        "gnu-long-name-cut-at-a-slash": packed(
            PACK, gnu_long("guides/" + "a" * 92 + "/b"), file("guides/" + "a" * 92 + "/", b"a", magic=GNU)
        ),
        "gnu-long-directory": packed(PACK, gnu_long(LONG_PATH + "/"), directory(LONG_PATH[:100], magic=GNU)),
        "gnu-long-link": packed(
            PACK,
            gnu_long(LONG_PATH),
            file(LONG_PATH[:100], b"a", magic=GNU),
            gnu_long(LONG_PATH, kind=b"K"),
            gnu_long(LONG_PATH + "2"),
            link(LONG_PATH[:100], LONG_PATH[:100], magic=GNU),
        ),
        "size-in-base-256": packed(
            PACK, header(b"data/a", size=base_256(3, width=12), magic=GNU) + padded(b"abc")
        ),
        "size-without-terminator": packed(PACK, header(b"data/a", size=b"000000000003") + padded(b"abc")),
        "size-after-spaces": packed(PACK, header(b"data/a", size=b"         3 \0") + padded(b"abc")),
        "owner-in-base-256": packed(PACK, header(b"data/a", uid=base_256(3_000_000_000, width=8), magic=GNU)),
        "time-before-1970": packed(PACK, header(b"data/a", mtime=base_256(-86_400, width=12), magic=GNU)),
        "owner-time-and-device-unset": packed(
            PACK, header(b"data/a", uid=bytes(8), mtime=bytes(12), device=bytes(8))
        ),
        "text-after-the-end-of-a-later-name": packed(PACK, header(b"data/a\0ignored/../..")),
        "times-behind-the-prefix": packed(
            PACK, header(b"a", prefix=b"data" + bytes(127) + b"14400000000 14400000000 ")
        ),
        "xstar": packed(
            PACK, header(b"a", prefix=b"data" + bytes(127) + b"14400000000 ", tail=bytes(8) + b"tar\0")
        ),
    }


def _pax() -> dict[str, bytes]:
    times = [
        ("mtime", "1700000000.123456789"),
        ("atime", "1700000000"),
        ("ctime", "-1.5"),
        ("uid", "4000000000"),
    ]
    return {
        "pax-path": packed(PACK, pax_path(LONG_PATH), file("guides/shortened", b"a")),
        "pax-path-of-a-directory": packed(PACK, pax_path(LONG_PATH + "/"), directory("guides/shortened/")),
        "pax-link-path": packed(
            PACK,
            pax_path(LONG_PATH),
            file("x", b"a"),
            pax(records([("path", "data/copy"), ("linkpath", LONG_PATH)])),
            link("x", "y"),
        ),
        "pax-times-and-owner": packed(PACK, pax(records(times)), file("data/a", b"a")),
        "pax-size-that-agrees": packed(PACK, pax(record("size", "1")), file("data/a", b"a")),
        "pax-charset-utf-8": packed(
            PACK,
            pax(records([("hdrcharset", "ISO-IR 10646 2000 UTF-8"), ("path", "data/é")])),
            file("x", b""),
        ),
        "pax-charset-binary": packed(
            PACK, pax(records([("hdrcharset", "BINARY"), ("path", "data/é")])), file("x")
        ),
        "pax-extended-attributes": packed(
            pax(
                records(
                    [
                        ("SCHILY.xattr.com.apple.provenance", b"\1\2\0\xff\n"),
                        ("LIBARCHIVE.xattr.com.apple.provenance", "AQIA/w"),
                        ("SCHILY.acl.access", "user::rw-,group::r--,other::r--"),
                        ("LIBARCHIVE.creationtime", "1700000000.5"),
                        ("SCHILY.fflags", "hidden"),
                        ("SCHILY.dev", "16777220"),
                        ("RHT.security.selinux", "unconfined_u:object_r:user_home_t:s0\0"),
                    ]
                )
            ),
            PACK,
        ),
        "pax-large-extended-attribute": packed(pax(record("SCHILY.xattr.user.a", b"x" * 65_000)), PACK),
        "from-git-archive": packed(
            pax(record("comment", "c0ffee" * 6 + "c0ff"), kind=b"g"),
            directory("slack-1.4.0/"),
            file("slack-1.4.0/pack.yaml", MANIFEST, mode=0o664),
        ),
        "global-header-between-members": packed(PACK, pax(record("comment", "x"), kind=b"g"), GUIDE),
        "from-npm-pack": packed(
            file("package/pack.yaml", MANIFEST),
            file("package/README.md", b"hello"),
            file("package/scripts/a.js", b"0"),
        ),
        "from-python-ustar": gzipped(_from_python(tarfile.USTAR_FORMAT)),
        "from-python-gnu": gzipped(_from_python(tarfile.GNU_FORMAT)),
        "from-python-pax": gzipped(_from_python(tarfile.PAX_FORMAT)),
    }


def _from_python(tar_format: int) -> bytes:
    buffer = io.BytesIO()
    long_name = "data/" + "/".join(["n" * 60] * (2 if tar_format == tarfile.USTAR_FORMAT else 5))
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as archive:
        for name, content in (
            ("pack.yaml", MANIFEST),
            (long_name, b"long"),
            ("guides/é.md", b"# \xc3\xa9\n"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mtime = 1_700_000_000.25 if tar_format == tarfile.PAX_FORMAT else 1_700_000_000
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _gzip_files() -> dict[str, bytes]:
    tar = PACK + GUIDE + END
    blocks = (tar[start : start + 512] for start in range(0, len(tar), 512))
    return {
        "gzip-compressed": deflated(PACK + file("data/text", b"the same again and " * 5_000) + END),
        "gzip-of-several-members": gzipped(PACK) + gzipped(GUIDE) + gzipped(END),
        "gzip-member-per-block": b"".join(map(gzipped, blocks)),
        "gzip-with-empty-members": gzipped(b"") * 3 + gzipped(tar) + gzipped(b""),
        "gzip-split-inside-a-header": gzipped(tar[:700]) + gzipped(tar[700:]),
        "gzip-with-extra-name-and-comment": with_fields(
            tar, extra=b"AB\4\0data", name=b"slack.tar", comment=b"made by hand"
        ),
        "gzip-with-header-checksum": with_fields(tar, header_crc=True),
        "gzip-of-several-blocks": (
            gzipped(b"")[:10] + b"\0" + stored_blocks(tar)[1:] + b"\0\0\0\xff\xff" + b"\3\0" + trailer(tar)
        ),
        "zeros-after-gzip": packed(PACK) + bytes(10_240),
        "zeros-after-tar": gzipped(PACK + END + bytes(9_216)),
        "zeros-after-tar-by-the-megabyte": gzipped(PACK + END) + zeros_gzipped(4_065) * 8,
        "zeros-after-tar-not-a-whole-block": gzipped(PACK + END + bytes(100)),
        "one-end-block": gzipped(PACK + bytes(512)),
        "zeros-after-tar-by-the-block": gzipped(PACK + END + bytes(512)),
        "file-of-many-zeros": gzipped(PACK + header(b"data/zeros", size=512 + 33 * (1 + 258 * 4_065)))
        + gzipped(bytes(512))
        + zeros_gzipped(4_065) * 33
        + gzipped(bytes(-33 * (1 + 258 * 4_065) % 512) + END),
    }


def _manifests() -> dict[str, bytes]:
    return {
        f"manifest-{name}": packed(file("pack.yaml", content)) for name, content in manifests.ACCEPT.items()
    }


def _skills() -> dict[str, bytes]:
    text = skills.ACCEPT["as the specification shows it"]
    return {
        "skill-with-any-names-beside-it": packed(
            file("assets/.env", b"x=1\n"),
            file("references/forms.md", b"# Forms\n"),
            file("Dockerfile", b"FROM scratch\n"),
            file("agents/openai.yaml", b"a: 1\n"),
            file("LICENSE.txt", b"MIT\n"),
            file("SKILL.md", text),
        ),
        "skill-in-a-folder": packed(
            directory("pdf-tools/"), file("pdf-tools/SKILL.md", text), file("pdf-tools/evals/a.json", b"{}")
        ),
        "skill-of-another-tool": packed(
            file("SKILL.md", skills.BROKEN["a key of another tool"][0]), file("pack.yml", b"")
        ),
        "skills-in-a-pack": packed(
            PACK, file("skills/pdf-tools/SKILL.md", text), file("skills/pdf-tools/assets/x.bin", b"\0")
        ),
    }


def accepted() -> dict[str, bytes]:
    """Every archive that is a pack, by name."""
    return _layouts() | _names() | _ustar_and_gnu() | _pax() | _gzip_files() | _manifests() | _skills()
