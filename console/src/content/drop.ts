/** What a person dropped or chose: the files of a folder, or one archive. */

/** A file of a folder, before anything was checked. */
export interface FoundFile {
  /** Relative to the folder. */
  path: string;
  file: File;
}

export type Dropped =
  | { kind: "folder"; name: string; files: FoundFile[]; tooMany: boolean }
  | { kind: "archive"; name: string; file: File }
  | { kind: "nothing" };

/** As many as an archive may have (API contract, section 3), and one that shows that there are more. */
const MOST_FILES = 20_001;
const ARCHIVE = /\.(?:tar\.gz|tgz|zip)$/i;

/**
 * Read what was dropped. One folder is the pack's root; several files or folders are the root's entries.
 *
 * The entries must be taken in the event's own turn: browsers empty the list after it.
 */
export async function droppedItems(items: DataTransferItemList): Promise<Dropped> {
  const entries = Array.from(items, (item) => (item.kind === "file" ? item.webkitGetAsEntry() : null)).filter(
    (entry) => entry !== null,
  );
  const [only] = entries;
  if (!only) return { kind: "nothing" };
  if (entries.length === 1 && only.isFile && ARCHIVE.test(only.name)) {
    return { kind: "archive", name: only.name, file: await fileOf(only as FileSystemFileEntry) };
  }
  const files: FoundFile[] = [];
  const root = entries.length === 1 && only.isDirectory ? `${only.name}/` : "";
  for (const entry of entries) await walk(entry, "", files);
  return folderOf(files, root);
}

/** Read what was chosen with a file dialog: a folder's files, which say their place in it, or one archive. */
export function chosenFiles(list: FileList): Dropped {
  const files = Array.from(list, (file) => ({ path: file.webkitRelativePath || file.name, file }));
  const [only] = files;
  if (!only) return { kind: "nothing" };
  if (files.length === 1 && !only.file.webkitRelativePath && ARCHIVE.test(only.file.name)) {
    return { kind: "archive", name: only.file.name, file: only.file };
  }
  const folder = only.file.webkitRelativePath ? only.path.slice(0, only.path.indexOf("/") + 1) : "";
  return folderOf(files.slice(0, MOST_FILES), folder);
}

function folderOf(files: FoundFile[], root: string): Dropped {
  const inside = files.map(({ path, file }) => ({ path: path.slice(root.length), file }));
  return { kind: "folder", name: root.slice(0, -1), files: inside, tooMany: files.length >= MOST_FILES };
}

async function walk(entry: FileSystemEntry, above: string, found: FoundFile[]): Promise<void> {
  if (found.length >= MOST_FILES) return;
  const path = above + entry.name;
  if (entry.isFile) {
    found.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader answers some entries at a time, and none at the end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return;
    for (const each of some) await walk(each, `${path}/`, found);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });
}
