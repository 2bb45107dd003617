#!/usr/bin/env bash
# A valid signed token whose header has a parameter that the verifier does not know, as SAP's XSUAA sends (`jid`).
#
# RFC 7515, section 4, has such parameters ignored unless `crit` lists them. joserfc refuses the token by default. With
# strict_check_header=False it takes it, and still refuses one whose `x5t` or `x5c` is not of its form, though it uses
# neither for the signature. An empty default_header_registry in a subclass leaves `alg` and `crit`, which are checked apart.
#
# Seen with joserfc 1.8.0. Needs python3 with venv.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check joserfc==1.8.0 2>/dev/null
cat >try.py <<'PY'
import json
from base64 import urlsafe_b64encode
from importlib.metadata import version
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact

def segment(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()

class Plain(JWSRegistry):
    default_header_registry = {}

KEY = RSAKey.generate_key(2048)
REGISTRIES = {
    "default": JWSRegistry(algorithms=["RS256"]),
    "not strict": JWSRegistry(algorithms=["RS256"], strict_check_header=False),
    "subclass": Plain(algorithms=["RS256"], strict_check_header=False),
}
seen = {}
for header in ({}, {"jid": "aG9w"}, {"x5t": 7}):
    head = f'{segment(json.dumps({"alg": "RS256", **header}).encode())}.{segment(b"{}")}'
    token = f'{head}.{segment(JWSRegistry.algorithms["RS256"].sign(head.encode(), KEY))}'
    for name, registry in REGISTRIES.items():
        try:
            deserialize_compact(token, KEY, registry=registry)
            seen[str(header), name] = "taken"
        except Exception as error:
            seen[str(header), name] = type(error).__name__
print("joserfc", version("joserfc"))
for (header, name), answer in seen.items():
    print(f"{header:20} {name:11} {answer}")
expected = ["taken"] * 3 + ["UnsupportedHeaderError", "taken", "taken"]
expected += ["InvalidHeaderValueError", "InvalidHeaderValueError", "taken"]
raise SystemExit(list(seen.values()) != expected)
PY
venv/bin/python try.py
echo "as seen before: by default a parameter that nobody marked as critical is fatal"
