"""Valid archives with members that a pack may not have, each with the field that its refusal names."""

from tests.corpus import manifests
from tests.corpus.accept_cases import DEEPEST_PATH, GUIDE, LONGEST_PATH, MANIFEST, PACK, packed
from tests.corpus.tar_bytes import (
    GNU,
    V7,
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

Case = tuple[bytes, str]


def wrong_kinds() -> dict[str, Case]:
    # GNU tar and bsdtar put an invented name into the path, and the real one into a record.
    sparse_10 = [
        *(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "data/a")),
        ("path", "data/GNUSparseFile.0/a"),
    ]
    kinds = {
        "symbolic-link": link("data/a", "../pack.yaml", kind=b"2"),
        "symbolic-link-out-of-the-archive": link("data/a", "/etc/passwd", kind=b"2"),
        "symbolic-link-with-a-long-target": gnu_long("t" * 200, kind=b"K")
        + link("data/a", "t" * 100, kind=b"2"),
        "character-device": header(b"data/a", kind=b"3"),
        "block-device": header(b"data/a", kind=b"4"),
        "named-pipe": header(b"data/a", kind=b"6"),
        "contiguous-file": header(b"data/a", kind=b"7", size=3) + padded(b"abc"),
        "volume-label": header(b"data/a", kind=b"V", magic=GNU),
        "incremental-directory": header(b"data/a", kind=b"D", size=6, magic=GNU) + padded(b"Ybook\0"),
        "continued-file": header(b"data/a", kind=b"M", magic=GNU),
        "unknown-type": header(b"data/a", kind=b"Z", size=3) + padded(b"abc"),
        "solaris-extension": header(b"data/a", kind=b"X", size=15) + padded(b"15 path=data/b\n"),
        "sparse-old-gnu": header(b"data/a", kind=b"S", size=512, magic=GNU) + bytes(512),
        "sparse-pax": pax(records([*sparse_10, ("GNU.sparse.realsize", "9")]))
        + file("data/GNUSparseFile.0/a", b"0\n"),
        "sparse-star": pax(record("SCHILY.realsize", "999999")) + file("data/a", b"x"),
        "sparse-solaris": pax(record("SUN.holesdata", " 0 512 1024")) + file("data/a", b"x"),
    }
    return {name: (packed(PACK, member), "archive:data/a") for name, member in kinds.items()}


def wrong_links() -> dict[str, Case]:
    field = "archive:data/z"
    return {
        f"hard-link-to-{name}": (packed(PACK, *before, link("data/z", target), *after), field)
        for name, before, target, after in (
            ("nothing", [], "data/a", []),
            ("a-later-file", [], "data/a", [file("data/a", b"a")]),
            ("itself", [], "data/z", []),
            ("a-directory", [directory("data/a/")], "data/a", []),
            ("a-symbolic-link", [link("data/a", "b", kind=b"2")], "data/a", []),
            ("litter", [file("data/._a", b"a")], "data/._a", []),
            ("outside", [], "../pack.yaml", []),
            ("an-absolute-path", [], "/etc/passwd", []),
            ("a-path-through-parents", [GUIDE], "data/../guides/start.md", []),
            ("an-empty-name", [], "", []),
            ("another-spelling", [file("data/\u00e9", b"a")], "data/e\u0301", []),
        )
    }


