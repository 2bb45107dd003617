import json
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.manifests import ACCEPT, REJECT

from packyard.errors import InvalidRequest
from packyard.packs.manifest.name import Slug
from packyard.packs.manifest.pack_manifest import MAX_FAULTS, Manifest, parse_manifest
from packyard.packs.manifest.version import Version
from packyard.packs.manifest.yaml_document import dump

MAX_BYTES = 256 * 1024
HEAD = b"name: slack\nversion: 1.4.0\n"
HOST = "must be a host name such as slack.com or *.slack.com"
NOT_EMPTY = "must have at least one entry; only paths may be left out, which allows every path"
RULES = "must be a list: entries that each begin with - and have domains and methods"
THREE = "must be three numbers joined by dots"
NO_TEXT = (b"true", b"yes", b"1e3", b"1.5e-3", b"1:30", b"1_000", b"0x10", b".5", b".inf", b"9" * 100)
KEYS = "capabilities, category, description, display_name, name, suggested_packs, version"

slugs = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6}){0,3}", fullmatch=True)
line = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=120).filter(
    str.strip
)
entries: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,9}", fullmatch=True), "type": st.just("http")},
    optional={
        "allow": st.just([{"methods": ["GET"], "domains": ["*.slack.com"]}]),
        "budgets": st.dictionaries(line, st.none() | st.booleans() | st.integers(-9, 9) | line, max_size=3),
    },
)
documents: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "name": slugs,
        "version": st.from_regex(r"[1-9]{1,4}\.[1-9]\.0(-rc\.[1-9])?(\+[0-9a-f]{3})?", fullmatch=True),
    },
    optional={
        "display_name": line,
        "description": st.lists(line, min_size=1, max_size=5).map("\n".join),
        "category": slugs,
        "suggested_packs": st.lists(slugs, max_size=5),
        "capabilities": st.lists(entries, unique_by=lambda entry: str(entry["name"]), max_size=3),
    },
)


def parse(content: bytes) -> Manifest:
    return parse_manifest(content, max_bytes=MAX_BYTES)


def faults_in(content: bytes) -> dict[str, str]:
    try:
        parse(content)
    except InvalidRequest as refusal:
        return refusal.fields
    return {}


@pytest.mark.parametrize("content", ACCEPT.values(), ids=ACCEPT)
def test_the_corpus_to_accept_is_accepted(content: bytes) -> None:
    assert faults_in(content) == {}


@pytest.mark.parametrize(("content", "field"), REJECT.values(), ids=REJECT)
def test_the_corpus_to_reject_is_rejected_on_that_field_alone(content: bytes, field: str) -> None:
    faults = faults_in(content)

    assert list(faults) == [field]
    assert "http" not in faults[field]
    assert len(faults[field]) < 160


def test_every_key_arrives() -> None:
    assert parse(ACCEPT["every-key"]) == Manifest(
        name=Slug("slack"),
        version=Version("1.4.0"),
        display_name="Slack",
        description="Post and read messages.",
        category=Slug("messaging"),
        capabilities_text="""\
- name: slack-api
  type: http
  allow:
  - domains:
    - slack.com
    - '*.slack.com'
    methods:
    - GET
    - POST
    paths:
    - /api/**
  transforms:
  - set_header:
      name: X-Client
      value: packyard
  budgets:
    requests_per_minute: 60
    share: 0.25
""",
        suggested_packs=(Slug("jira"), Slug("github")),
    )


def test_what_is_left_out_is_absent_and_the_display_name_is_made_from_the_name() -> None:
    assert parse(b"name: slack-api-2\nversion: 1.4.0\n") == Manifest(
        name=Slug("slack-api-2"), version=Version("1.4.0"), display_name="Slack Api 2"
    )


def test_blank_descriptions_and_empty_lists_are_as_if_left_out() -> None:
    blank = b'description: " \\n"\ncapabilities: []\nsuggested_packs: []\n'

    assert parse(HEAD + blank) == parse(HEAD)


