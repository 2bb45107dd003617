// Reads a layer by each of Node.js's readers: node layer.mjs LAYER URL. Prints what read.py prints.
import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { buffer } from 'node:stream/consumers'
import { PassThrough } from 'node:stream'
import { createGunzip, gunzipSync, unzipSync } from 'node:zlib'
import axios from 'axios'
import { Gunzip as FflateGunzip, gunzipSync as fflateGunzipSync } from 'fflate'
import gunzipMaybe from 'gunzip-maybe'
import { Gunzip } from 'minizlib'
import { unpackTar } from 'modern-tar'
import { parseTarGzip } from 'nanotar'
import fetchPackage from 'node-fetch'
import * as pako from 'pako'
import pako2 from 'pako2'
import tarStream from 'tar-stream'
import { Parser } from 'tar'
import * as undici from 'undici'

const [path, url] = process.argv.slice(2)
const layer = readFileSync(path)
const require = createRequire(import.meta.url)
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex')
const version = name => require(`./node_modules/${name}/package.json`).version

const digestOfFiles = files =>
  sha256(files.map(([name, content]) => `${name.replace(/\/$/, '')} ${sha256(content)}\n`).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join(''))

const inflatedByWebStream = async () =>
  Buffer.from(await new Response(new Blob([layer]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer())

const byMinizlib = async () => {
  const gunzip = new Gunzip()
  gunzip.end(layer)
  return gunzip.concat()
}

const byFflateStream = () => {
  const pieces = []
  const gunzip = new FflateGunzip(piece => pieces.push(piece))
  for (let at = 0; at < layer.length; at += 65536) gunzip.push(layer.subarray(at, at + 65536), at + 65536 >= layer.length)
  return Buffer.concat(pieces)
}

const byNodeTar = () =>
  new Promise((resolve, reject) => {
    const files = []
    const parser = new Parser({
      onReadEntry: entry => {
        const pieces = []
        entry.on('data', piece => pieces.push(piece))
        entry.on('end', () => files.push([entry.path, Buffer.concat(pieces)]))
      },
      onwarn: (code, message) => reject(new Error(`${code}: ${message}`)),
    })
    parser.on('error', reject)
    parser.on('end', () => resolve(files))
    parser.end(layer)
  })

const byTarStream = async () => {
  const files = []
  const extract = tarStream.extract()
  createReadStream(path).pipe(createGunzip()).pipe(extract)
  for await (const entry of extract) files.push([entry.header.name, await buffer(entry)])
  return files
}

const byModernTar = async () => {
  const entries = await unpackTar(new Blob([layer]).stream().pipeThrough(new DecompressionStream('gzip')))
  return entries.map(entry => [entry.header.name, entry.data ?? new Uint8Array()])
}

const byNanotar = async () => (await parseTarGzip(layer)).map(file => [file.name, file.data ?? new Uint8Array()])

const whole = {
  'node:zlib gunzipSync': [process.version, () => gunzipSync(layer)],
  'node:zlib unzipSync': [process.version, () => unzipSync(layer)],
  'node:zlib createGunzip': [process.version, () => buffer(createReadStream(path).pipe(createGunzip()))],
  DecompressionStream: [process.version, inflatedByWebStream],
  'fetch, Content-Encoding': [process.version, async () => Buffer.from(await (await fetch(url)).arrayBuffer())],
  'undici, Content-Encoding': [version('undici'), async () => Buffer.from(await (await undici.fetch(url)).arrayBuffer())],
  'axios, Content-Encoding': [version('axios'), async () => Buffer.from((await axios.get(url, { responseType: 'arraybuffer' })).data)],
  'node-fetch, Content-Encoding': [version('node-fetch'), async () => Buffer.from(await (await fetchPackage(url)).arrayBuffer())],
  pako: [version('pako'), () => pako.ungzip(layer)],
  'pako 2': [version('pako2'), () => pako2.ungzip(layer)],
  'fflate gunzipSync': [version('fflate'), () => fflateGunzipSync(layer)],
  'fflate Gunzip': [version('fflate'), byFflateStream],
  minizlib: [version('minizlib'), byMinizlib],
  'gunzip-maybe': [version('gunzip-maybe'), () => buffer(createReadStream(path).pipe(gunzipMaybe()).pipe(new PassThrough()))],
}
const listed = {
  'node-tar': [version('tar'), byNodeTar],
  'tar-stream': [version('tar-stream'), byTarStream],
  'modern-tar': [version('modern-tar'), byModernTar],
  nanotar: [version('nanotar'), byNanotar],
}

const report = async (reader, made, kind, digest) => {
  const answer = { reader, version: made, kind, digest: '', error: '' }
  try {
    answer.digest = await digest()
  } catch (error) {
    answer.error = String(error)
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

for (const [name, [made, read]] of Object.entries(whole)) await report(name, made, 'tar', async () => sha256(await read()))
for (const [name, [made, read]] of Object.entries(listed)) await report(name, made, 'files', async () => digestOfFiles(await read()))