def ambiguous_headers() -> dict[str, Case]:
    """Archives that at least one reader was found to read as another member, or not as a tar at all."""
    # A gzip header whose extra field ends at the pax header's record: libarchive inflates the record.
    skipping = b"\x1f\x8b\x08\x04" + bytes(6) + (512 - 12 + len("99 comment=")).to_bytes(2, "little")
    starts = {
        "gzip": header(skipping, kind=b"x", size=99) + padded(record("comment", b"c" * 87)) + PACK,
        "bzip2": directory("BZh91AY&SY") + file("BZh91AY&SY/pack.yaml", MANIFEST),
        "a-cabinet": directory("MSCF", magic=V7) + file("MSCF/pack.yaml", MANIFEST),
        "lzma": header(b"]\0\0\0\4" + b"\xff" * 8, kind=b"5") + file("]/pack.yaml", MANIFEST),
        "zstd": header(b"\x28\xb5\x2f\xfd", kind=b"g") + PACK,
        "xar": header(b"xar!\0\x1c\0\1", kind=b"5", magic=V7) + file("xar!/pack.yaml", MANIFEST),
        "warc": header(b"WARC/1.0\r\n", kind=b"x", magic=V7) + PACK,
        "ar": header(b"!<arch>\n", kind=b"x", magic=V7) + PACK,
    }
    headers = {
        "pax-key-after-a-space": pax(record(" path", "data/b")) + file("data/a", b"a"),
        "pax-key-after-a-tab": pax(record("\tsize", "512")) + file("data/a", b"a"),
        "pax-key-with-a-zero-byte": pax(records([("\0", "x"), ("path", "data/b")])) + file("data/a", b"a"),
        "prefix-without-a-name": header(b"", prefix=b"guides", kind=b"0"),
        "prefix-without-a-name-of-an-old-file": header(b"", prefix=b"guides", kind=b"\0"),
    }
    executable = file("data/a", b"a", mode=0o755)
    return {
        **{f"starts-like-{name}": (packed(tar), "archive") for name, tar in starts.items()},
        **{name: (packed(PACK, tar), "archive") for name, tar in headers.items()},
        "hard-link-less-executable-than-its-file": (
            packed(PACK, executable, link("data/b", "data/a")),
            "archive:data/b",
        ),
        "hard-link-more-executable-than-its-file": (
            packed(PACK, GUIDE, link("data/b", "guides/start.md", mode=0o755)),
            "archive:data/b",
        ),
    }


def wrong_names() -> dict[str, Case]:
    named = {
        "absolute": (b"/etc/passwd", "/etc/passwd"),
        "absolute-with-two-slashes": (b"//data/a", "//data/a"),
        "parent": (b"../pack.yaml", "../pack.yaml"),
        "parent-inside": (b"data/../../x", "data/../../x"),
        "parent-that-stays-inside": (b"data/x/../a", "data/x/../a"),
        "parent-at-the-end": (b"data/..", "data/.."),
        "dot-at-the-end": (b"data/.", "data/."),
        "only-a-dot": (b".", "."),
        "empty": (b"", ""),
        "backslash": (b"data\\a", "data\\\\a"),
        "windows-parent": (b"data\\..\\..\\a", "data\\\\..\\\\..\\\\a"),
        "newline": (b"data/a\nb", "data/a\\nb"),
        "escape": (b"data/\x1b[2J", "data/\\x1b[2J"),
        "delete": (b"data/\x7f", "data/\\x7f"),
        "c1-control": (b"data/\xc2\x9b", "data/\\x9b"),
        "latin-1": (b"data/caf\xe9", "data/caf\\xe9"),
        "overlong-utf-8": (b"data/\xc0\xaf", "data/\\xc0\\xaf"),
        "surrogate-in-utf-8": (b"data/\xed\xa0\x80", "data/\\xed\\xa0\\x80"),
        "whiteout": (b"data/.wh.a", "data/.wh.a"),
        "opaque-whiteout": (b"data/.wh..wh..opq", "data/.wh..wh..opq"),
        "whiteout-at-the-root": (b".wh.pack.yaml", ".wh.pack.yaml"),
        "whiteout-as-a-directory": (b"data/.wh.a/b", "data/.wh.a/b"),
        "whiteout-in-litter": (b"__MACOSX/.wh.a", "__MACOSX/.wh.a"),
    }
    too_deep = DEEPEST_PATH.replace("leaf.md", "d/leaf.md")
    return {
        **{
            f"name-{name}": (packed(PACK, header(raw)), f"archive:{shown}")
            for name, (raw, shown) in named.items()
        },
        "name-newline-from-pax": (packed(PACK, pax_path("data/a\nb"), file("x", b"")), "archive:data/a\\nb"),
        "name-parent-from-pax": (packed(PACK, pax_path("../../x"), file("data/a", b"")), "archive:../../x"),
        "name-absolute-from-gnu": (
            packed(PACK, gnu_long("/x"), file("data/a", b"", magic=GNU)),
            "archive:/x",
        ),
        "name-parent-from-prefix": (packed(PACK, header(b"x", prefix=b"data/..")), "archive:data/../x"),
        "name-absolute-from-prefix": (packed(PACK, header(b"x", prefix=b"/data")), "archive:/data/x"),
        "name-parent-of-a-directory": (packed(PACK, directory("../")), "archive:../"),
        "name-root-of-the-file-system": (packed(PACK, directory("/")), "archive:/"),
        "name-too-deep": (packed(PACK, file(too_deep, b"")), f"archive:{too_deep}"),
        "path-too-long": (
            packed(PACK, pax_path(LONGEST_PATH + "p"), file("x", b"")),
            f"archive:{LONGEST_PATH[:100]}…{LONGEST_PATH[-99:]}p",
        ),
        "path-far-too-long": (
            packed(PACK, gnu_long("data/" + "n" * 60_000), file("x", b"", magic=GNU)),
            "archive:data/" + "n" * 95 + "…" + "n" * 100,
        ),
        "name-of-256-bytes": (
            packed(PACK, pax_path("data/" + "n" * 256), file("x", b"")),
            "archive:data/" + "n" * 95 + "…" + "n" * 100,
        ),
    }