def test_all_faults_are_reported_at_once() -> None:
    content = b"""\
name: Slack
dispaly_name: Slack
description:
category: 5
capabilities:
  - name: slack-api
    allow:
      - domains: [10.0.0.1, true]
        methods: GET
        path: [/]
      - {domains: [], methods: [GET]}
  - name: slack-api
    type: http
    allow: {}
  - 7
suggested_packs: jira, github
"""

    assert faults_in(content) == {
        "pack.yaml:name": "must be lower-case letters and digits, joined by single hyphens, such as slack",
        "pack.yaml:version": "is required, as in version: 1.4.0",
        "pack.yaml:dispaly_name": "is not a known key; did you mean display_name?",
        "pack.yaml:description": "has no value; give it one or leave it out",
        "pack.yaml:category": "is not text but 5 to YAML; put it in quotes",
        "pack.yaml:capabilities[0].type": "is required",
        "pack.yaml:capabilities[0].allow[0].domains[0]": HOST + "; addresses are not taken",
        "pack.yaml:capabilities[0].allow[0].domains[1]": "is not text but true to YAML; put it in quotes",
        "pack.yaml:capabilities[0].allow[0].methods": "must be a list: [GET, POST]",
        "pack.yaml:capabilities[0].allow[0].path": "is not a known key; did you mean paths?",
        "pack.yaml:capabilities[0].allow[1].domains": NOT_EMPTY,
        "pack.yaml:capabilities[1].name": "is the name of an earlier entry; give each its own",
        "pack.yaml:capabilities[1].allow": RULES,
        "pack.yaml:capabilities[2]": "must be a mapping: lines of key: value",
        "pack.yaml:suggested_packs": "must be a list: [jira, github]",
    }


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (b"1.10", f"{THREE}: write 1.10.0 (SemVer 2.0.0)"),
        (b"1.0", f"{THREE}: write 1.0.0 (SemVer 2.0.0)"),
        (b"1.4 # soon", f"{THREE}: write 1.4.0 (SemVer 2.0.0)"),
        (b"2", f"{THREE}: write 2.0.0 (SemVer 2.0.0)"),
        # To YAML all of these are something else than text, to some of its readers or to all.
        *((one, f"{THREE}, such as 1.4.0 or 1.4.0-rc.1 (SemVer 2.0.0)") for one in NO_TEXT),
        (b"2024-01-01", f"{THREE}, without leading zeros: write 2024.1.1 (SemVer 2.0.0)"),
        (b"", "has no value; give it one, as in version: 1.4.0"),
        (b"[1, 4, 0]", "must be text, as in version: 1.4.0"),
        (b"v1.4.0", "must not begin with v: write 1.4.0"),
        (b"v1.4", f"{THREE}: write 1.4.0 (SemVer 2.0.0)"),
        (b"'1.4'", f"{THREE}: write 1.4.0 (SemVer 2.0.0)"),
        (b"1.4-beta.2", f"{THREE}: write 1.4.0-beta.2 (SemVer 2.0.0)"),
        (b"2026.03.01", f"{THREE}, without leading zeros: write 2026.3.1 (SemVer 2.0.0)"),
        (b"latest", f"{THREE}, such as 1.4.0 or 1.4.0-rc.1 (SemVer 2.0.0)"),
        (b"1.2.3.4", f"{THREE}: write 1.2.3+4 (SemVer 2.0.0)"),
    ],
)
def test_a_version_that_is_none_is_refused_with_what_to_do(version: bytes, reason: str) -> None:
    assert faults_in(b"name: slack\nversion: " + version + b"\n") == {"pack.yaml:version": reason}


@pytest.mark.parametrize(
    ("key", "path", "reason"),
    [
        ("displayname", "displayname", "is not a known key; did you mean display_name?"),
        ("Display-Name", "Display-Name", "is not a known key; did you mean display_name?"),
        ("suggests", "suggests", "is not a known key; did you mean suggested_packs?"),
        ("descripton", "descripton", "is not a known key; did you mean description?"),
        ("desc", "desc", "is not a known key; did you mean description?"),
        ("displayName", "displayName", "is not a known key; did you mean display_name?"),
        ("x", "x", f"is not a known key; known are {KEYS}"),
        ("licence", "licence", "is not a known key; put it into the file LICENSE"),
        ("title", "title", "is not a known key; did you mean display_name?"),
        ("requires", "requires", "is not a known key; did you mean suggested_packs?"),
        ("author", "author", "is not a known key; a pack does not state it; README.md can"),
        ('"a\\nb"', "'a\\nb'", f"is not a known key; known are {KEYS}"),
        ('"\\u202Eeman"', "'\\u202eeman'", f"is not a known key; known are {KEYS}"),
        ("x" * 900, "x" * 64 + "…", f"is not a known key; known are {KEYS}"),
    ],
)
def test_an_unknown_key_is_named_so_that_a_typo_is_seen(key: str, path: str, reason: str) -> None:
    assert faults_in(HEAD + f"{key}: 1\n".encode()) == {f"pack.yaml:{path}": reason}


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("My_Pack", ", such as my-pack"),
        ("slack.api", ", such as slack-api"),
        ("Café Münster", ", such as cafe-munster"),
        ("-slack--api-", ", such as slack-api"),
        ("../slack", ", such as slack"),
        ("通信", ""),
        ("'---'", ""),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_nearest_that_is_one(name: str, proposal: str) -> None:
    faults = faults_in(f"name: {name}\nversion: 1.4.0\n".encode())

    assert faults == {
        "pack.yaml:name": f"must be lower-case letters and digits, joined by single hyphens{proposal}"
    }


