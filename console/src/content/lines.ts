/** What differs between two texts, line by line, for showing them beside each other. */
import { diffArrays } from "diff";

export interface Row {
  readonly kind: "same" | "changed" | "added" | "removed";
  /** The index of the line in each text; absent where it has none. */
  readonly before?: number;
  readonly after?: number;
}

/** Rows that belong together. Hidden ones are the same on both sides, and far from any change. */
export interface Section {
  readonly hidden: boolean;
  readonly rows: readonly Row[];
}

export const MOST_LINES = 20_000;
const TIME_LIMIT_MS = 1_500;
/** Unchanged lines that are shown around a change. */
const CONTEXT = 3;

/** Compare two texts, or return undefined if that takes too long: then they have little in common. */
export function compareLines(before: readonly string[], after: readonly string[]): Row[] | undefined {
  const changes = diffArrays([...before], [...after], { timeout: TIME_LIMIT_MS });
  if (!changes) return undefined;
  const rows: Row[] = [];
  let left = 0;
  let right = 0;
  changes.forEach((change, index) => {
    if (change.removed) {
      const paired = changes[index + 1]?.added ? (changes[index + 1]?.count ?? 0) : 0;
      for (let line = 0; line < change.count; line += 1) {
        const place = { before: left + line };
        rows.push(line < paired ? { kind: "changed", ...place, after: right + line } : { kind: "removed", ...place });
      }
      left += change.count;
    } else if (change.added) {
      const paired = changes[index - 1]?.removed ? (changes[index - 1]?.count ?? 0) : 0;
      for (let line = paired; line < change.count; line += 1) rows.push({ kind: "added", after: right + line });
      right += change.count;
    } else {
      for (let line = 0; line < change.count; line += 1) {
        rows.push({ kind: "same", before: left + line, after: right + line });
      }
      left += change.count;
      right += change.count;
    }
  });
  return rows;
}

/** Part rows into those near a change and those far from any. */
export function sections(rows: readonly Row[]): Section[] {
  const near = new Uint8Array(rows.length);
  rows.forEach((row, index) => {
    if (row.kind !== "same") near.fill(1, Math.max(0, index - CONTEXT), index + CONTEXT + 1);
  });
  const found: { hidden: boolean; rows: Row[] }[] = [];
  rows.forEach((row, index) => {
    const hidden = near[index] === 0;
    const last = found.at(-1);
    if (last?.hidden === hidden) last.rows.push(row);
    else found.push({ hidden, rows: [row] });
  });
  return found;
}
