"""The packages that dependency files name. Each form is as its tool writes it; the tool is named beside it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from packyard.attestations.dependencies import (
    MAX_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    MAX_PACKAGES,
    dependencies_of,
    names_packages,
    readable,
)


def purls(path: str, text: str) -> list[str]:
    """Return the package URLs of a file, each followed by what it wants instead of a version."""
    found = dependencies_of([(path, text.encode())])
    assert found.left_out == ()
    return [f"{one.package.purl} {one.package.wanted}".strip() for one in found.named]


FILES = {
    # pip, "Requirements File Format"; `pip freeze`; `uv pip compile --generate-hashes`.
    "requirements.txt": (
        (
            "# made by hand\n"
            "-r other.txt\n--index-url https://pypi.org/simple\n-e .\n./wheels/local-1.0-py3-none-any.whl\n"
            "Flask_Login[mfa] == 0.6.3 ; python_version >= '3.11'  # pinned\n"
            "requests>=2,<3\n"
            "numpy\n"
            "private @ https://host.example/private-1.0.tar.gz\n"
            "urllib3==2.2.1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n"
            "old (>=1.0)\n"
            "starred==1.*\n"
            "https://host.example/x.tar.gz\n"
        ),
        [
            "pkg:pypi/flask-login@0.6.3",
            "pkg:pypi/numpy",
            "pkg:pypi/old (>=1.0)",
            "pkg:pypi/private @ https://host.example/private-1.0.tar.gz",
            "pkg:pypi/requests >=2,<3",
            "pkg:pypi/starred ==1.*",
            "pkg:pypi/urllib3@2.2.1",
        ],
    ),
    # PEP 621, PEP 735; poetry 1 and 2.
    "pyproject.toml": (
        (
            '[build-system]\nrequires = ["hatchling==1.27.0"]\n'
            '[project]\nname = "x"\ndependencies = ["httpx~=0.27"]\n'
            '[project.optional-dependencies]\ndev = ["pytest"]\n'
            '[dependency-groups]\nlint = ["ruff==0.6.1", {include-group = "dev"}]\n'
            '[tool.poetry.dependencies]\npython = "^3.11"\nclick = "^8"\nrich = {version = "13.7.0", optional = true}\n'
            '[tool.poetry.group.docs.dependencies]\nmkdocs = "*"\n'
        ),
        [
            "pkg:pypi/click ^8",
            "pkg:pypi/hatchling@1.27.0",
            "pkg:pypi/httpx ~=0.27",
            "pkg:pypi/mkdocs *",
            "pkg:pypi/pytest",
            "pkg:pypi/rich 13.7.0",
            "pkg:pypi/ruff@0.6.1",
        ],
    ),
    # uv 0.8.
    "uv.lock": (
        (
            'version = 1\n[[package]]\nname = "mine"\nversion = "0.1.0"\nsource = { editable = "." }\n'
            '[[package]]\nname = "idna"\nversion = "3.7"\nsource = { registry = "https://pypi.org/simple" }\n'
        ),
        ["pkg:pypi/idna@3.7"],
    ),
    # poetry 2.
    "sub/poetry.lock": ('[[package]]\nname = "Idna"\nversion = "3.7"\n', ["pkg:pypi/idna@3.7"]),
    # PEP 751.
    "pylock.toml": (
        'lock-version = "1.0"\n[[packages]]\nname = "attrs"\nversion = "25.1.0"\n',
        ["pkg:pypi/attrs@25.1.0"],
    ),
    "Pipfile.lock": (
        '{"_meta": {"hash": {}}, "default": {"six": {"version": "==1.16.0"}, "vcs": {"git": "x"}}, "develop": {}}',
        ["pkg:pypi/six@1.16.0", "pkg:pypi/vcs"],
    ),
    "Cargo.lock": ('[[package]]\nname = "serde"\nversion = "1.0.200"\n', ["pkg:cargo/serde@1.0.200"]),
    "package.json": (
        (
            '{"dependencies": {"@scope/pkg": "^1.2.0", "left-pad": "1.3.0", "me": "file:../me"},'
            ' "devDependencies": {"vitest": "latest"}, "peerDependencies": {"react": ">=18"},'
            ' "optionalDependencies": {"mine": "npm:fsevents@2.3.3"}}'
        ),
        [
            "pkg:npm/%40scope/pkg ^1.2.0",
            "pkg:npm/fsevents@2.3.3",
            "pkg:npm/left-pad@1.3.0",
            "pkg:npm/me file:../me",
            "pkg:npm/react >=18",
            "pkg:npm/vitest latest",
        ],
    ),
    # npm 7 and later.
    "package-lock.json": (
        (
            '{"lockfileVersion": 3, "packages": {"": {"name": "x"}, "node_modules/@a/b": {"version": "1.0.0"},'
            ' "node_modules/c/node_modules/d": {"version": "2.0.0-rc.1"}, "node_modules/ws": {"link": true},'
            ' "node_modules/alias": {"name": "real", "version": "3.0.0"}, "packages/ws": {"version": "9.9.9"}}}'
        ),
        ["pkg:npm/%40a/b@1.0.0", "pkg:npm/d@2.0.0-rc.1", "pkg:npm/real@3.0.0"],
    ),
    # npm 6 and older.
    "npm-shrinkwrap.json": (
        (
            '{"lockfileVersion": 1, "dependencies": {"a": {"version": "1.0.0", "dependencies":'
            ' {"b": {"version": "2.0.0"}}}, "c": {"version": "npm:d@3.0.0"}}}'
        ),
        ["pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0", "pkg:npm/d@3.0.0"],
    ),
    # yarn 1, then yarn 4.
    "yarn.lock": (
        (
            '# yarn lockfile v1\n\n"@babel/core@^7.0.0", "@babel/core@^7.1.0":\n  version "7.24.5"\n  resolved "x"\n'
            'lodash@^4:\n  version "4.17.21"\n'
            '"chalk@npm:^5.0.0":\n  version: 5.3.0\n  resolution: "chalk@npm:5.3.0"\n'
            '"me@workspace:.":\n  version: 0.0.0-use.local\n'
        ),
        ["pkg:npm/%40babel/core@7.24.5", "pkg:npm/chalk@5.3.0", "pkg:npm/lodash@4.17.21"],
    ),
    # pnpm 7 (`/name/1.0.0`), 8 (`/name@1.0.0`) and 9 (`name@1.0.0`).
    "pnpm-lock.yaml": (
        (
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      x:\n        specifier: 1\npackages:\n\n"
            "  /old/1.0.0:\n    resolution: {integrity: x}\n\n  /@s/older/2.0.0_peer@1.0.0:\n    dev: true\n"
            "  /eight@8.0.0(react@18.0.0):\n    dev: true\n  '@s/nine@9.0.0':\n    engines: {node: '>=12'}\n"
            "  ten@10.0.0: {}\nsnapshots:\n  no@1.0.0: {}\n"
        ),
        [
            "pkg:npm/%40s/nine@9.0.0",
            "pkg:npm/%40s/older@2.0.0",
            "pkg:npm/eight@8.0.0",
            "pkg:npm/old@1.0.0",
            "pkg:npm/ten@10.0.0",
        ],
    ),
}


@pytest.mark.parametrize("path", FILES)
def test_a_file_names_these_packages(path: str) -> None:
    text, expected = FILES[path]

    found = purls(path, text)

    assert found == expected
    # The reference implementation of package URLs reads the same.
    for purl in (one.partition(" ")[0] for one in found):
        assert PackageURL.from_string(purl).to_string() == purl


@pytest.mark.parametrize(
    ("path", "does"),
    [
        ("requirements.txt", True),
        ("a/requirements-dev.txt", True),
        ("dev_requirements.txt", True),
        ("requirements/base.txt", True),
        ("scripts/fetch.py.lock", True),
        ("pylock.dev.toml", True),
        ("guides/requirements.md", False),
        ("myrequirements.txt", False),
        ("notes.txt", False),
        ("package.json.md", False),
        ("constraints.txt", False),
    ],
)
def test_a_file_is_known_by_its_name(path: str, does: bool) -> None:
    assert names_packages(path) is does


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("package.json", b"{"),
        ("package.json", b"[]"),
        ("package.json", b"[" * 200_000),
        ("pyproject.toml", b"a = "),
        ("pyproject.toml", b"a = " + b"[" * 5_000),
        ("requirements.txt", b"\xff\xfe"),
        ("Pipfile.lock", b"1"),
    ],
)
def test_a_file_that_only_has_such_a_name_is_listed_as_not_read(path: str, content: bytes) -> None:
    found = dependencies_of([(path, content)])

    assert (found.named, found.left_out) == ((), (path,))


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=200))
def test_no_content_stops_the_readers(path: str, content: bytes) -> None:
    dependencies_of([(path, content)])


@given(
    st.sampled_from(sorted(FILES)),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "packages",
                        "package",
                        "dependencies",
                        "name",
                        "version",
                        "default",
                        "project",
                        "tool",
                        "poetry",
                    ]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    ),
)
def test_no_json_value_stops_the_readers(path: str, value: object) -> None:
    dependencies_of([(path, json.dumps(value).encode())])


def test_files_are_read_within_bounds_those_near_the_root_first() -> None:
    deep = [(f"d{number}/package.json", 1) for number in range(MAX_FILES)]
    chosen, left_out = readable([("x.md", 5), *deep, ("uv.lock", MAX_FILE_BYTES + 1), ("package.json", 1)])

    assert chosen[0] == "package.json"
    assert len(chosen) == MAX_FILES
    assert left_out == ["uv.lock", f"d{max(map(str, range(MAX_FILES)))}/package.json"]
    many = [(f"{number}/uv.lock", MAX_FILE_BYTES) for number in range(9)]
    assert len(readable(many)[0]) == MAX_BYTES // MAX_FILE_BYTES


def test_packages_are_counted_up_to_a_bound() -> None:
    lines = "\n".join(f"p{number}==1" for number in range(MAX_PACKAGES + 1))

    found = dependencies_of([("requirements.txt", lines.encode())])

    assert len(found.named) == MAX_PACKAGES
    assert found.left_out == ("requirements.txt",)


def test_a_package_that_two_files_name_is_named_by_both() -> None:
    found = dependencies_of([("b/requirements.txt", b"six==1.16.0"), ("a/requirements.txt", b"six==1.16.0")])

    assert [one.path for one in found.named] == ["a/requirements.txt", "b/requirements.txt"]
