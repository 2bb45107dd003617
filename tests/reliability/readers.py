"""What a pack's archive, and its image, are to everybody who may read them: what lies there once it is unpacked."""

import io
import os
import stat
import subprocess
import tarfile
import unicodedata
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.reliability.listing_readers import (
    ListingReader,
    SeenFile,
    Tree,
    Unreadable,
    go_reader,
    node_reader,
    plain_path,
    tree_of_members,
)
from tests.witnesses import run, witness

from packyard.oci.build.image import build_image
from packyard.oci.build.layer import Layer, LayerSpool
from packyard.oci.build.tree import File, canonical_order
from packyard.oci.content import Content
from packyard.oci.document import Document
from packyard.packs.archive.contents import PackContents
from packyard.packs.archive.limits import ArchiveLimits
from packyard.packs.archive.member_path import is_litter
from packyard.packs.archive.reader import read_archive

_SECONDS: Final = 60
# Owners, times and attributes are no part of a pack.
_GNU_TAR: Final = ("tar", "--extract", "--gzip", "--no-same-owner", "--touch")
_LIBARCHIVE: Final = ("bsdtar", "-x", "--no-same-owner", "-m", "--no-acls", "--no-xattrs", "--no-fflags")


_PYTHON_ERRORS: Final = (tarfile.TarError, OSError, ValueError, KeyError, EOFError, zlib.error, OverflowError)

# Returns what lies there of an archive once it is unpacked, below a folder that is empty before; raises Unreadable.
Read = Callable[[Path, Path], Tree]


def _by(command: tuple[str, ...]) -> Read:
    def read(archive: Path, folder: Path) -> Tree:
        finished = subprocess.run(  # noqa: S603 - a witness, and arguments of a test
            [witness(command[0]), *command[1:], "-f", archive, "-C", folder],
            check=False,
            capture_output=True,
            timeout=_SECONDS,
            env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
        )
        if finished.returncode:
            raise Unreadable(finished.stderr.decode(errors="replace"))
        return tree_of(folder)

    return read


def _by_python(archive: Path, folder: Path) -> Tree:
    try:
        with tarfile.open(archive, "r:gz", errorlevel=2) as tar:
            # Newer Pythons want to be told what to refuse.
            tar.extraction_filter = lambda member, _: member
            tar.extractall(folder, members=_anybody_s(tar))  # noqa: S202 - only what has been found safe
    except _PYTHON_ERRORS as error:
        raise Unreadable(str(error)) from None
    return tree_of(folder)


