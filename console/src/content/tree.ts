/** The folders of a pack, made of its files' paths. */

export interface Folder<Item> {
  readonly name: string;
  readonly path: string;
  readonly folders: readonly Folder<Item>[];
  readonly files: readonly { readonly name: string; readonly item: Item }[];
}

interface Growing<Item> {
  name: string;
  path: string;
  folders: Map<string, Growing<Item>>;
  files: { name: string; item: Item }[];
}

export function treeOf<Item extends { path: string }>(items: readonly Item[]): Folder<Item> {
  const root: Growing<Item> = { name: "", path: "", folders: new Map(), files: [] };
  for (const item of items) {
    const segments = item.path.split("/");
    const name = segments.pop() ?? "";
    let folder = root;
    for (const segment of segments) {
      let inner = folder.folders.get(segment);
      if (!inner) {
        inner = { name: segment, path: folder.path + segment + "/", folders: new Map(), files: [] };
        folder.folders.set(segment, inner);
      }
      folder = inner;
    }
    folder.files.push({ name, item });
  }
  return grown(root);
}

/** How many files are below a folder. */
export function countFiles<Item>(folder: Folder<Item>): number {
  return folder.folders.reduce((sum, inner) => sum + countFiles(inner), folder.files.length);
}

function grown<Item>(folder: Growing<Item>): Folder<Item> {
  return { ...folder, folders: [...folder.folders.values()].map(grown) };
}
