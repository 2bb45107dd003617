/**
 * Texts out of a dropped `.tar.gz`, so that a fault can be shown at its line there as well.
 *
 * This is for showing only. What an archive holds is for the service to say: what this reader does not understand is
 * shown without its lines.
 */

const BLOCK = 512;
/** Of the unpacked archive, and of one text. */
const MOST_READ = 64 << 20;
const MOST_TEXT = 1 << 20;

/** Return the texts of the wanted files that are found, by their paths in the pack. */
export async function textsInArchive(archive: Blob, wanted: ReadonlySet<string>): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (wanted.size === 0) return found;
  const reader = new Reader(archive.stream().pipeThrough(new DecompressionStream("gzip")));
  try {
    let longName: string | undefined;
    while (found.size < wanted.size) {
      const header = await reader.take(BLOCK);
      if (!header || header[0] === 0) break;
      const { name, kind, size } = parsed(header);
      const content = size <= MOST_TEXT ? await reader.take(size) : await reader.skip(size);
      await reader.skip((BLOCK - (size % BLOCK)) % BLOCK);
      if (kind === "x" || kind === "L") {
        longName = content && nameIn(kind, content);
        continue;
      }
      const path = inPack(longName ?? name, wanted);
      longName = undefined;
      if (path !== undefined && content && (kind === "0" || kind === "\0")) found.set(path, decoded(content));
    }
  } catch {
    // Not gzip, cut off, or larger than what is worth reading.
  } finally {
    reader.close();
  }
  return found;
}

/** The path in the pack, which begins at the archive's root or in its only folder; undefined if it is not wanted. */
function inPack(name: string, wanted: ReadonlySet<string>): string | undefined {
  const path = name.replace(/^(?:\.\/)+/, "");
  const below = path.slice(path.indexOf("/") + 1);
  return [path, below].find((each) => wanted.has(each));
}

function parsed(header: Uint8Array): { name: string; kind: string; size: number } {
  const text = (from: number, to: number): string => decoded(header.subarray(from, to)).replace(/\0.*$/s, "");
  const prefix = text(257, 262) === "ustar" ? text(345, 500) : "";
  const size = Number.parseInt(text(124, 136).trim() || "0", 8);
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError("no size that this reader knows");
  return { name: prefix ? `${prefix}/${text(0, 100)}` : text(0, 100), kind: String.fromCharCode(header[156] ?? 0), size };
}

/** The name in a pax header, or in GNU tar's own. */
function nameIn(kind: "x" | "L", content: Uint8Array): string | undefined {
  if (kind === "L") return decoded(content).replace(/\0.*$/s, "");
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(decoded(content))?.[1];
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Takes so many bytes at a time from a stream. */
class Reader {
  private readonly source: ReadableStreamDefaultReader<Uint8Array>;
  private held: Uint8Array = new Uint8Array();
  private read = 0;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.source = stream.getReader();
  }

  /** Return so many bytes; undefined if the stream ends before. */
  async take(count: number): Promise<Uint8Array | undefined> {
    const taken = new Uint8Array(count);
    let at = 0;
    while (at < count) {
      if (this.held.length === 0 && !(await this.more())) return undefined;
      const part = this.held.subarray(0, count - at);
      taken.set(part, at);
      at += part.length;
      this.held = this.held.subarray(part.length);
    }
    return taken;
  }

  async skip(count: number): Promise<undefined> {
    let left = count;
    while (left > 0) {
      if (this.held.length === 0 && !(await this.more())) return;
      const part = Math.min(left, this.held.length);
      this.held = this.held.subarray(part);
      left -= part;
    }
  }

  close(): void {
    void this.source.cancel().catch(() => undefined);
  }

  private async more(): Promise<boolean> {
    const { done, value } = await this.source.read();
    if (done) return false;
    this.held = value;
    this.read += value.length;
    if (this.read > MOST_READ) throw new RangeError("more than is worth reading to show a line");
    return true;
  }
}
