#!/usr/bin/env bash
# A registry that speaks ClawHub's API says of one skill that its license is MIT, and says nothing of another's license.
#
# Expected: `clawhub inspect` prints "MIT" for the first, and for the second that it does not know.
# Seen: for the first it ends with "latestVersion.license: invalid value", since the only license that it takes is "MIT-0".
#   For the second it prints "License MIT-0 (Free to use, modify, and redistribute. No attribution required.)".
#
# Seen with clawhub 0.23.3 (npm) on Node.js 22. Needs npm and python3.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@22 clawhub@0.23.3 >/dev/null
PATH="$folder/node_modules/.bin:$PATH"
export HOME="$folder/home" CLAWHUB_DISABLE_TELEMETRY=1 NO_COLOR=1 CI=1
mkdir home

cat >serve.py <<'PY'
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
class Registry(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.partition("?")[0].rpartition("/")[2]
        version = {"version": "1.0.0", "createdAt": 0, "changelog": ""}
        version |= {"license": "MIT"} if name == "stated" else {}
        skill = {"slug": name, "displayName": name, "tags": {}, "stats": {}, "createdAt": 0, "updatedAt": 0}
        body = json.dumps({"skill": skill, "latestVersion": version, "owner": {"handle": "acme"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = HTTPServer(("127.0.0.1", 0), Registry)
print("port", server.server_port, flush=True)
server.serve_forever()
PY
touch port
python3 serve.py >port &
server=$!
until grep -q 'port [0-9]' port; do sleep 0.1; done
export CLAWHUB_REGISTRY="http://127.0.0.1:$(cut -d' ' -f2 port)"

for name in stated unknown; do
  clawhub inspect "@acme/$name" </dev/null >"$name" 2>&1 || echo "exit status $?" >>"$name"
  echo "$name: $(grep -i 'license\|exit status' "$name" | tr -s ' │\n' ' ')"
done
grep -q 'license: invalid value' stated
grep -q 'License *MIT-0' unknown
echo "as seen before: MIT is refused, and no license is shown as MIT-0"
