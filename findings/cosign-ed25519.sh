#!/usr/bin/env bash
# cosign 3 signs a container image with an Ed25519 key so that nobody can verify it, cosign itself included.
#
# Expected: `cosign sign` with an Ed25519 key makes an Ed25519 signature (RFC 8032, section 5.1), as `cosign sign` of version 2 does,
#   and `cosign verify` with the public key accepts it.
# Seen: the signature in the bundle that cosign 3.1.1 pushes does not verify as Ed25519 over the envelope's encoding (DSSE's PAE). It is
#   Ed25519ph, the pre-hashed variant with a prefix of its own, which an envelope has no way to state. `cosign verify` of the same
#   release finds no matching signature. `cosign sign` ends with 0 all the same. Keys on P-256 and P-384 and RSA keys are not affected.
# Where it bites: pipelines that moved from cosign 2 to 3 and keep their Ed25519 key sign on, and every admission check then refuses.
#   sigstore lists ed25519 and ed25519-ph as two algorithms (sigstore/architecture-docs, algorithm-registry.md).
# Needs on the path: cosign 3.1.1 (Debian forky), docker-registry, openssl, curl.
set -eu

for program in cosign docker-registry openssl curl python3; do
  command -v "$program" > /dev/null || { echo "needs $program"; exit 2; }
done
folder=$(mktemp -d)
trap 'kill "$server" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder" COSIGN_PASSWORD='' COSIGN_YES=true
python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check cryptography==46.0.3
printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s/data}}\nhttp: {addr: 127.0.0.1:5979}\nlog: {level: error}\n' "$folder" > r.yml
docker-registry serve r.yml > log 2>&1 & server=$!
sleep 1
at=http://127.0.0.1:5979/v2/team/pack
config='{}'
digest=sha256:$(printf %s "$config" | sha256sum | cut -d' ' -f1)
place=$(curl -fsS -X POST -D - -o /dev/null "$at/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
curl -fsS -X PUT --data-binary "$config" -H 'Content-Type: application/octet-stream' "$place&digest=$digest"
oci=application/vnd.oci.image
image=$(printf '{"schemaVersion":2,"mediaType":"%s.manifest.v1+json","config":{"mediaType":"%s.config.v1+json","digest":"%s","size":2},"layers":[]}' "$oci" "$oci" "$digest")
curl -fsS -X PUT --data-binary "$image" -H "Content-Type: $oci.manifest.v1+json" "$at/manifests/1"
subject=sha256:$(printf %s "$image" | sha256sum | cut -d' ' -f1)
openssl genpkey -algorithm ed25519 -out key.pem
cosign import-key-pair --key key.pem --output-key-prefix k > /dev/null 2>&1
cosign sign --key k.key --tlog-upload=false --use-signing-config=false --allow-http-registry "127.0.0.1:5979/team/pack@$subject" > /dev/null 2>&1

cosign version 2>&1 | grep GitVersion
venv/bin/python - "$at" "sha256-${subject#sha256:}" <<'PYTHON'
import base64
import json
import sys
from urllib.request import Request, urlopen

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

at, tag = sys.argv[1:]
kinds = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"


def read(path):
    return json.load(urlopen(Request(f"{at}/{path}", headers={"Accept": kinds})))


manifest = read(f"manifests/{read(f'manifests/{tag}')['manifests'][0]['digest']}")
envelope = read(f"blobs/{manifest['layers'][0]['digest']}")["dsseEnvelope"]
payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
encoded = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
signature = base64.b64decode(envelope["signatures"][0]["sig"])
key = load_pem_public_key(open("k.pub", "rb").read())
try:
    key.verify(signature, encoded)
    seen = "verifies"
except InvalidSignature:
    seen = "does not verify"
print(f"expected: the signature of {len(signature)} bytes verifies as Ed25519\nseen: it {seen}")
sys.exit(seen == "verifies")
PYTHON
image="127.0.0.1:5979/team/pack@$subject"
if cosign verify --key k.pub --insecure-ignore-tlog=true --allow-http-registry "$image" > /dev/null 2>&1; then
  echo "seen: cosign verifies its own signature"
  exit 1
fi
echo "seen: cosign does not verify its own signature"
