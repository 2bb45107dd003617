#!/usr/bin/env bash
# A 304 that states a content type changes what a cache has kept, and some gateways state one without being asked.
#
# Expected: a 304 Not Modified leaves what the client has kept as it is; it says that nothing has changed.
# Seen: CacheControl (the cache of pip and of many clients of Requests) writes every header of a 304 but Content-Length over
#   those that it has kept. After the second read, an HTML page is application/json, for this client and for good.
# Where it bites: API Gateway adds "Content-Type: application/json" to an answer of a function that states none
#   (aws/aws-sam-cli #1218), which is what a framework's bodyless 304 is. Other servers have a default of their own
#   (h3js/h3 #603), and other caches do the same (okhttp issue 3265). Browsers keep the type that they have.
# Rule: RFC 9111, section 3.2, lets a cache update it; RFC 9110, section 15.4.5, wants a 304 to have no such header unless
#   it is there to guide the update. So where one may be added on the way, state the right one.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check requests==2.32.3 cachecontrol==0.14.2

"$folder/venv/bin/python" - <<'PYTHON'
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import requests
from cachecontrol import CacheControl


class Page(BaseHTTPRequestHandler):
    """A page that never changes; what its 304 says of its type depends on where it is asked for."""

    def do_GET(self):
        known = self.headers.get("If-None-Match") == '"1"'
        self.send_response(304 if known else 200)
        self.send_header("ETag", '"1"')
        self.send_header("Cache-Control", "no-cache")
        body = b"" if known else b"<p>hello</p>"
        if not known or self.path == "/stated":
            self.send_header("Content-Type", "text/html")
        elif self.path == "/default":
            self.send_header("Content-Type", "application/json")
        if not known:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
session = CacheControl(requests.Session())

print("cachecontrol", version("cachecontrol"), "requests", version("requests"), "python", sys.version.split()[0])
seen = {}
for path in ("/none", "/stated", "/default"):
    reads = [session.get(f"http://127.0.0.1:{server.server_port}{path}") for _ in range(3)]
    assert [read.text for read in reads] == ["<p>hello</p>"] * 3
    assert reads[1].from_cache, "the second read was a 304"
    seen[path] = [read.headers["Content-Type"] for read in reads]

print("a 304 without a type:      expected text/html three times, seen", seen["/none"])
print("a 304 with the right type: expected text/html three times, seen", seen["/stated"])
print("a 304 with a default type: expected text/html three times, seen", seen["/default"])
html, json = "text/html", "application/json"
sys.exit(seen != {"/none": [html] * 3, "/stated": [html] * 3, "/default": [html, json, json]})
PYTHON
