"""What a file is to an agent: something to read, to run, or to use."""

import re
from enum import StrEnum
from typing import Final


class FileKind(StrEnum):
    """What a file is to an agent."""

    GUIDE = "guide"  # prose that it reads and follows
    SCRIPT = "script"  # code that it runs
    CONFIG = "config"  # settings of programs and lists of packages
    PAGE = "page"  # HTML and the like, code and text at once
    DATA = "data"  # other text
    BINARY = "binary"


_GUIDES: Final = frozenset({"md", "markdown", "mdx", "mdc", "txt", "rst", "adoc", "org", "prompt"})
_SCRIPTS: Final = frozenset(
    {"sh", "bash", "zsh", "fish", "ksh", "command", "py", "pyw", "pyi", "js", "mjs", "cjs", "jsx", "ts"}
    | {"mts", "cts", "tsx", "rb", "pl", "pm", "php", "lua", "ps1", "psm1", "psd1", "bat", "cmd", "vbs"}
    | {"vbe", "wsf", "hta", "applescript", "scpt", "r", "jl", "go", "rs", "java", "kt", "scala", "swift"}
    | {"c", "cc", "cpp", "h", "hpp", "cs", "sql", "ipynb", "awk", "tcl", "groovy", "gradle", "nix", "mk"}
    | {"service", "plist", "desktop", "reg"}
)
_CONFIGS: Final = frozenset(
    {"json", "jsonc", "json5", "yaml", "yml", "toml", "ini", "cfg", "conf", "env", "properties", "lock"}
    | {"xml", "tf", "hcl", "in", "editorconfig"}
)
_PAGES: Final = frozenset({"html", "htm", "xhtml", "svg", "vue", "svelte", "astro", "css"})
_SCRIPT_NAMES: Final = frozenset(
    {
        "makefile",
        "gnumakefile",
        "justfile",
        "rakefile",
        "gemfile",
        "vagrantfile",
    }
    | {"procfile", "jenkinsfile", "brewfile", ".bashrc", ".zshrc", ".profile", ".bash_profile", ".envrc"}
)
_CONFIG_NAMES: Final = frozenset(
    {"dockerfile", "containerfile", ".npmrc", ".pypirc", ".netrc", ".env", "pipfile", ".gitconfig", ".curlrc"}
)
_GUIDE_NAMES: Final = frozenset({"readme", "license", ".cursorrules", ".windsurfrules", ".clinerules"})
_SHEBANG: Final = re.compile(rb"#! ?/")
# The bytes that say whether a file is text, as git does it with NUL.
_LOOKED_AT: Final = 8192


def kind_of(path: str, start: bytes) -> FileKind:
    """Return the kind of a file.

    Args:
        path: Its path; the name and its ending count.
        start: Its first bytes, as UTF-8 where it is text in another Unicode encoding.
    """
    if _SHEBANG.match(start):
        return FileKind.SCRIPT
    name = path.rpartition("/")[2].lower()
    for names, kind in (
        (_SCRIPT_NAMES, FileKind.SCRIPT),
        (_CONFIG_NAMES, FileKind.CONFIG),
        (_GUIDE_NAMES, FileKind.GUIDE),
    ):
        if name in names:
            return kind
    if name.startswith(".env."):
        return FileKind.CONFIG
    ending = name.rpartition(".")[2] if "." in name else ""
    for endings, kind in (
        (_GUIDES, FileKind.GUIDE),
        (_SCRIPTS, FileKind.SCRIPT),
        (_CONFIGS, FileKind.CONFIG),
        (_PAGES, FileKind.PAGE),
    ):
        if ending in endings:
            return kind
    # What is text by its name stays text: one byte more does not keep an agent from reading it.
    return FileKind.BINARY if b"\0" in start[:_LOOKED_AT] else FileKind.DATA
