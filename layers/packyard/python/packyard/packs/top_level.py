"""What may stand at a pack's root: a closed set (API contract, section 3)."""

from typing import Final

from packyard.packs.member_path import shown
from packyard.packs.path_tree import PathTree

MANIFEST_PATH: Final = "pack.yaml"
_FILES: Final = frozenset({MANIFEST_PATH, "behavior.md", "README.md", "LICENSE"})
_DIRECTORIES: Final = frozenset({"guides", "scripts", "data", "templates", "skills"})
_ALL: Final = "pack.yaml, behavior.md, README.md, LICENSE, guides/, scripts/, data/, templates/, skills/"
# What people write instead, in lower case.
_MEANT_FILES: Final = {
    **dict.fromkeys(("pack.yml", "pack.yaml.txt", "pack.json", "package.yaml", "package.yml"), MANIFEST_PATH),
    **dict.fromkeys(("readme", "readme.txt", "readme.rst", "readme.markdown", "read me.md"), "README.md"),
    **dict.fromkeys(
        ("license.md", "license.txt", "licence", "licence.md", "licence.txt", "copying"), "LICENSE"
    ),
    **dict.fromkeys(
        ("behaviour.md", "behavior", "behavior.txt", "behaviour.txt", "behaviors.md"), "behavior.md"
    ),
    **{name.lower(): name for name in _FILES},
}
_MEANT_DIRECTORIES: Final = {
    **{name: name for name in _DIRECTORIES},
    **dict.fromkeys(("guide", "docs", "doc"), "guides"),
    **dict.fromkeys(("script", "bin"), "scripts"),
    "template": "templates",
    "datas": "data",
    "assets": "data",
}
# Of those, `tar --exclude-vcs` leaves out these (GNU tar manual, "Excluding Some Files").
_VERSION_CONTROL: Final = (
    ".git",
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    ".hg",
    ".hgignore",
    ".svn",
    ".bzr",
)


def top_level_fault(name: str, *, directory: bool) -> str | None:
    """Return what is wrong with an entry at the root, or None when it may stand there.

    Args:
        name: Its name.
        directory: Whether it is a directory.
    """
    if name in (_FILES if directory else _DIRECTORIES):
        return f"must be a {'file' if directory else 'directory'}"
    if name in (_DIRECTORIES if directory else _FILES):
        return None
    return f"is not one of {_ALL}; {_advice(name, directory=directory)}"


def missing_manifest(tree: PathTree, root: str) -> str:
    """Return the fault of an archive without a manifest: where it has to be, and where another one is.

    Args:
        tree: What is in the archive.
        root: Where the pack's root is: nothing, or a directory and a slash.
    """
    required = f"is required at the root of the archive{f', which is {_shown(root)} here' if root else ''}"
    misspelt = [
        name
        for name, directory in tree.children(root.removesuffix("/"))
        if not directory and _is_manifest(name)
    ]
    if misspelt:
        return f"{required}; {_shown(root + misspelt[0])} has another name"
    elsewhere = [path for path in tree.files() if path.endswith(f"/{MANIFEST_PATH}")]
    if not elsewhere:
        return (
            f"{required}, or in the only folder there"
            if any(tree.files())
            else f"{required}, which holds no file"
        )
    folder = min(elsewhere, key=lambda path: (path.count("/"), path)).removesuffix(MANIFEST_PATH)
    top, folder = folder.count("/") == 1, _shown(folder)
    if top:
        return f"{required}; the one in {folder} counts only if nothing else stands beside {folder} (tar -C {folder} .)"
    return f"{required}; there is one in {folder}, so pack that folder (tar -C {folder} -czf pack.tar.gz .)"


def _shown(path: str) -> str:
    return shown(path.encode())


def _is_manifest(name: str) -> bool:
    return _MEANT_FILES.get(name.strip().lower()) == MANIFEST_PATH


def _advice(name: str, *, directory: bool) -> str:
    plain = name.strip().lower()
    if directory and plain in _MEANT_DIRECTORIES:
        return f"rename it to {_MEANT_DIRECTORIES[plain]}/"
    if not directory and plain in _MEANT_FILES:
        return f"rename it to {_MEANT_FILES[plain]}"
    if name in _VERSION_CONTROL:
        return "leave it out (tar --exclude-vcs)"
    if name.startswith("."):
        return f"leave it out (tar --exclude={_shown(name)})"
    return "move it into data/, or leave it out (tar --exclude)"