def _anybody_s(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        # It would give up on litter that is a link to nothing.
        if is_litter(member.name):
            continue
        member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
        member.mtime = 0
        # As each of its filters does: Go's bits of a directory do not fit into what chmod takes.
        member.mode &= 0o777
        yield member


def _listed_by(reader: Callable[[], ListingReader]) -> Read:
    def read(archive: Path, _: Path) -> Tree:
        members = reader().members(archive)
        return tree_of_members([member for member in members if not is_litter(plain_path(member.name))])

    return read


# The last two list: they are asked first where it is not known yet whether an archive may be unpacked.
READERS: Final[Mapping[str, Read]] = {
    "GNU tar": _by(_GNU_TAR),
    "libarchive": _by(_LIBARCHIVE),
    "Python": _by_python,
    "Go": _listed_by(go_reader),
    "node-tar": _listed_by(node_reader),
}


def read_by(read: Read, archive: Path, folder: Path) -> Tree:
    """Return what a reader makes of an archive, seen from the pack's root; litter left out.

    Raises:
        Unreadable: It gives up.
    """
    with TemporaryDirectory(dir=folder) as scratch:
        tree = read(archive, Path(scratch))
    return _from_its_root(_without_litter(tree, _only_for_litter(archive)))


def tree_of(root: Path) -> Tree:
    """Return all that lies under a directory."""
    tree: dict[str, SeenFile | None] = {}
    # An archive can state a mode for the root, too, with which nobody but the superuser gets in.
    root.chmod(0o700)
    for folder, directories, files in os.walk(root):
        below = _key(Path(folder), root)
        for name in directories:
            Path(folder, name).chmod(0o700)
            tree[_joined(below, name)] = None
        for name in files:
            tree[_joined(below, name)] = _seen(os.path.join(folder, name))  # noqa: PTH118 - an archive has thousands
    return tree


def _seen(path: str) -> SeenFile:
    found = os.lstat(path)
    mode = stat.S_IMODE(found.st_mode)
    if not mode & stat.S_IRUSR:
        os.chmod(path, mode | stat.S_IRUSR)  # noqa: PTH101 - likewise
    # What is empty need not be opened, which takes most of the time.
    is_empty = stat.S_ISREG(found.st_mode) and not found.st_size
    content = b"" if is_empty else Path(path).read_bytes()
    return SeenFile(sha256(content).hexdigest(), bool(mode & 0o111))


def accepted(archive: Path, *, spool: LayerSpool) -> PackContents[Content]:
    """Return what we make of an archive; raises what `read_archive` raises."""
    with archive.open("rb") as stream:
        return read_archive(stream, limits=ArchiveLimits(), contents=spool)


def tree_of_pack(contents: PackContents[Content]) -> Tree:
    """Return a pack as the tree that it should be everywhere."""
    files = {
        unicodedata.normalize("NFC", file.path): SeenFile(file.content.sha256, file.executable)
        for file in contents.files
    }
    return {unicodedata.normalize("NFC", path): None for path in contents.directories} | files


def unpacked_image(contents: PackContents[Content], folder: Path, *, spool: LayerSpool) -> Tree:
    """Return what umoci unpacks of the image that we build of a pack."""
    with TemporaryDirectory(dir=folder) as scratch:
        return _by_umoci(contents, Path(scratch), spool=spool)


def _by_umoci(contents: PackContents[Content], folder: Path, *, spool: LayerSpool) -> Tree:
    files = [File(file.path, file.executable, file.content) for file in contents.files]
    layer = spool.assemble(canonical_order(directories=contents.directories, files=files))
    _write_layout(layer, contents, folder / "layout")
    run("umoci", "unpack", "--rootless", "--image", f"{folder / 'layout'}:pack", str(folder / "bundle"))
    return tree_of(folder / "bundle" / "rootfs")


def _write_layout(layer: Layer, contents: PackContents[Content], folder: Path) -> None:
    """Write the image's first platform as a directory (OCI image-spec, image-layout.md)."""
    image = build_image(layers=[layer], title=contents.manifest.name, version=contents.manifest.version)
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    manifest = image.manifests[0]
    for document in (manifest, image.configs[0]):
        (blobs / document.digest.removeprefix("sha256:")).write_bytes(document.raw)
    with (blobs / layer.digest.removeprefix("sha256:")).open("wb") as blob:
        blob.writelines(layer.chunks())
    named = manifest.descriptor() | {"annotations": {"org.opencontainers.image.ref.name": "pack"}}
    index = Document.of(image.index.media_type, {"schemaVersion": 2, "manifests": [named]})
    (folder / "index.json").write_bytes(index.raw)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _key(path: Path, root: Path) -> str:
    return "" if path == root else _plain(str(path.relative_to(root)))


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{_plain(name)}" if folder else _plain(name)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", os.fsencode(name).decode(errors="backslashreplace"))


def _only_for_litter(archive: Path) -> set[str]:
    """Return the directories that no member stands for and litter is in: without it, they are not in the pack."""
    return _only_for_litter_in(archive.read_bytes())


# Asked for each reader of an archive.
@lru_cache(maxsize=1)
def _only_for_litter_in(archive: bytes) -> set[str]:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            members = {plain_path(member.name): member.isdir() for member in tar}
    except _PYTHON_ERRORS as error:
        raise Unreadable(str(error)) from None
    around = {parent.as_posix() for path in members if is_litter(path) for parent in Path(path).parents}
    return {path for path in around if not members.get(path)}


def _without_litter(tree: Tree, only_for_litter: set[str]) -> Tree:
    kept = {path: seen for path, seen in tree.items() if not is_litter(path)}
    for path in sorted(only_for_litter & kept.keys(), key=len, reverse=True):
        if not any(other.startswith(path + "/") for other in kept):
            del kept[path]
    return kept


def _from_its_root(tree: Tree) -> Tree:
    """Return a tree without the one directory that all of it is in, if there is one."""
    top = {path.partition("/")[0] for path in tree}
    if len(top) != 1 or tree[min(top)] is not None:
        return tree
    prefix = min(top) + "/"
    return {path.removeprefix(prefix): seen for path, seen in tree.items() if path.startswith(prefix)}
