#!/usr/bin/env bash
# A server of the Model Context Protocol lists two skills (extension io.modelcontextprotocol/skills, SEP-2640). The entry of one
# has a member more than the extension names.
#
# Expected: FastMCP's client returns the other skill, and says what is wrong with this one.
# Seen: it returns none, since one entry that does not validate makes the whole answer invalid. A server has to leave out
#   what a client may not know.
#
# Seen with FastMCP 4.2.3 and mcp 2.3.0. Needs python3 (3.10 or newer) with venv.
set -eu
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check fastmcp==4.2.3 mcp==2.3.0 2>/dev/null

cat >serve.py <<'PY'
import hashlib, json
from http.server import BaseHTTPRequestHandler, HTTPServer
def entry(name):
    text = f"---\nname: {name}\ndescription: A skill.\n---\n"
    uri = f"skill://acme/{name}/SKILL.md"
    file = {"uri": uri, "digest": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}", "size": len(text)}
    return {"uri": uri, "frontmatter": {"name": name, "description": "A skill."}, "resources": [file]}
class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["method"] == "server/discover":
            result = {"supportedVersions": ["2026-07-28"], "ttlMs": 0, "cacheScope": "private",
                      "capabilities": {"resources": {}, "extensions": {"io.modelcontextprotocol/skills": {}}}}
        else:
            more = {"version": "1.0.0"} if self.path == "/more" else {}
            result = {"skills": [entry("plain"), {**entry("other"), **more}]}
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
cat >read.py <<'PY'
import asyncio, sys
from fastmcp import Client
from fastmcp.skills import SkillsClientExtension
async def main(base):
    for path in ("mcp", "more"):
        async with Client(f"{base}/{path}", extensions=[SkillsClientExtension()]) as client:
            try:
                print(f"{path}: {len(await client.list_skills())} skills")
            except Exception as error:
                print(f"{path}: {str(error).splitlines()[0]}")
asyncio.run(main(sys.argv[1]))
PY
touch port
python3 serve.py >port &
server=$!
until grep -q 'port [0-9]' port; do sleep 0.1; done
venv/bin/python read.py "http://127.0.0.1:$(cut -d' ' -f2 port)" 2>/dev/null | tee seen
grep -q '^mcp: 2 skills$' seen
grep -q '^more: .*validation error.* for ListSkillsResult$' seen
echo "as seen before: one entry empties the list"
