"""Contents of `pack.yaml` to accept, and to reject with the field that the refusal must name. Data only.

The archive corpus wraps each of them in an archive.
"""

from typing import Final

_HEAD: Final = b"name: slack\nversion: 1.4.0\n"

ACCEPT: Final[dict[str, bytes]] = {
    "only-name-and-version": _HEAD,
    "every-key": b"""\
name: slack
version: 1.4.0
display_name: Slack
description: Post and read messages.
category: messaging
capabilities:
  - name: slack-api
    type: http
    allow:
      - domains: ["slack.com", "*.slack.com"]
        methods: [GET, POST]
        paths: ["/api/**"]
    transforms:
      - set_header: {name: X-Client, value: packyard}
    budgets: {requests_per_minute: 60, share: 0.25}
suggested_packs: [jira, github]
""",
    "byte-order-mark": b"\xef\xbb\xbf" + _HEAD,
    "crlf-line-ends": b"name: slack\r\nversion: 1.4.0\r\n",
    "no-newline-at-the-end": b"name: slack\nversion: 1.4.0",
    "document-markers-and-comments": b"# ours\n---\nname: slack # short\nversion: 1.4.0\n...\n",
    "flow-style-like-json": b'{"name": "slack", "version": "1.4.0", "suggested_packs": ["jira"]}\n',
    "version-with-pre-release-and-build": b"name: slack\nversion: 1.4.0-rc.1+build.5\n",
    "version-in-quotes": b'name: slack\nversion: "1.10.0"\n',
    "name-of-64-characters": b"name: " + b"a" * 64 + b"\nversion: 1.4.0\n",
    "name-is-one-digit-in-quotes": b'name: "7"\nversion: 1.4.0\n',
    "description-of-many-lines": _HEAD + b"description: |\n  One.\n\n  \tTwo.\n",
    "description-of-2000-characters": _HEAD + b"description: " + "é".encode() * 2000 + b"\n",
    "description-is-blank": _HEAD + b'description: ""\n',
    "display-name-of-120-characters": _HEAD + b"display_name: " + b"x" * 120 + b"\n",
    "display-name-in-another-script": _HEAD + "display_name: Слак 通信 👩‍🚀\n".encode(),
    "lists-are-empty": _HEAD + b"capabilities: []\nsuggested_packs: []\n",
    "capability-without-rules": _HEAD + b"capabilities: [{name: clock, type: time}]\n",
    "carried-values-of-every-kind": _HEAD
    + b"capabilities: [{name: a, type: b, budgets: [1, -2, 0.5, 1.0e+9, 0x1f, true, null, ~, text, {'on': 1}],\n"
    + b"  transforms: ['no', '1e3', '0644', '2024-01-01', '', '1', \"\\0\\u2028\", '[', 'a: b', '\xc3\xa9']}]\n",
}

