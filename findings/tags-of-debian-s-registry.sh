#!/bin/bash
# Tags of Debian's docker-registry (CNCF distribution 2.8): pages are ignored, order is none, and an empty list is null.
#
# Expected by the OCI distribution-spec ("Listing Tags"): `?n=2` answers at most two tags, in lexical order, `last=` goes
# on behind a tag, `Link` names the next page, and `tags` is a list. Paging came with distribution 3.
# Seen: `?n=2` and `?last=` answer all tags without a `Link`, in no order, and a repository whose manifests have been
# deleted answers `"tags": null`. A client that asks for the tags behind the last one until none comes does not end.
# Sources: distribution-spec, "Listing Tags"; regclient #272 is the same trap from the other side.
#
# Needs docker-registry (Debian 12, apt-get install docker-registry) and python3. Exits 1 when any of it has changed.
set -eu

command -v docker-registry >/dev/null || { echo "needs docker-registry: apt-get install docker-registry" >&2; exit 2; }
folder=$(mktemp -d)
trap 'kill "${registry:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cat > "$folder/config.yml" <<YAML
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $folder/data}, delete: {enabled: true}}
http: {addr: '127.0.0.1:0'}
YAML
docker-registry serve "$folder/config.yml" > "$folder/log" 2>&1 &
registry=$!
docker-registry --version
python3 --version

cat > "$folder/look.py" <<'PYTHON'
import hashlib, json, re, sys, time, urllib.request
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
for _ in range(200):
    address = re.search(r"listening on (127\.0\.0\.1:\d+)", Path(sys.argv[1]).read_text())
    if address:
        break
    time.sleep(0.05)
base = f"http://{address[1]}/v2/some/pack"

def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()

def ask(method, url, body=None, kind="application/octet-stream"):
    headers = {"Content-Type": kind, "Accept": MANIFEST}
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request) as answer:
        return answer.headers, answer.read()

def tags(query):
    headers, body = ask("GET", f"{base}/tags/list{query}")
    return json.loads(body)["tags"], headers.get("Link")

location = ask("POST", f"{base}/blobs/uploads/", b"")[0]["Location"]
ask("PUT", f"{location}&digest={digest(CONFIG)}", CONFIG)
config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(CONFIG), "size": len(CONFIG)}
manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": []}).encode()
names = [f"1.{minor}.0" for minor in range(12)]
for name in names:
    ask("PUT", f"{base}/manifests/{name}", manifest, MANIFEST)

paged, link = tags("?n=2")
behind, _ = tags("?n=2&last=1.9.0")
ask("DELETE", f"{base}/manifests/{digest(manifest)}")
empty, _ = tags("")
print(f"?n=2: expected 2 tags and a Link, seen {len(paged)} and {link!r}")
print(f"?n=2&last=1.9.0 (the last one): expected none, seen {len(behind)}")
print(f"order: expected {sorted(names)[:3]}..., seen {paged[:3]}...")
print(f"after the only manifest is deleted: expected [], seen {json.dumps(empty)}")
unsorted = any(tags != sorted(names) for tags in (paged, behind))
same = (len(paged), link, len(behind), empty) == (12, None, 12, None) and unsorted
sys.exit(0 if same else 1)
PYTHON
python3 "$folder/look.py" "$folder/log"
