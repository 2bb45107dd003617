// Lists archives as node-tar reads them. Each line of the input is the path of a .tar.gz; the answer is a line of JSON.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Parser } from 'tar'

const KINDS = { File: 'file', OldFile: 'file', ContiguousFile: 'file', Directory: 'directory', Link: 'link' }

// A bound on how well something may be compressed says nothing about what it means.
const OPTIONS = { maxDecompressionRatio: Infinity }

const list = path =>
  new Promise((resolve, reject) => {
    const members = []
    const parser = new Parser({
      ...OPTIONS,
      onReadEntry: entry => {
        const digest = createHash('sha256')
        entry.on('data', piece => digest.update(piece))
        entry.on('end', () =>
          members.push({
            name: entry.path,
            kind: KINDS[entry.type] ?? entry.type,
            executable: ((entry.mode ?? 0) & 0o111) !== 0,
            link: entry.linkpath ?? '',
            sha256: digest.digest('hex'),
          }),
        )
      },
      // It leaves out what it cannot read, and goes on.
      onwarn: (code, message) => reject(new Error(`${code}: ${message}`)),
    })
    parser.on('ignoredEntry', entry => reject(new Error(`left out: ${entry.path}`)))
    parser.on('error', reject)
    parser.on('end', () => resolve(members))
    parser.end(readFileSync(path))
  })

for await (const path of createInterface({ input: process.stdin })) {
  let answer
  try {
    answer = { members: await list(path), error: '' }
  } catch (error) {
    answer = { members: [], error: String(error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
