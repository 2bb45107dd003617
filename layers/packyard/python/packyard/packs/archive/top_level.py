"""The entries that may be at a pack's root: a closed set, but for Agent Skills (API contract, sections 3 and 12)."""

import re
from typing import Final

from packyard.packs.archive.member_path import shown
from packyard.packs.archive.path_tree import PathTree
from packyard.packs.manifest.root_file import MANIFEST_PATH, ROOT_FILES, SKILL_PATH, root_file_among

_FILES: Final = frozenset({MANIFEST_PATH, "behavior.md", "README.md", "LICENSE"})
_DIRECTORIES: Final = frozenset({"guides", "scripts", "data", "templates", "skills"})
_ALL: Final = "pack.yaml, behavior.md, README.md, LICENSE, guides/, scripts/, data/, templates/, skills/"
# Names that people use by mistake, in lower case, and the right ones.
_MEANT_FILES: Final = {
    **dict.fromkeys(("pack.yml", "pack.yaml.txt", "pack.json", "package.yaml", "package.yml"), MANIFEST_PATH),
    **dict.fromkeys(("readme", "readme.txt", "readme.rst", "readme.markdown", "read me.md"), "README.md"),
    **dict.fromkeys(
        ("license.md", "license.txt", "licence", "licence.md", "licence.txt", "copying"), "LICENSE"
    ),
    **dict.fromkeys(
        (
            "behaviour.md",
            "behavior",
            "behavior.txt",
            "behaviour.txt",
            "behaviors.md",
            "claude.md",
            "agents.md",
        ),
        "behavior.md",
    ),
    **dict.fromkeys(("skill.md", "skills.md", "skill.markdown"), SKILL_PATH),
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
# Files in which tools keep passwords and keys: dotenv, curl, npm, PyPI, git, databases, clouds, OpenSSH, GnuPG, TLS.
_SECRETS: Final = frozenset(
    {
        *(
            ".env",
            ".envrc",
            ".netrc",
            "_netrc",
            ".npmrc",
            ".yarnrc",
            ".yarnrc.yml",
            ".pypirc",
            ".git-credentials",
        ),
        *(
            ".pgpass",
            ".my.cnf",
            ".htpasswd",
            ".aws",
            ".azure",
            ".gcloud",
            ".kube",
            ".docker",
            ".ssh",
            ".gnupg",
        ),
        *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "credentials", "secrets"),
    }
)
_SECRET_STARTS: Final = (".env.", "credentials.", "secrets.")
_SECRET_ENDS: Final = (".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx")
# Files and folders that tools generate.
_GENERATED: Final = frozenset(
    {"node_modules", "venv", "env", "__pycache__", "dist", "build", "target", "out"}
)
_GENERATED_ENDS: Final = (".egg-info", ".pyc", ".log", ".tmp", ".bak", ".orig", "~")
_CODE: Final = frozenset({"src", "lib", "tools"})
_CODE_ENDS: Final = (".py", ".sh", ".js", ".mjs", ".ts", ".rb", ".pl", ".ps1")
_ARCHIVE_ENDS: Final = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip")
# Names without special characters of a shell or of tar's patterns.
_PLAIN: Final = re.compile(r"[A-Za-z0-9._/@%+~-]+")
# Folders at the root of a system. A path that begins with one of them was probably absolute before tar shortened it.
_AT_ROOT: Final = frozenset({"home", "Users", "root", "tmp", "var", "opt", "srv", "mnt", "private"})
# Files that `tar --exclude-vcs` leaves out (GNU tar manual, "Excluding Some Files").
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


def top_level_fault(name: str, *, directory: bool, archived: bool = True) -> str | None:
    """Return the fault of an entry at a pack's root, or None if it may be there.

    Args:
        name: The entry's name.
        directory: Whether it is a directory.
        archived: Whether it comes from an archive. Then the advice names options of tar.
    """
    if name in (_FILES if directory else _DIRECTORIES):
        return f"must be a {'file' if directory else 'directory'}"
    if name in (_DIRECTORIES if directory else _FILES):
        return None
    return f"is not one of {_ALL}; {_advice(name, directory=directory, archived=archived)}"


def folders_with(name: str, tree: PathTree, root: str) -> list[str]:
    """Return the folders below the root that contain a file of a name, each with a slash at its end, the highest first.

    Args:
        name: One of `ROOT_FILES`.
        tree: The archive's paths.
        root: The path of the pack's root: empty, or a directory and a slash.
    """
    paths = (path for path in tree.files() if path.startswith(root) and path.endswith(f"/{name}"))
    folders = (path.removesuffix(name) for path in paths)
    return sorted((folder for folder in folders if folder != root), key=lambda path: (path.count("/"), path))


