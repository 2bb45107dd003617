#!/usr/bin/env bash
# An index of Agent Skills has two skills. The zip of one is not what its digest names, as after a cache's fault.
#
# Expected: `skills add` names the skill that it did not install, and its exit status is not 0.
# Seen: it verifies the digest and leaves that skill out, without a word about it. It installs the other one, and its exit
#   status is 0. So whoever serves skills learns of a wrong digest only by comparing what arrived.
#
# Seen with skills 1.7.4 (npm) on Node.js 22, against the index of the discovery specification, 0.2.0. Needs npm and python3.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@22 skills@1.7.4 >/dev/null
PATH="$folder/node_modules/.bin:$PATH"
export HOME="$folder/home" DISABLE_TELEMETRY=1 CI=1
mkdir home project www

cat >make.py <<'PY'
import hashlib, io, json, pathlib, zipfile
entries = []
for name in ("right", "wrong"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("SKILL.md", f"---\nname: {name}\ndescription: A skill.\n---\n# Text\n")
    pathlib.Path("www", f"{name}.zip").write_bytes(buffer.getvalue())
    seen = buffer.getvalue() + (b"" if name == "right" else b"one more byte")
    entries.append({"name": name, "type": "archive", "description": "A skill.", "url": f"/{name}.zip",
                    "digest": f"sha256:{hashlib.sha256(seen).hexdigest()}"})
index = pathlib.Path("www", ".well-known", "agent-skills")
index.mkdir(parents=True)
schema = "https://schemas.agentskills.io/discovery/0.2.0/schema.json"
(index / "index.json").write_text(json.dumps({"$schema": schema, "skills": entries}))
PY
python3 make.py
touch port
python3 -u -m http.server --bind 127.0.0.1 --directory www 0 >port 2>/dev/null &
server=$!
until grep -q 'port [0-9]' port; do sleep 0.1; done
port=$(grep -o 'port [0-9]*' port | cut -d' ' -f2)

cd project
status=0
skills add "http://127.0.0.1:$port" --skill right --skill wrong -a claude-code -y </dev/null >../told 2>&1 || status=$?
echo "exit status $status; installed: $(ls .claude/skills | tr '\n' ' ')"
test "$status" = 0
test "$(ls .claude/skills)" = right
! grep -iq 'digest\|integrity\|checksum' ../told
echo "as seen before: the wrong one is left out silently"
