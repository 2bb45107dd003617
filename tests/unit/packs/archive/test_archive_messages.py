"""A refused archive: the field that people know, the cause in their terms, and what helps."""

import gzip
from base64 import b64encode

import pytest
from tests.corpus.accept_cases import GUIDE, MANIFEST, PACK, packed
from tests.corpus.gzip_bytes import gzipped
from tests.corpus.reading import read
from tests.corpus.tar_bytes import END, GNU, directory, file, header, link, padded, pax, record, records

from packyard.errors import InvalidRequest

_SPARSE = pax(
    records(
        [
            ("GNU.sparse.major", "1"),
            ("GNU.sparse.name", "data/disk.img"),
            ("path", "data/GNUSparseFile.0/disk.img"),
        ]
    )
)
_ACCESS_LIST = pax(record("SCHILY.acl.access", "user::rwx,group::r--,other::r--"))

DECODED = ["decoded as text", "-F archive=@", "binary"]

MESSAGES = {
    # field, words of its reason, archive
    "a symbolic link": (
        "archive:data/a",
        ["symbolic link", "tar -h"],
        packed(PACK, link("data/a", "b", kind=b"2")),
    ),
    "a device": ("archive:data/a", ["device", "--exclude"], packed(PACK, header(b"data/a", kind=b"3"))),
    "a named pipe": (
        "archive:data/a",
        ["named pipe", "--exclude"],
        packed(PACK, header(b"data/a", kind=b"6")),
    ),
    "a volume label": ("archive:x", ["label", "--label"], packed(header(b"x", kind=b"V", magic=GNU), PACK)),
    "an incremental backup": (
        "archive:data/",
        ["incremental", "--listed-incremental"],
        packed(PACK, header(b"data/", kind=b"D", magic=GNU)),
    ),
    "a sparse file by its real name": (
        "archive:data/disk.img",
        ["sparse", "-S", "--no-read-sparse"],
        packed(PACK, _SPARSE, file("data/GNUSparseFile.0/disk.img", b"0\n")),
    ),
    "an access list": (
        "archive:data/a",
        ["access control list", "--no-acls"],
        packed(PACK, _ACCESS_LIST, file("data/a")),
    ),
    "a hard link to nothing": (
        "archive:data/b",
        ["hard link", "--hard-dereference"],
        packed(PACK, link("data/b", "data/a")),
    ),
    "a hard link with a size": (
        "archive",
        ["hard link", "--hard-dereference"],
        packed(PACK, header(b"data/a", kind=b"1", link=b"pack.yaml", size=3) + padded(b"abc")),
    ),
    "times of .NET": (
        "archive",
        [".NET before 10", "TarEntryFormat.Pax", "data/a"],
        packed(PACK, header(b"data/a", prefix=b"14400000000\x0014400000000\0", magic=GNU)),
    ),
    "a prefix without a version": (
        "archive",
        ["version 00", "--format=gnu"],
        packed(PACK, header(b"a", prefix=b"data", magic=b"ustar\0\0\0")),
    ),
    "a large attribute": (
        "archive",
        ["1048576 bytes", "--no-xattrs"],
        packed(pax(record("comment", "x" * 2**20)), PACK),
    ),
    "a labelled archive": (
        "archive",
        ["label", "--label (-V)"],
        packed(pax(record("GNU.volume.label", "x")), PACK),
    ),
    "an absolute path": ("archive:/etc/x", ["absolute", "-P"], packed(PACK, file("/etc/x"))),
    "a path that leads out": ("archive:../x", ["'..'", "tar -C"], packed(PACK, file("../x"))),
    "a backslash": ("archive:data\\\\a", ["backslash", "Windows"], packed(PACK, file("data\\a"))),
    "a name in Latin-1": (
        "archive:data/caf\\xe9",
        ["UTF-8", "hdrcharset"],
        packed(PACK, file(b"data/caf\xe9")),
    ),
    "a whiteout": ("archive:data/.wh.a", ["deletion", "rename"], packed(PACK, file("data/.wh.a"))),
    "a file twice": (
        "archive:guides/start.md",
        ["is in the archive twice", "name the folder once", "tar -r (--append)"],
        packed(PACK, GUIDE, GUIDE),
    ),
    "cut off in the content": ("archive", ["cut off", "send the whole file"], packed(PACK)[:-30]),
    "cut off in the tar": ("archive", ["cut off", "middle of a member"], gzipped(PACK + GUIDE[:700])),
    "something behind the tar": (
        "archive",
        ["after the tar's end", "second tar"],
        gzipped(PACK + END + b"\n"),
    ),
    "something behind the gzip file": (
        "archive",
        ["after the end of the gzip", "line break"],
        packed(PACK) + b"\n",
    ),
    "a zip file that is cut off": ("archive", ["cut off", "send the whole"], b"PK\x03\x04" + bytes(100)),
    "a plain tar": ("archive", ["a tar that is not compressed", "tar -czf"], PACK + END),
    "xz": ("archive", ["compressed with xz", "tar -czf"], b"\xfd7zXZ\0" + bytes(100)),
    "bzip2": ("archive", ["compressed with bzip2", "tar -czf"], b"BZh91AY&SY" + bytes(100)),
    "zstd": ("archive", ["compressed with zstd", "tar -czf"], b"\x28\xb5\x2f\xfd" + bytes(100)),
    "7-Zip": ("archive", ["a 7-Zip file"], b"7z\xbc\xaf\x27\x1c" + bytes(100)),
    "RAR": ("archive", ["a RAR file"], b"Rar!\x1a\x07\0" + bytes(100)),
    "a page that was saved": ("archive", ["a page of HTML"], b"<!DOCTYPE html><title>Sign in</title>"),
    "a pointer of Git LFS": (
        "archive",
        ["git lfs pull"],
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    ),
    "nothing": ("archive", ["is empty", "tar -czf"], b""),
    # Read as text and written as UTF-8 again: by JavaScript's readFile(path, "utf8"), Python's errors="replace",
    # PowerShell's Get-Content, and other programs that drop invalid bytes or read each byte as a character.
    "decoded as UTF-8": ("archive", DECODED, packed(PACK).decode(errors="replace").encode()),
    "decoded as UTF-8, what is none left out": (
        "archive",
        DECODED,
        packed(PACK).decode(errors="ignore").encode(),
    ),
    "decoded as ASCII": (
        "archive",
        DECODED,
        packed(PACK).decode("ascii", "replace").encode("ascii", "replace"),
    ),
    "decoded as Latin-1": ("archive", DECODED, packed(PACK).decode("latin-1").encode()),
    "decoded as Windows-1252": ("archive", DECODED, packed(PACK).decode("cp1252", "replace").encode()),
    "base64": ("archive", ["is a file in base64", "-F archive=@"], b64encode(packed(PACK))),
    "a data: URL": (
        "archive",
        ["is a file in base64", "-F archive=@"],
        b"data:application/gzip;base64," + b64encode(packed(PACK)),
    ),
    "hexadecimal": ("archive", ["in hexadecimal digits", "-F archive=@"], packed(PACK).hex().encode()),
    "Python's repr": ("archive", ["as a program prints", "binary"], repr(packed(PACK)).encode()),
    "a list of numbers": ("archive", ["as a program prints", "binary"], str(list(packed(PACK))).encode()),
    "changed behind its header": (
        "archive",
        ["is corrupt", "sent as text", "-F archive=@"],
        # The header as it was, and then no block of deflate.
        packed(PACK)[:10] + b"\xef\xbf\xbd" * 40,
    ),
    "gzip of a zip file": (
        "archive",
        ["what it holds is a zip file", "tar -czf"],
        gzip.compress(b"PK\x03\x04" + bytes(600)),
    ),
    "gzip twice": (
        "archive",
        ["what it holds is compressed with gzip"],
        gzip.compress(gzip.compress(bytes(9_000) + b"x" * 600)),
    ),
    "gzip of one file": ("archive", ["what it holds is no tar", "tar -czf"], gzip.compress(MANIFEST * 60)),
    "pack.yml": ("archive:pack.yml", ["rename it to pack.yaml"], packed(file("pack.yml", MANIFEST))),
    "no manifest but pack.yml": (
        "pack.yaml",
        ["rename pack.yml to pack.yaml"],
        packed(file("pack.yml", MANIFEST)),
    ),
    "readme.md": ("archive:readme.md", ["rename it to README.md"], packed(PACK, file("readme.md"))),
    "README.txt": ("archive:README.txt", ["rename it to README.md"], packed(PACK, file("README.txt"))),
    "LICENSE.md": ("archive:LICENSE.md", ["rename it to LICENSE"], packed(PACK, file("LICENSE.md"))),
    "behaviour.md": (
        "archive:behaviour.md",
        ["rename it to behavior.md"],
        packed(PACK, file("behaviour.md")),
    ),
    "Guides/": ("archive:Guides", ["rename it to guides/"], packed(PACK, file("Guides/a.md"))),
    "script/": ("archive:script", ["rename it to scripts/"], packed(PACK, directory("script/"))),
    ".github/": ("archive:.github", ["--exclude=.github"], packed(PACK, file(".github/x"))),
    "a manifest that is refused beside a folder": (
        "archive:pack.yaml",
        ["symbolic link"],
        packed(header(b"pack.yaml", kind=b"2", link=b"x"), file("guides/a.md")),
    ),
    ".git/": ("archive:.git", ["--exclude-vcs"], packed(PACK, file(".git/HEAD"), file(".git/config"))),
    "another folder": (
        "archive:src",
        ["move it into scripts/", "--exclude=src"],
        packed(PACK, file("src/a"), file("src/b")),
    ),
    "a manifest too deep": (
        "pack.yaml",
        ["one in a/b/", "tar -C a/b -czf pack.tar.gz ."],
        packed(file("a/b/pack.yaml", MANIFEST)),
    ),
    # GNU tar takes the first slash away: "Removing leading `/' from member names".
    "a folder by its absolute path": (
        "pack.yaml",
        ["one in home/me/p/", "tar -C /home/me/p -czf pack.tar.gz ."],
        packed(file("home/me/p/pack.yaml", MANIFEST)),
    ),
    "a folder whose name a shell takes apart": (
        "pack.yaml",
        ["one in my packs/a/", "tar -C FOLDER -czf pack.tar.gz ."],
        packed(file("my packs/a/pack.yaml", MANIFEST)),
    ),
    "two packs": (
        "pack.yaml",
        ["in a/ and b/", "an archive for each", "tar -C a -czf"],
        packed(file("a/pack.yaml", MANIFEST), file("b/pack.yaml", MANIFEST)),
    ),
    ".env": ("archive:.env", ["--exclude=.env", "secrets"], packed(PACK, file(".env"))),
    ".env in a wrapping folder": (
        "archive:w/.env.local",
        ["--exclude=.env.local", "secrets"],
        packed(file("w/pack.yaml", MANIFEST), file("w/.env.local")),
    ),
    ".aws/": ("archive:.aws", ["--exclude=.aws", "secrets"], packed(PACK, file(".aws/credentials"))),
    "a private key": ("archive:id_rsa", ["--exclude=id_rsa", "secrets"], packed(PACK, file("id_rsa"))),
    "a key of TLS": (
        "archive:Server.PEM",
        ["--exclude=Server.PEM", "secrets"],
        packed(PACK, file("Server.PEM")),
    ),
    "an earlier archive": (
        "archive:my-pack.tar.gz",
        ["--exclude=my-pack.tar.gz", "outside of the folder"],
        packed(PACK, file("my-pack.tar.gz")),
    ),
    "a text": ("archive:notes.md", ["move it into guides/"], packed(PACK, file("notes.md"))),
    "a script": ("archive:run.sh", ["move it into scripts/"], packed(PACK, file("run.sh"))),
    "anything else": ("archive:x.bin", ["move it into data/"], packed(PACK, file("x.bin"))),
    "AGENTS.md": ("archive:AGENTS.md", ["rename it to behavior.md"], packed(PACK, file("AGENTS.md"))),
    "SKILL.md": ("archive:SKILL.md", ["move it into skills/NAME/"], packed(PACK, file("SKILL.md"))),
    "node_modules/": (
        "archive:node_modules",
        ["; leave it out (tar --exclude=node_modules)"],
        packed(PACK, file("node_modules/a/b.js")),
    ),
    "a name that a shell takes apart": (
        "archive:my notes",
        ["move it into data/, or leave it out (tar --exclude)"],
        packed(PACK, file("my notes")),
    ),
    "a manifest beside others": (
        "pack.yaml",
        ["w/", "nothing else"],
        packed(file("w/pack.yaml", MANIFEST), file("x")),
    ),
    "no file at all": ("pack.yaml", ["holds no file"], packed(directory("./"))),
    "no manifest": ("pack.yaml", ["required at the root", "only folder"], packed(GUIDE, file("README.md"))),
}


@pytest.mark.parametrize(("field", "words", "archive"), MESSAGES.values(), ids=MESSAGES)
def test_a_refusal_says_what_it_is_and_what_helps(field: str, words: list[str], archive: bytes) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read(archive)

    assert field in refusal.value.fields
    for word in words:
        assert word in refusal.value.fields[field]


def test_a_folder_that_may_not_be_there_is_named_once_however_much_is_wrong_below_it() -> None:
    links = (link(f"node_modules/.bin/{number}", "../x", kind=b"2") for number in range(300))

    with pytest.raises(InvalidRequest) as refusal:
        read(packed(PACK, *links, file("node_modules/a/index.js"), file("data/../x")))

    assert refusal.value.fields.keys() == {"archive:node_modules", "archive:data/../x"}


def test_what_may_be_the_wrapping_folder_is_not_taken_for_one_before_all_is_read() -> None:
    links = (link(f"data/{number}", "x", kind=b"2") for number in range(300))

    with pytest.raises(InvalidRequest) as refusal:
        read(packed(*links, PACK))

    assert len(refusal.value.fields) == 101
    assert "archive:data/0" in refusal.value.fields
