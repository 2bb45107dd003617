// Packs a folder as one of the writers of npm does: node write.js WRITER FOLDER ARCHIVE
import { createWriteStream, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { create } from 'tar'
import { pack } from 'tar-stream'

const [, , writer, folder, archive] = process.argv
const entries = readdirSync(folder, { recursive: true })
  .sort()
  .map(name => ({ name, path: join(folder, name), stat: statSync(join(folder, name)) }))

const WRITERS = {
  'node-tar': () => create({ gzip: true, file: archive, cwd: folder }, ['.']),
  // So does npm pack.
  'node-tar-portable': () => create({ gzip: true, portable: true, prefix: 'package', file: archive, cwd: folder }, ['.']),
  'node-tar-without-pax': () => create({ gzip: true, noPax: true, file: archive, cwd: folder }, ['.']),
  'tar-stream': async () => {
    const tar = pack()
    for (const { name, path, stat } of entries) {
      const header = { name, mode: stat.mode & 0o777, mtime: stat.mtime }
      if (stat.isDirectory()) tar.entry({ ...header, type: 'directory' })
      else tar.entry(header, readFileSync(path))
    }
    tar.finalize()
    await pipeline(tar, createGzip(), createWriteStream(archive))
  },
}

await WRITERS[writer]()
