#!/usr/bin/env bash
# An OCI layout has one image under one tag: an index with a manifest for each of two processors, as most images have it.
#
# Expected: `umoci unpack` takes the manifest of this machine's processor, as skopeo, podman and docker do, or has an option
#   that names one.
# Seen: "tag is ambiguous". The image must first be copied with one manifest (skopeo copy without --all).
#
# Seen with umoci 0.4.7 and skopeo 1.9.3 of Debian 12. Needs umoci, skopeo and python3.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >make.py <<'PY'
import gzip, hashlib, io, json, pathlib, tarfile
blobs = pathlib.Path("layout/blobs/sha256")
blobs.mkdir(parents=True)
def put(content):
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}
def document(kind, value):
    return {"mediaType": f"application/vnd.oci.image.{kind}", **put(json.dumps(value).encode())}
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode="w") as file:
    file.addfile(tarfile.TarInfo("file"), io.BytesIO())
layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **put(gzip.compress(tar.getvalue(), mtime=0))}
diff = f"sha256:{hashlib.sha256(tar.getvalue()).hexdigest()}"
manifests = []
for processor in ("amd64", "arm64"):
    config = document("config.v1+json", {"architecture": processor, "os": "linux", "config": {},
                                         "rootfs": {"type": "layers", "diff_ids": [diff]}})
    manifest = document("manifest.v1+json", {"schemaVersion": 2, "config": config, "layers": [layer]})
    manifests.append({**manifest, "platform": {"architecture": processor, "os": "linux"}})
index = document("index.v1+json", {"schemaVersion": 2, "manifests": manifests})
entry = {**index, "annotations": {"org.opencontainers.image.ref.name": "tag"}}
pathlib.Path("layout/index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
pathlib.Path("layout/oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
PY
python3 make.py
skopeo copy --quiet oci:layout:tag oci:single:tag
umoci unpack --rootless --image layout:tag of-index 2>index || echo "of the index: $(tail -1 index)"
umoci unpack --rootless --image single:tag of-manifest
echo "of one manifest: $(ls of-manifest/rootfs)"
grep -q 'tag is ambiguous' index
echo "as seen before: it cannot choose"