@pytest.mark.parametrize(
    ("key", "entry", "advice"),
    [
        ("domains", "https://slack.com/api", "; write slack.com"),
        ("domains", "'*.slack.com:443'", "; write *.slack.com"),
        ("domains", "localhost/x", "; write localhost"),
        ("domains", "https://10.0.0.1/", "; addresses are not taken"),
        ("paths", "api/**", ": write /api/**"),
        ("methods", "'GET, POST'", "; each has an entry of its own"),
    ],
)
def test_a_wrong_entry_of_a_rule_is_refused_with_the_right_one(key: str, entry: str, advice: str) -> None:
    rule = {"domains": "[a.com]", "methods": "[GET]"} | {key: f"[{entry}]"}
    text = ", ".join(f"{name}: {value}" for name, value in rule.items())

    faults = faults_in(HEAD + f"capabilities: [{{name: a, type: b, allow: [{{{text}}}]}}]".encode())

    assert list(faults) == [f"pack.yaml:capabilities[0].allow[0].{key}[0]"]
    assert advice in faults[f"pack.yaml:capabilities[0].allow[0].{key}[0]"]


def test_a_file_over_the_limit_is_not_looked_at() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_manifest(b"\x00" * 11, max_bytes=10)

    assert caught.value.fields == {"pack.yaml": "must be at most 10 bytes; move long texts into guides/"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("".join(f"unknown_{n}: 1\n" for n in range(9_000)), id="unknown keys"),
        pytest.param("capabilities: [" + "{name: a}," * 4_500 + "]", id="repeated names"),
        pytest.param("suggested_packs: [" + f"'{'a-' * 1_000}'," * 90 + "]", id="slugs that nearly match"),
        pytest.param(
            "capabilities: [{name: a, type: b, allow: [{methods: [GET], domains: ["
            + f"'{'a.' * 126}!'," * 90
            + "]}]}]",
            id="domains that nearly match",
        ),
        pytest.param(
            "capabilities: " + "[" * 29 + "1," * 19_000 + "]" * 29, id="little text, much indentation"
        ),
    ],
)
def test_many_faults_take_little_time_and_a_short_answer(body: str) -> None:
    began = time.process_time()

    faults = faults_in(HEAD + body.encode())

    assert time.process_time() - began < 1.5
    assert 0 < len(faults) <= MAX_FAULTS + 1
    assert sum(len(field) + len(reason) for field, reason in faults.items()) < 10_000


def test_faults_beyond_the_bound_are_mentioned() -> None:
    faults = faults_in(HEAD + "".join(f"unknown_{n}: 1\n" for n in range(MAX_FAULTS + 1)).encode())

    assert faults["pack.yaml"] == "has more faults than are listed here"
    assert len(faults) == MAX_FAULTS + 1


@given(documents)
def test_a_valid_document_is_taken_over_faithfully(document: dict[str, Any]) -> None:
    content = json.dumps(document, ensure_ascii=False).encode()

    manifest = parse(content)

    assert manifest.name == document["name"]
    assert manifest.version == document["version"]
    assert manifest.description == document.get("description")
    assert manifest.category == document.get("category")
    assert manifest.suggested_packs == tuple(document.get("suggested_packs", ()))
    assert yaml.safe_load(manifest.capabilities_text or "[]") == document.get("capabilities", [])
    if "display_name" in document:
        assert manifest.display_name == document["display_name"]


@given(st.binary(max_size=300) | st.binary(max_size=100).map(HEAD.__add__))
def test_any_bytes_are_a_manifest_or_refused(content: bytes) -> None:
    assert all(field.split(":")[0] == "pack.yaml" for field in faults_in(content))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-9, 9)
        | st.floats(-9, 9)
        | st.text("ab*/.-_ é\n", max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "type", "allow", "domains", "methods", "paths", "budgets", "x"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_any_capabilities_are_taken_or_refused_under_their_own_path(capabilities: Any) -> None:
    content = HEAD + dump({"capabilities": capabilities}).encode()

    assert all(field.startswith("pack.yaml:capabilities") for field in faults_in(content))
