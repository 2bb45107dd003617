/**
 * A canonical `.tar.gz` of a pack's files, as `packyard pack` writes it: pax interchange format, times and owners 0,
 * modes 0644 or 0755. The same files give the same tar wherever they are packed (API contract, section 4).
 */

const BLOCK = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
/** Bytes of a file that are read at a time, so that a large file is never in memory as a whole. */
const PIECE = 1 << 20;

const encoder = new TextEncoder();

/** A file of a pack. */
export interface PackFile {
  /** Relative to the pack's root, with slashes. */
  path: string;
  file: Blob;
  executable: boolean;
}

/** A file could not be read to its end: it was changed, moved or locked after it was dropped. */
export class FileChanged extends Error {
  constructor(readonly path: string) {
    super(`${path} changed while it was packed. Drop the folder again when nothing else writes into it.`);
  }
}

/** The blocks that stand before a file's content. */
export function fileHeader(path: string, size: number, executable: boolean): Uint8Array<ArrayBuffer> {
  const name = encoder.encode(path);
  const mode = executable ? 0o755 : 0o644;
  const split = splitName(name);
  if (split) return headerBlock(split.name, split.prefix, "0", mode, size);
  const record = paxRecord(name);
  // Readers that know pax ignore the second name, so it only has to be there and be valid.
  const short = encoder.encode(path.replace(/[^\x20-\x7e]/gu, "?").slice(0, NAME_BYTES));
  return joined([
    headerBlock(encoder.encode("PaxHeader"), new Uint8Array(), "x", 0o644, record.length),
    record,
    padding(record.length),
    headerBlock(short, new Uint8Array(), "0", mode, size),
  ]);
}

/** Bytes that the files take in a tar, headers and end included. */
export function tarSize(files: readonly { path: string; size: number }[]): number {
  const each = files.map(({ path, size }) => fileHeader(path, size, false).length + size + padding(size).length);
  return each.reduce((sum, bytes) => sum + bytes, 2 * BLOCK);
}

/**
 * Pack files into a `.tar.gz`.
 *
 * @param files In the order of the archive; `inOrder` gives the canonical one.
 * @param onBytes Called with each number of bytes that was read.
 * @throws FileChanged if a file cannot be read as it was.
 */
export async function archiveOf(
  files: readonly PackFile[],
  onBytes: (bytes: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Blob> {
  const pieces = piecesOf(files, onBytes);
  let failure: unknown;
  const tar = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        signal?.throwIfAborted();
        const next = await pieces.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      } catch (error) {
        failure = error;
        controller.error(error);
      }
    },
  });
  try {
    const packed = await new Response(tar.pipeThrough(new CompressionStream("gzip"))).blob();
    return packed.slice(0, packed.size, "application/gzip");
  } catch (error) {
    // Browsers wrap what a stream fails with, each in its own way.
    throw failure ?? error;
  }
}

/** Files in the order of an image: the file that says what the pack is, then by path as bytes, segment by segment. */
export function inOrder<T extends { path: string }>(files: readonly T[]): T[] {
  const keyed = files.map((file) => ({ file, key: sortKey(file.path) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ file }) => file);
}

function sortKey(path: string): string {
  const first = path === "pack.yaml" || path === "SKILL.md" ? "0" : "1";
  // One character a byte, because strings compare by UTF-16 units; NUL for a slash, so that a folder comes before its kin.
  return first + Array.from(encoder.encode(path), (byte) => (byte === 0x2f ? "\0" : String.fromCharCode(byte))).join("");
}

async function* piecesOf(
  files: readonly PackFile[],
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const { path, file, executable } of files) {
    yield fileHeader(path, file.size, executable);
    for (let at = 0; at < file.size; at += PIECE) {
      const wanted = Math.min(PIECE, file.size - at);
      const piece = await read(path, file.slice(at, at + wanted));
      if (piece.length !== wanted) throw new FileChanged(path);
      onBytes(wanted);
      yield piece;
    }
    yield padding(file.size);
  }
  yield new Uint8Array(2 * BLOCK);
}

async function read(path: string, part: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await part.arrayBuffer());
  } catch {
    // NotReadableError or NotFoundError: browsers compare a file's time with that of when it was dropped.
    throw new FileChanged(path);
  }
}

function splitName(path: Uint8Array<ArrayBuffer>): { name: Uint8Array; prefix: Uint8Array } | undefined {
  // Some readers decode ustar names by the locale, so a path that is not ASCII needs a pax record.
  if (path.some((byte) => byte > 0x7e)) return undefined;
  if (path.length <= NAME_BYTES) return { name: path, prefix: new Uint8Array() };
  const slash = path.subarray(0, PREFIX_BYTES + 1).lastIndexOf(0x2f);
  if (slash < 1 || path.length - slash - 1 > NAME_BYTES) return undefined;
  return { name: path.subarray(slash + 1), prefix: path.subarray(0, slash) };
}

/** `<length> path=<path>` and a newline. The length includes its own digits. */
function paxRecord(path: Uint8Array): Uint8Array<ArrayBuffer> {
  const rest = " path=\n".length + path.length;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length += 1;
  return joined([encoder.encode(`${length} path=`), path, encoder.encode("\n")]);
}

function headerBlock(
  name: Uint8Array,
  prefix: Uint8Array,
  kind: "0" | "x",
  mode: number,
  size: number,
): Uint8Array<ArrayBuffer> {
  if (size >= 8 ** 11) throw new RangeError("a tar header cannot state 8 GiB or more");
  const block = new Uint8Array(BLOCK);
  const put = (text: string, at: number): void => block.set(encoder.encode(text), at);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  block.set(name, 0);
  put(octal(mode, 7), 100);
  put(octal(0, 7), 108); // owner
  put(octal(0, 7), 116); // group
  put(octal(size, 11), 124);
  put(octal(0, 11), 136); // time
  put(" ".repeat(8), 148); // the checksum counts itself as spaces
  put(kind, 156);
  put("ustar\x0000", 257);
  put(octal(0, 7), 329); // device
  put(octal(0, 7), 337);
  block.set(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function padding(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
