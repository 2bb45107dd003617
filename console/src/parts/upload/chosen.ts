import type { Dropped } from "../../content/drop.ts";
import { checkFolder, type Fault } from "../../content/folder.ts";
import { archiveOf, type PackFile } from "../../content/tar.ts";
import { textsInArchive } from "../../content/untar.ts";

/** What a person has dropped, checked as far as the page can. */
export interface Chosen {
  name: string;
  kind: "folder" | "archive";
  /** Of a folder; empty for an archive, which the service opens. */
  files: readonly PackFile[];
  bytes: number;
  faults: readonly Fault[];
  leftOut: readonly string[];
  /** A dropped archive, to look into. */
  opened?: File;
  /** The archive to send: packed when it is first asked for, and then kept. */
  archive: (onBytes: (bytes: number) => void, signal: AbortSignal) => Promise<Blob>;
}

/** The most that the service takes of an archive (API contract, section 3). */
const MOST_BYTES = 256 << 20;

/** Check what was dropped; undefined if it was nothing. */
export async function chosenFrom(dropped: Dropped): Promise<Chosen | undefined> {
  switch (dropped.kind) {
    case "nothing":
      return undefined;
    case "archive":
      return {
        name: dropped.name,
        kind: "archive",
        files: [],
        bytes: dropped.file.size,
        faults: await archiveFaults(dropped.file),
        leftOut: [],
        opened: dropped.file,
        archive: () => Promise.resolve(dropped.file),
      };
    case "folder":
      return folder(dropped);
  }
}

async function folder(dropped: Dropped & { kind: "folder" }): Promise<Chosen> {
  const { files, faults, leftOut, bytes } = await checkFolder(dropped.files);
  if (dropped.tooMany) {
    faults.push({ path: "", message: "the folder has over 20,000 files; leave out what is generated, or make several packs" });
  }
  let packed: Promise<Blob> | undefined;
  return {
    name: dropped.name || "the dropped files",
    kind: "folder",
    files,
    bytes,
    faults,
    leftOut,
    archive: (onBytes, signal) =>
      (packed ??= archiveOf(files, onBytes, signal).catch((error: unknown) => {
        packed = undefined;
        throw error;
      })),
  };
}

async function archiveFaults(file: File): Promise<Fault[]> {
  if (file.size === 0) return [{ path: "", message: "the archive is empty" }];
  if (file.size > MOST_BYTES) {
    return [{ path: "", message: `the archive has ${file.size.toLocaleString("en")} bytes, and ${MOST_BYTES.toLocaleString("en")} is the most` }];
  }
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const gzip = first === 0x1f && second === 0x8b;
  const zip = first === 0x50 && second === 0x4b;
  return gzip || zip ? [] : [{ path: "", message: "this is neither a .tar.gz nor a .zip, whatever its name says" }];
}

/** The texts of the files that faults name, so that each can be shown at its line. */
export async function textsFor(chosen: Chosen, paths: Iterable<string>): Promise<ReadonlyMap<string, string>> {
  const wanted = new Set([...paths].filter((path) => path !== ""));
  if (chosen.opened) return textsInArchive(chosen.opened, wanted);
  const found = chosen.files.filter(({ path, file }) => wanted.has(path) && file.size <= MOST_TEXT);
  const texts = await Promise.all(found.map(async ({ path, file }) => [path, await textOf(file)] as const));
  return new Map(texts);
}

const MOST_TEXT = 1 << 20;

async function textOf(file: Blob): Promise<string> {
  // A file that cannot be read any more is shown without its lines.
  return file.text().catch(() => "");
}
