/** The files that differ between two revisions, as one list. */
import type { Schemas } from "../../api.ts";

export interface FileChange {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  readonly before?: { readonly size: number; readonly mode: string; readonly digest?: string };
  readonly after?: { readonly size: number; readonly mode: string; readonly digest?: string };
}

export function changesOf(files: Schemas["ChangedFiles"]): FileChange[] {
  const changes: FileChange[] = [
    ...files.added.map((file): FileChange => ({ path: file.path, kind: "added", after: file })),
    ...files.removed.map((file): FileChange => ({ path: file.path, kind: "removed", before: file })),
    ...files.changed.map((file): FileChange => ({ path: file.path, kind: "changed", before: file.from, after: file.to })),
  ];
  return changes.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** Whether only the permissions differ. */
export function onlyMode({ before, after }: FileChange): boolean {
  return before?.digest !== undefined && before.digest === after?.digest;
}
