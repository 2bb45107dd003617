#!/usr/bin/env bash
# Which matches of a pattern yara-x tells of, when there are more than it may tell of.
#
# One would expect that `Scanner.max_matches_per_pattern(1)` leaves the first match of a text, since without a limit
# matches come in the order of their offsets. yara-x 1.23.0 leaves the one that it finds first. It looks for fixed pieces
# of a pattern (atoms), which may be anywhere in a match, and goes from there to the match's start and end. So a match that
# begins earlier and has its piece later is found later, and is the one that is missing. Who reads on from the last match
# that was told of has to step back by as much as a match can be long.
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

RULES = yara_x.compile("rule r { strings: $a = /pear|q[a-z ]{1,80}plum/ condition: $a }")
# The first match is all of it; the second, within it, begins at 30.
TEXT = b"q" + b" " * 29 + b"pear" + b" " * 20 + b"plum"


def offsets(most: int | None) -> list[int]:
    scanner = yara_x.Scanner(RULES)
    if most is not None:
        scanner.max_matches_per_pattern(most)
    found = scanner.scan(TEXT).matching_rules
    return [match.offset for rule in found for pattern in rule.patterns for match in pattern.matches]


print(f"yara-x {version('yara-x')}")
print(f"without a limit: offsets {offsets(None)}")
print(f"at most one:     offsets {offsets(1)}; expected [0]")
raise SystemExit(0 if (offsets(None), offsets(1)) == ([0, 30], [30]) else "this has changed")
PY
venv/bin/python try.py
