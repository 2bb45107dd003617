#!/usr/bin/env bash
# What yara-x finds of a pattern that jumps over many bytes, after a part whose length can vary.
#
# One would expect that `/open\([^\n]{1,200}\)[\s\S]{0,300}run\(/` finds `open(a); run(b)`, as it finds the same on two lines:
# the first part can end at the first bracket. yara-x 1.23.0 cuts a pattern in two where it jumps over any byte, if the jump
# may be longer than 200. Of the first half it takes the longest match alone, which here ends at the last bracket of the
# line, behind `run(`. So the rule finds less if a text is written on one line. A shorter jump, or one over all bytes but
# one (`[^\x00]`), is not cut, and finds both.
#
# Seen with yara-x 1.23.0 (Python bindings, https://virustotal.github.io/yara-x/). Needs python3 with venv.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check yara-x==1.23.0 2>/dev/null
cat >try.py <<'PY'
from importlib.metadata import version

import yara_x

TEXTS = {"one line": b"open(a); run(b)", "two lines": b"open(a)\nrun(b)"}
JUMPS = (r"[\s\S]{0,300}", r"[\s\S]{0,200}", r"[^\x00]{0,300}")


def found(jump: str) -> list[str]:
    rules = yara_x.compile(f"rule r {{ strings: $a = /open\\([^\\n]{{1,200}}\\){jump}run\\(/ condition: $a }}")
    return [name for name, text in TEXTS.items() if yara_x.Scanner(rules).scan(text).matching_rules]


print(f"yara-x {version('yara-x')}; expected: each finds {list(TEXTS)}")
seen = [found(jump) for jump in JUMPS]
for jump, names in zip(JUMPS, seen):
    print(f"{jump:15} finds {names}")
raise SystemExit(0 if seen == [["two lines"], list(TEXTS), list(TEXTS)] else "this has changed")
PY
venv/bin/python try.py