def clashes() -> dict[str, Case]:
    e_acute, e_and_acute = "data/\u00e9", "data/e\u0301"
    return {
        "file-twice": (packed(PACK, GUIDE, GUIDE), "archive:guides/start.md"),
        "manifest-twice": (
            packed(PACK, file("pack.yaml", b"name: other\nversion: 2.0.0\n")),
            "archive:pack.yaml",
        ),
        "manifest-twice-by-dot": (packed(PACK, file("./pack.yaml", MANIFEST)), "archive:./pack.yaml"),
        "file-twice-after-nfc": (
            packed(PACK, file(e_acute, b""), file(e_and_acute, b"")),
            f"archive:{e_and_acute}",
        ),
        "file-twice-after-nfc-hangul": (
            packed(PACK, file("data/\uac00", b""), file("data/\u1100\u1161", b"")),
            "archive:data/\u1100\u1161",
        ),
        "directory-in-two-spellings": (
            packed(PACK, file(e_acute + "/a", b""), file(e_and_acute + "/b", b"")),
            f"archive:{e_and_acute}/b",
        ),
        "file-then-directory": (packed(PACK, file("data/a", b""), directory("data/a/")), "archive:data/a/"),
        "directory-then-file": (packed(PACK, directory("data/a/"), file("data/a", b"")), "archive:data/a"),
        "file-then-file-under-it": (
            packed(PACK, file("data/a", b""), file("data/a/b", b"")),
            "archive:data/a/b",
        ),
        "file-under-it-then-file": (
            packed(PACK, file("data/a/b", b""), file("data/a", b"")),
            "archive:data/a",
        ),
        "file-then-hard-link": (
            packed(PACK, GUIDE, link("guides/start.md", "pack.yaml")),
            "archive:guides/start.md",
        ),
    }