def folders_with_a_pack(tree: PathTree, root: str) -> list[str]:
    """Return the folders below the root that contain a whole pack, as `folders_with`: packs, or else Agent Skills."""
    return next((found for name in ROOT_FILES if (found := folders_with(name, tree, root))), [])


def root_file(tree: PathTree, root: str) -> str | None:
    """Return the name of the file at the root that says what the pack is; None if there is none.

    Args:
        tree: As for `folders_with`.
        root: As for `folders_with`.
    """
    return root_file_among(lambda path: tree.is_file(root + path))


def missing_manifest(tree: PathTree, root: str) -> str:
    """Return the fault of an archive with neither `pack.yaml` nor `SKILL.md` at the root: where there is one.

    Args:
        tree: The archive's paths.
        root: The path of the pack's root: empty, or a directory and a slash.
    """
    required = f"is required at the root of the archive{f', which is {_shown(root)} here' if root else ''}"
    for name, directory in tree.children(root.removesuffix("/")):
        meant = _MEANT_FILES.get(name.strip().lower())
        if not directory and meant in ROOT_FILES:
            return f"{required}; rename {_shown(root + name)} to {_shown(root)}{meant}"
    elsewhere = folders_with_a_pack(tree, root)
    if not elsewhere:
        return (
            f"{required}, or in the only folder there; an Agent Skill has {SKILL_PATH} instead"
            if any(tree.files())
            else f"{required}, which holds no file"
        )
    folder = elsewhere[0]
    pack_it = f"tar -C {_argument(folder)} -czf pack.tar.gz ."
    if folder.count("/") > 1:
        return f"{required}; there is one in {_shown(folder)}, so pack that folder from inside: {pack_it}"
    if len(elsewhere) > 1 and elsewhere[1].count("/") == folder.count("/") == 1:
        both = f"{_shown(folder)} and {_shown(elsewhere[1])}"
        return f"{required}; there is one in {both}, so send an archive for each pack: {pack_it}"
    return (
        f"{required}; the one in {_shown(folder)} counts only if nothing else is beside {_shown(folder)}, so pack "
        f"that folder alone: {pack_it}"
    )


def _argument(folder: str) -> str:
    """Return a folder as an argument of tar. If its path was probably absolute, the slash that tar removed is added."""
    path = folder.removesuffix("/")
    if _PLAIN.fullmatch(path) is None or path.startswith("-"):
        return "FOLDER"
    return f"/{path}" if path.partition("/")[0] in _AT_ROOT else path


def _shown(path: str) -> str:
    return shown(path.encode())


def _advice(name: str, *, directory: bool, archived: bool) -> str:
    plain = name.strip().lower()
    if not directory and plain == SKILL_PATH.lower():
        return (
            f"move it into skills/NAME/ with what belongs to it; or leave out {MANIFEST_PATH}, and the whole folder "
            "is an Agent Skill"
        )
    if directory and plain in _MEANT_DIRECTORIES:
        return f"rename it to {_MEANT_DIRECTORIES[plain]}/"
    if not directory and plain in _MEANT_FILES:
        return f"rename it to {_MEANT_FILES[plain]}"
    leave_out = f"leave it out ({_exclude(name)})" if archived else "leave it out"
    if plain in _SECRETS or plain.startswith(_SECRET_STARTS) or plain.endswith(_SECRET_ENDS):
        return f"{leave_out}: it may hold secrets, and all who see a pack can read its files"
    if not directory and plain.endswith(_ARCHIVE_ENDS):
        return f"{leave_out}, and write archives outside of the folder"
    generated = plain.startswith(".") or plain in _GENERATED or plain.endswith(_GENERATED_ENDS)
    return (
        leave_out
        if generated
        else f"move it into {_target_folder(plain, directory=directory)}, or {leave_out}"
    )


def _target_folder(plain: str, *, directory: bool) -> str:
    """Return the folder of a pack that a file or a folder probably belongs in."""
    if not directory and plain.endswith((".md", ".txt", ".rst")):
        return "guides/"
    return "scripts/" if plain in _CODE or (not directory and plain.endswith(_CODE_ENDS)) else "data/"


def _exclude(name: str) -> str:
    if name in _VERSION_CONTROL:
        return "tar --exclude-vcs"
    return f"tar --exclude={name}" if _PLAIN.fullmatch(name) else "tar --exclude"
