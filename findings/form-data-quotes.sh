#!/usr/bin/env bash
# A file name with a quote in it, sent by two clients that run in Node.
#
# One would expect both to escape it: RFC 7578, section 4.2, wants a quoted string, and browsers write %22 (WHATWG HTML,
# "Multipart form data"). Node's own fetch does. The package form-data, on which axios, node-fetch and superagent build, puts
# the name between quotes as it is: Python's multipart reads the file name `a `, and busboy, which most servers on Node use,
# finds no part at all and reports no error.
#
# Seen with form-data 4.0.4; busboy 1.6.0 and Python's multipart 2.0.1 as readers. Needs node, npm, and python3 with venv.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund form-data@4.0.4 busboy@1.6.0 >/dev/null
python3 -m venv venv && venv/bin/pip install -q --disable-pip-version-check multipart==2.0.1 2>/dev/null

cat >write.mjs <<'JS'
import FormData from 'form-data'
import busboy from 'busboy'
import { writeFileSync } from 'node:fs'
const name = 'a "b".tgz'
const old = new FormData()
old.append('archive', Buffer.from('x'), { filename: name })
const body = old.getBuffer()
writeFileSync('body', body)
writeFileSync('boundary', old.getBoundary())
const line = (bytes) => /filename=[^\r]*/.exec(bytes.toString())[0]
const modern = new globalThis.FormData()
modern.append('archive', new Blob(['x']), name)
const fetched = Buffer.from(await new Response(modern).arrayBuffer())
console.log(`node ${process.version} fetch: ${line(fetched)}`)
console.log(`form-data 4.0.4: ${line(body)}`)
const parts = []
const reader = busboy({ headers: old.getHeaders() })
reader.on('file', (part, stream, info) => { parts.push(`${part} as ${info.filename}`); stream.resume() })
reader.on('close', () => console.log(`busboy 1.6.0 reads: ${parts.join() || 'no part'}`))
reader.end(body)
JS
cat >read.py <<'PY'
from multipart import PushMultipartParser
body, boundary = open("body", "rb").read(), open("boundary").read()
with PushMultipartParser(boundary, len(body)) as parser:
    parts = [f"{event.name} as {event.filename}" for event in parser.parse(body) if hasattr(event, "filename")]
print("multipart 2.0.1 reads:", ", ".join(parts) or "no part")
PY
{ node write.mjs; venv/bin/python read.py; } | tee seen
grep -q 'fetch: filename="a %22b%22.tgz"' seen
grep -q '^form-data 4.0.4: filename="a "b".tgz"' seen
grep -q '^busboy 1.6.0 reads: no part$' seen
grep -q '^multipart 2.0.1 reads: archive as a $' seen
echo "as seen before: the quote is not escaped, and what readers make of it differs"
