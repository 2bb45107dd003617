"""Contents of `SKILL.md`: to accept without a warning, to accept with one, and to reject. Data only.

Each is the `SKILL.md` of a folder `pdf-tools`. `BROKEN` and `REJECT` name the field that the warning or the refusal
must begin with, and say whether the specification's own validator finds the skill valid: `agentskills validate` of
skills-ref 0.1.1 (PyPI), run on 29 November 2026. Where it does although we warn, the specification's text has the rule
and the validator does not check it.
"""

from typing import Final

HEAD: Final = b"---\nname: pdf-tools\ndescription: Work with PDF files.\n"

ACCEPT: Final = {
    "as the specification shows it": HEAD
    + b"license: Apache-2.0\ncompatibility: Needs Python 3.\nallowed-tools: Read Grep\n"
    + b"metadata:\n  author: acme\n  version: '1.0.0'\n---\n# Body\n",
    "nothing but the required keys": HEAD + b"---\n",
    "lines that end as on Windows": HEAD.replace(b"\n", b"\r\n") + b"---\r\nBody\r\n",
}
# The content, the field, and whether the validator finds it valid.
BROKEN: Final = {
    "a byte order mark": (
        b"\xef\xbb\xbf" + HEAD + b"---\n",
        "SKILL.md",
        False,
    ),
    "a key of another tool": (
        HEAD + b"when_to_use: always\n---\n",
        "SKILL.md:when_to_use",
        False,
    ),
    "a version at the top": (
        HEAD + b"version: 1.0.0\n---\n",
        "SKILL.md:version",
        False,
    ),
    "tools as a list": (
        HEAD + b"allowed-tools:\n  - Read\n  - Grep\n---\n",
        "SKILL.md:allowed-tools",
        True,
    ),
    "a description of 1,025 characters": (
        b"---\nname: pdf-tools\ndescription: " + b"x" * 1025 + b"\n---\n",
        "SKILL.md:description",
        False,
    ),
    "a compatibility of 501 characters": (
        HEAD + b"compatibility: " + b"x" * 501 + b"\n---\n",
        "SKILL.md:compatibility",
        False,
    ),
    "a name in capitals": (
        HEAD.replace(b"pdf-tools", b"PDF-Tools") + b"---\n",
        "SKILL.md:name",
        False,
    ),
    "a name with an underscore": (
        HEAD.replace(b"pdf-tools", b"pdf_tools") + b"---\n",
        "SKILL.md:name",
        False,
    ),
    "a name with two hyphens": (
        HEAD.replace(b"pdf-tools", b"pdf--tools") + b"---\n",
        "SKILL.md:name",
        False,
    ),
    "a name of 65 characters": (
        HEAD.replace(b"pdf-tools", b"p" * 65) + b"---\n",
        "SKILL.md:name",
        False,
    ),
    "another name than the folder's": (
        HEAD.replace(b"pdf-tools", b"pdf") + b"---\n",
        "SKILL.md:name",
        False,
    ),
    "a number in the metadata": (
        HEAD + b"metadata:\n  stars: 5\n---\n",
        "SKILL.md:metadata.stars",
        True,
    ),
    "a list in the metadata": (
        HEAD + b"metadata:\n  tags:\n    - a\n---\n",
        "SKILL.md:metadata.tags",
        True,
    ),
    "a date in the metadata": (
        HEAD + b"metadata:\n  since: 2024-01-01\n---\n",
        "SKILL.md:metadata.since",
        True,
    ),
    "a license that is a number": (
        HEAD + b"license: 5\n---\n",
        "SKILL.md:license",
        True,
    ),
    "a tab in a plain value": (
        HEAD.replace(b"PDF files", b"PDF\tfiles") + b"---\n",
        "SKILL.md",
        False,
    ),
    "three hyphens in the description": (
        HEAD.replace(b"PDF files", b"PDF --- files") + b"---\n",
        "SKILL.md",
        True,
    ),
}
REJECT: Final = {
    "no frontmatter": (
        b"# PDF tools\n",
        "SKILL.md",
        False,
    ),
    "an empty line before it": (
        b"\n" + HEAD + b"---\n",
        "SKILL.md",
        False,
    ),
    "a frontmatter that does not end": (
        HEAD,
        "SKILL.md",
        False,
    ),
    "no name": (
        b"---\ndescription: Work with PDF files.\n---\n",
        "SKILL.md:name",
        False,
    ),
    "no description": (
        b"---\nname: pdf-tools\n---\n",
        "SKILL.md:description",
        False,
    ),
    "an empty description": (
        b"---\nname: pdf-tools\ndescription: ''\n---\n",
        "SKILL.md:description",
        False,
    ),
    "a colon in a plain description": (
        b"---\nname: pdf-tools\ndescription: PDF: work with it\n---\n",
        "SKILL.md",
        False,
    ),
    "a key twice": (
        HEAD + b"name: pdf\n---\n",
        "SKILL.md",
        False,
    ),
    "an alias": (
        b"---\nname: &n pdf-tools\ndescription: *n\n---\n",
        "SKILL.md",
        False,
    ),
    "a tag": (
        b"---\nname: !!str pdf-tools\ndescription: x\n---\n",
        "SKILL.md",
        False,
    ),
    "a name that YAML readers differ about": (
        b"---\nname: on\ndescription: x\n---\n",
        "SKILL.md:name",
        False,
    ),
    "a name that is a number": (
        b"---\nname: 7\ndescription: x\n---\n",
        "SKILL.md:name",
        False,
    ),
    "a line that begins with more hyphens": (
        HEAD + b"----\nlicense: MIT\n---\n",
        "SKILL.md",
        True,
    ),
    "text behind the closing hyphens": (
        HEAD + b"---x\n---\n",
        "SKILL.md",
        True,
    ),
    "a description that is a list": (
        b"---\nname: pdf-tools\ndescription: [a, b]\n---\n",
        "SKILL.md:description",
        False,
    ),
    "a name of which no slug can be made": (
        "---\nname: 文書\ndescription: x\n---\n".encode(),
        "SKILL.md:name",
        False,
    ),
    "a description that cannot be shown": (
        b'---\nname: pdf-tools\ndescription: "\\u202E"\n---\n',
        "SKILL.md:description",
        True,
    ),
    "a line separator": (
        HEAD + "license: a\u2028b\n---\n".encode(),
        "SKILL.md",
        True,
    ),
    "text that is not UTF-8": (
        HEAD + b"license: \xff\n---\n",
        "SKILL.md",
        False,
    ),
    "a second document": (
        HEAD + b"...\n# x\n%YAML 1.1\n---\n",
        "SKILL.md",
        False,
    ),
    "a list in place of keys": (
        b"---\n- name: pdf-tools\n---\n",
        "SKILL.md",
        False,
    ),
    "nothing in it": (
        b"---\n---\n",
        "SKILL.md",
        False,
    ),
    "values nested too deeply": (
        HEAD + b"metadata: " + b"[" * 100 + b"]" * 100 + b"\n---\n",
        "SKILL.md",
        False,
    ),
}
