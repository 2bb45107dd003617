#!/usr/bin/env bash
# A server of the Model Context Protocol (2026-07-28) answers `skills/list` and `tools/list` without `ttlMs` and `cacheScope`.
#
# Expected: FastMCP treats both alike, since both are lists of one protocol version.
# Seen: it takes the list of skills, and refuses that of tools. So `fastmcp list URL --skills`, which asks for tools as well,
#   fails at a server that has skills and no tools, until it states a lifetime of its empty list of tools.
#
# Seen with FastMCP 4.2.3 and mcp 2.3.0. Needs python3 (3.10 or newer) with venv.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check fastmcp==4.2.3 mcp==2.3.0 2>/dev/null

cat >serve.py <<'PY'
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        lifetime = {"ttlMs": 0, "cacheScope": "private"}
        result = {
            "server/discover": {"supportedVersions": ["2026-07-28"], **lifetime, "capabilities":
                {"resources": {}, "tools": {}, "extensions": {"io.modelcontextprotocol/skills": {}}}},
            "skills/list": {"skills": []},
            "tools/list": {"tools": [], **(lifetime if self.path == "/stated" else {})},
        }[asked["method"]]
        body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": {"resultType": "complete", **result}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = HTTPServer(("127.0.0.1", 0), Server)
print("port", server.server_port, flush=True)
server.serve_forever()
PY
touch port
python3 serve.py >port &
server=$!
until grep -q 'port [0-9]' port; do sleep 0.1; done
for path in stated unstated; do
  status=0
  venv/bin/fastmcp list "http://127.0.0.1:$(cut -d' ' -f2 port)/$path" --skills >"$path" 2>&1 </dev/null || status=$?
  echo "$path: exit status $status, $(tail -1 "$path")"
done
grep -q 'No skills found\|Skills (0)' stated
grep -q 'ListToolsResult' unstated
echo "as seen before: the list of tools must state a lifetime, and that of skills need not"