REJECT: Final[dict[str, tuple[bytes, str]]] = {
    # The document.
    "empty-file": (b"", "pack.yaml"),
    "only-a-comment": (b"# nothing here\n", "pack.yaml"),
    "document-is-a-list": (b"- name: slack\n- version: 1.4.0\n", "pack.yaml"),
    "document-is-text": (b"slack 1.4.0\n", "pack.yaml"),
    "document-is-null": (b"---\n", "pack.yaml"),
    "two-documents": (_HEAD + b"---\n" + _HEAD, "pack.yaml"),
    "not-yaml": (b"name: [slack\nversion: 1.4.0\n", "pack.yaml"),
    "tab-for-indentation": (b"name:\n\tslack\nversion:\n\t- 1.4.0\n", "pack.yaml"),
    "latin-1": ("name: slack\nversion: 1.4.0\ndisplay_name: Café\n".encode("latin-1"), "pack.yaml"),
    "utf-16": ("name: slack\nversion: 1.4.0\n".encode("utf-16"), "pack.yaml"),
    "utf-16-without-a-mark": ("name: slack\nversion: 1.4.0\n".encode("utf-16-le"), "pack.yaml"),
    # Characters that are line breaks in YAML 1.1 but not in YAML 1.2 (go-yaml, issue 922).
    "next-line-in-a-comment": (b"# ours\xc2\x85version: 9.9.9\n" + _HEAD, "pack.yaml"),
    "line-separator-in-quotes": (_HEAD + 'description: "a\u2028b"\n'.encode(), "pack.yaml"),
    "paragraph-separator-in-text": (_HEAD + "description: a\u2029b\n".encode(), "pack.yaml"),
    "byte-order-mark-in-the-middle": (_HEAD + "\ufeffdescription: a\n".encode(), "pack.yaml"),
    "control-character": (_HEAD + b"display_name: Sl\x07ack\n", "pack.yaml"),
    "half-of-a-surrogate-pair": (_HEAD + b'display_name: "\\ud83d"\n', "pack.yaml"),
    "a-tag": (b"name: !!str slack\nversion: 1.4.0\n", "pack.yaml"),
    "a-python-tag": (b"name: !!python/object/apply:os.getpid []\nversion: 1.4.0\n", "pack.yaml"),
    "an-alias": (b"name: &n slack\nversion: 1.4.0\ndisplay_name: *n\n", "pack.yaml"),
    "an-alias-bomb": (
        _HEAD
        + b"capabilities:\n  - &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"  - &%c [%s]\n" % (at + 1, b",".join([b"*%c" % at] * 9)) for at in range(97, 105)),
        "pack.yaml",
    ),
    "a-merge-key": (_HEAD + b"<<: {category: messaging}\n", "pack.yaml"),
    "a-key-given-twice": (_HEAD + b"name: jira\n", "pack.yaml"),
    "a-deep-key-given-twice": (
        _HEAD + b"capabilities: [{name: a, type: b, budgets: {c: 1, c: 2}}]\n",
        "pack.yaml",
    ),
    "a-key-that-is-a-number": (_HEAD + b"1: one\n", "pack.yaml"),
    "a-key-that-some-take-for-a-boolean": (
        _HEAD + b"capabilities: [{name: a, type: b, budgets: {on: 1}}]\n",
        "pack.yaml",
    ),
    "a-key-that-is-a-list": (_HEAD + b"[a, b]: one\n", "pack.yaml"),
    "nested-too-deeply": (_HEAD + b"capabilities: " + b"[" * 2000 + b"]" * 2000 + b"\n", "pack.yaml"),
    "too-many-values": (_HEAD + b"suggested_packs: [" + b"a," * 25_000 + b"]\n", "pack.yaml"),
    "a-number-of-5000-digits": (_HEAD + b"display_name: " + b"9" * 5000 + b"\n", "pack.yaml"),
    "infinity": (_HEAD + b"capabilities: [{name: a, type: b, budgets: .inf}]\n", "pack.yaml"),
    "octal-or-decimal": (_HEAD + b"capabilities: [{name: a, type: b, budgets: 0644}]\n", "pack.yaml"),
    "text-or-boolean": (b"name: y\nversion: 1.4.0\n", "pack.yaml"),
    "larger-than-256-kib": (_HEAD + b"# " + b"x" * 262_144 + b"\n", "pack.yaml"),
    # The keys.
    "name-is-missing": (b"version: 1.4.0\n", "pack.yaml:name"),
    "version-is-missing": (b"name: slack\n", "pack.yaml:version"),
    "an-unknown-key": (_HEAD + b"dispaly_name: Slack\n", "pack.yaml:dispaly_name"),
    "an-empty-key": (_HEAD + b"'': x\n", "pack.yaml:''"),
    "name-in-upper-case": (b"name: Slack\nversion: 1.4.0\n", "pack.yaml:name"),
    "name-of-65-characters": (b"name: " + b"a" * 65 + b"\nversion: 1.4.0\n", "pack.yaml:name"),
    "name-climbs-out": (b"name: ../slack\nversion: 1.4.0\n", "pack.yaml:name"),
    "name-is-a-number": (b"name: 7\nversion: 1.4.0\n", "pack.yaml:name"),
    "name-is-null": (b"name:\nversion: 1.4.0\n", "pack.yaml:name"),
    "name-ends-in-a-newline": (b'name: "slack\\n"\nversion: 1.4.0\n', "pack.yaml:name"),
    "version-is-a-float": (b"name: slack\nversion: 1.10\n", "pack.yaml:version"),
    "version-is-an-integer": (b"name: slack\nversion: 2\n", "pack.yaml:version"),
    "version-begins-with-v": (b"name: slack\nversion: v1.4.0\n", "pack.yaml:version"),
    "version-has-a-leading-zero": (b"name: slack\nversion: 1.04.0\n", "pack.yaml:version"),
    "version-is-too-long-for-a-tag": (
        b"name: slack\nversion: 1.4.0-" + b"a" * 128 + b"\n",
        "pack.yaml:version",
    ),
    "display-name-is-empty": (_HEAD + b'display_name: ""\n', "pack.yaml:display_name"),
    "display-name-of-121-characters": (
        _HEAD + b"display_name: " + b"x" * 121 + b"\n",
        "pack.yaml:display_name",
    ),
    "display-name-of-two-lines": (_HEAD + b"display_name: |\n  Sla\n  ck\n", "pack.yaml:display_name"),
    "display-name-reads-backwards": (_HEAD + b'display_name: "\\u202Ekcals"\n', "pack.yaml:display_name"),
    "description-is-null": (_HEAD + b"description:\n", "pack.yaml:description"),
    "description-of-2001-characters": (
        _HEAD + b"description: " + b"x" * 2001 + b"\n",
        "pack.yaml:description",
    ),
    "description-holds-an-escape": (_HEAD + b'description: "\\e[31mred"\n', "pack.yaml:description"),
    "category-is-not-a-slug": (_HEAD + b"category: Instant Messaging\n", "pack.yaml:category"),
    "suggested-packs-is-text": (_HEAD + b"suggested_packs: jira, github\n", "pack.yaml:suggested_packs"),
    "suggested-pack-is-not-a-slug": (
        _HEAD + b"suggested_packs: [jira, Git Hub]\n",
        "pack.yaml:suggested_packs[1]",
    ),
    "suggested-packs-are-too-many": (
        _HEAD + b"suggested_packs: [" + b"a, " * 101 + b"]\n",
        "pack.yaml:suggested_packs",
    ),
    # The capabilities.
    "capabilities-is-a-mapping": (_HEAD + b"capabilities: {name: a, type: b}\n", "pack.yaml:capabilities"),
    "capability-is-text": (_HEAD + b"capabilities: [http]\n", "pack.yaml:capabilities[0]"),
    "capability-without-a-name": (_HEAD + b"capabilities: [{type: b}]\n", "pack.yaml:capabilities[0].name"),
    "capability-without-a-type": (_HEAD + b"capabilities: [{name: a}]\n", "pack.yaml:capabilities[0].type"),
    "capability-name-begins-with-a-digit": (
        _HEAD + b"capabilities: [{name: 4chan, type: b}]\n",
        "pack.yaml:capabilities[0].name",
    ),
    "capability-name-is-repeated": (
        _HEAD + b"capabilities: [{name: a, type: b}, {name: a, type: c}]\n",
        "pack.yaml:capabilities[1].name",
    ),
    "capability-has-an-unknown-key": (
        _HEAD + b"capabilities: [{name: a, type: b, alow: []}]\n",
        "pack.yaml:capabilities[0].alow",
    ),
    "rule-without-domains": (
        _HEAD + b"capabilities: [{name: a, type: b, allow: [{methods: [GET]}]}]\n",
        "pack.yaml:capabilities[0].allow[0].domains",
    ),
    "domain-is-an-address-bar": (
        _HEAD
        + b'capabilities: [{name: a, type: b, allow: [{domains: ["https://a.com/"], methods: [GET]}]}]\n',
        "pack.yaml:capabilities[0].allow[0].domains[0]",
    ),
    "method-has-a-space": (
        _HEAD + b"capabilities: [{name: a, type: b, allow: [{domains: [a.com], methods: [GET, P T]}]}]\n",
        "pack.yaml:capabilities[0].allow[0].methods[1]",
    ),
    "path-does-not-start-with-a-slash": (
        _HEAD
        + b"capabilities: [{name: a, type: b, allow: [{domains: [a.com], methods: [GET], paths: [api]}]}]\n",
        "pack.yaml:capabilities[0].allow[0].paths[0]",
    ),
    "capabilities-outgrow-their-text": (
        _HEAD + b"capabilities: [{name: a, type: b, budgets: " + b"x" * 70_000 + b"}]\n",
        "pack.yaml:capabilities",
    ),
}
