#!/usr/bin/env bash
# A skill comes as a .tar.gz that Python's tarfile has written. One path in it has over 100 bytes, so it stands in a pax
# header (POSIX.1-2017, pax, "pax Extended Header"), as in what GNU tar writes with --format=posix.
#
# Expected: the file is installed under its path.
# Seen: it is installed under the first 100 bytes of the path, without a message. The same file in a zip is installed right.
#
# Seen with skills 1.7.4 (npm) on Node.js 22. Needs npm and python3.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@22 skills@1.7.4 >/dev/null
PATH="$folder/node_modules/.bin:$PATH"
export HOME="$folder/home" DISABLE_TELEMETRY=1 CI=1
mkdir home project www

cat >make.py <<'PY'
import hashlib, io, json, pathlib, tarfile, zipfile
entries = []
path = "references/" + "a-folder-with-a-long-name/" * 4 + "deep.md"
for name in ("tarred", "zipped"):
    buffer = io.BytesIO()
    files = {"SKILL.md": f"---\nname: {name}\ndescription: A skill.\n---\n# Text\n", path: "deep\n"}
    if name == "zipped":
        with zipfile.ZipFile(buffer, "w") as file:
            for member, text in files.items():
                file.writestr(member, text)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
            for member, text in files.items():
                info = tarfile.TarInfo(member)
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text.encode()))
    pathlib.Path("www", name).write_bytes(buffer.getvalue())
    entries.append({"name": name, "type": "archive", "description": "A skill.", "url": f"/{name}",
                    "digest": f"sha256:{hashlib.sha256(buffer.getvalue()).hexdigest()}"})
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
skills add "http://127.0.0.1:$port" --skill '*' -a claude-code -y </dev/null >/dev/null 2>&1
for name in tarred zipped; do
  echo "$name: $(cd ".claude/skills/$name" && find references -type f)"
done
test -f ".claude/skills/zipped/references/a-folder-with-a-long-name/a-folder-with-a-long-name/a-folder-with-a-long-name/a-folder-with-a-long-name/deep.md"
test "$(cd .claude/skills/tarred && find references -type f | tr -d '\n' | wc -c)" -le 100
echo "as seen before: the path in the tar is cut off"
