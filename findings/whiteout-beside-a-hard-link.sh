#!/usr/bin/env bash
# An image's upper layer has two members: `b`, a hard link to `a` of the lower layer, and `.wh.a`, which deletes that `a`.
#
# Expected: their order makes no difference. The specification of layers has whiteouts hide what lies in lower layers and
#   nothing of their own layer, and gives no meaning to where in the layer they stand.
# Seen: umoci works through the members one by one. With the link first there is a file `b` in the end, with the content
#   that the lower layer had under `a`. With the whiteout first the link has nothing to name, and the image cannot be
#   unpacked at all. So who lists an image's files has to take links in their order, though whiteouts have none.
# Source: opencontainers/image-spec, layer.md, "Whiteouts"; umoci's oci/layer, UnpackEntry.
# Needs Debian's umoci and python3.
set -euo pipefail
for program in umoci python3; do
    command -v "$program" >/dev/null || { echo "needs $program: apt-get install umoci python3" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umoci --version
python3 --version

cat >"$work/make.py" <<'PYTHON'
import hashlib, io, json, os, sys, tarfile

layout, *order = sys.argv[1:]
blobs = f"{layout}/blobs/sha256"
os.makedirs(blobs)

def put(content, media_type):
    digest = hashlib.sha256(content).hexdigest()
    with open(f"{blobs}/{digest}", "wb") as out:
        out.write(content)
    return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": f"sha256:{digest}", "size": len(content)}

def layer(*names):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            content = b"hello" if name == "a" else b""
            member.size = len(content)
            if name == "b":
                member.type, member.linkname = tarfile.LNKTYPE, "a"
            archive.addfile(member, io.BytesIO(content))
    return put(made.getvalue(), "layer.v1.tar")

layers = [layer("a"), layer(*order)]
rootfs = {"type": "layers", "diff_ids": [one["digest"] for one in layers]}
config = {"os": "linux", "architecture": "amd64", "config": {}, "rootfs": rootfs}
manifest = {"schemaVersion": 2, "layers": layers, "config": put(json.dumps(config).encode(), "config.v1+json")}
entry = put(json.dumps(manifest).encode(), "manifest.v1+json")
entry["annotations"] = {"org.opencontainers.image.ref.name": "made"}
for name, body in (("index.json", {"schemaVersion": 2, "manifests": [entry]}), ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
    with open(f"{layout}/{name}", "w") as out:
        json.dump(body, out)
PYTHON

unpacked() { # what the image holds whose upper layer has these members in this order
    python3 "$work/make.py" "$work/layout-$1-$2" "$1" "$2"
    if umoci unpack --rootless --image "$work/layout-$1-$2:made" "$work/bundle-$1-$2" >/dev/null 2>&1; then
        (cd "$work/bundle-$1-$2/rootfs" && grep -r . . | tr '\n' ' ')
    else
        echo "cannot be unpacked"
    fi
}

seen="link first: $(unpacked b .wh.a); whiteout first: $(unpacked .wh.a b)"
echo "expected: the same twice"
echo "seen:     $seen"
[ "$seen" = "link first: ./b:hello ; whiteout first: cannot be unpacked" ]
