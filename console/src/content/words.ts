/** Where a line and what became of it begin and end to differ. */
import type { Line, Piece } from "./highlight.ts";

/** Longer lines are data, in which a difference means nothing to a reader. */
const MOST_CHARACTERS = 2_000;

/** Mark what differs between two lines, unless they have nothing in common. */
export function markedPair(before: Line, after: Line): [Line, Line] {
  const [one, other] = [textOf(before), textOf(after)];
  if (one.length > MOST_CHARACTERS || other.length > MOST_CHARACTERS) return [before, after];
  const [left, right] = [words(one), words(other)];
  let first = 0;
  while (first < Math.min(left.length, right.length) && left[first] === right[first]) first += 1;
  let last = 0;
  while (last < Math.min(left.length, right.length) - first && left.at(-1 - last) === right.at(-1 - last)) last += 1;
  const from = left.slice(0, first).join("").length;
  const rest = last === 0 ? 0 : left.slice(-last).join("").length;
  if (!/\S/.test(one.slice(0, from) + one.slice(one.length - rest))) return [before, after];
  return [marked(before, from, one.length - rest), marked(after, from, other.length - rest)];
}

function marked(line: Line, from: number, to: number): Line {
  const pieces: Piece[] = [];
  let at = 0;
  for (const piece of line) {
    const end = at + piece.text.length;
    const cuts = [at, Math.min(Math.max(from, at), end), Math.min(Math.max(to, at), end), end] as const;
    const texts = [0, 1, 2].map((index) => piece.text.slice((cuts[index] ?? 0) - at, (cuts[index + 1] ?? 0) - at));
    texts.forEach((text, index) => {
      if (text) pieces.push(index === 1 ? { ...piece, text, differs: true } : { ...piece, text });
    });
    at = end;
  }
  return pieces;
}

function textOf(line: Line): string {
  return line.map((piece) => piece.text).join("");
}

function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+|\s+|./gsu) ?? [];
}