def wrong_layouts() -> dict[str, Case]:
    return {
        "no-manifest": (packed(GUIDE, file("README.md", b"")), "pack.yaml"),
        "no-manifest-in-the-wrapper": (packed(file("w/guides/a.md", b"")), "pack.yaml"),
        "no-members": (packed(), "pack.yaml"),
        "no-members-but-the-root": (packed(directory("./")), "pack.yaml"),
        "no-members-but-litter": (
            packed(file(".DS_Store", b""), file("__MACOSX/._pack.yaml", b"")),
            "pack.yaml",
        ),
        "manifest-two-levels-down": (packed(file("a/b/pack.yaml", MANIFEST)), "pack.yaml"),
        "manifest-is-a-directory": (packed(directory("pack.yaml/"), GUIDE), "archive:pack.yaml"),
        "manifest-is-a-symbolic-link": (
            packed(link("pack.yaml", "data/p.yaml", kind=b"2")),
            "archive:pack.yaml",
        ),
        "manifest-is-a-hard-link-to-a-large-file": (
            packed(
                file("data/p", MANIFEST + b"#" * (256 * 1024 + 1 - len(MANIFEST))),
                link("pack.yaml", "data/p"),
            ),
            "pack.yaml",
        ),
        "manifest-is-a-hard-link-to-no-manifest": (
            packed(GUIDE, link("pack.yaml", "guides/start.md")),
            "pack.yaml",
        ),
        "manifest-too-large": (
            packed(file("pack.yaml", MANIFEST + b"#" * (256 * 1024 + 1 - len(MANIFEST)))),
            "pack.yaml",
        ),
        "manifest-misspelt": (packed(file("pack.yml", MANIFEST)), "archive:pack.yml"),
        "manifest-in-capitals": (packed(file("Pack.yaml", MANIFEST)), "archive:Pack.yaml"),
        "two-wrappers": (packed(file("a/pack.yaml", MANIFEST), file("b/pack.yaml", MANIFEST)), "pack.yaml"),
        "wrapper-beside-the-manifest": (packed(PACK, file("slack/guides/a.md", b"")), "archive:slack"),
        "wrapper-beside-a-file": (packed(file("w/pack.yaml", MANIFEST), file("README.md", b"")), "pack.yaml"),
        "unknown-file": (packed(PACK, file("Makefile", b"")), "archive:Makefile"),
        "unknown-hidden-file": (packed(PACK, file(".gitignore", b"")), "archive:.gitignore"),
        "unknown-directory": (packed(PACK, directory("docs/")), "archive:docs"),
        "unknown-directory-without-a-member": (packed(PACK, file("docs/a/b.md", b"")), "archive:docs"),
        "unknown-file-in-a-wrapper": (
            packed(file("w/pack.yaml", MANIFEST), file("w/a.md", b"")),
            "archive:w/a.md",
        ),
        "unknown-directory-in-a-wrapper": (
            packed(file("w/pack.yaml", MANIFEST), file("w/.git/x", b"")),
            "archive:w/.git",
        ),
        "known-name-in-another-case": (packed(PACK, file("Readme.md", b"")), "archive:Readme.md"),
        "known-name-with-a-space": (packed(PACK, file("README.md ", b"")), "archive:README.md "),
        "readme-is-a-directory": (packed(PACK, directory("README.md/")), "archive:README.md"),
        "guides-is-a-file": (packed(PACK, file("guides", b"")), "archive:guides"),
        "data-is-a-hard-link": (packed(PACK, link("data", "pack.yaml")), "archive:data"),
        "a-hundred-and-fifty-faults": (packed(PACK, *(file(f"f{n}", b"") for n in range(150))), "archive"),
        "wrong-manifest-and-wrong-member": (
            packed(file("pack.yaml", b"name: Slack\n"), file("x", b"")),
            "pack.yaml:name",
        ),
    }


def rejected_members() -> dict[str, Case]:
    """Every archive that is refused for what it holds, by name, with the field that the refusal names."""
    from_manifests = {
        f"manifest-{name}": (packed(file("pack.yaml", content)), field)
        for name, (content, field) in manifests.REJECT.items()
    }
    return (
        wrong_kinds()
        | wrong_links()
        | ambiguous_headers()
        | wrong_names()
        | clashes()
        | wrong_layouts()
        | from_manifests
    )
