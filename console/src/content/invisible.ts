/**
 * Characters that nobody sees, or that change the direction of the text around them.
 *
 * An agent reads them, so whoever reviews a pack must see that they are there: they are shown by their numbers.
 * A zero-width joiner inside an emoji is what keyboards write, and stays.
 */
const INVISIBLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\u{e0000}-\u{e01ef}]|(?<![\p{Extended_Pictographic}\ufe0f\u{1f3fb}-\u{1f3ff}])\u200d/gu;

export interface Part {
  readonly text: string;
  readonly invisible: boolean;
}

/** Cut a text into what is seen and what is not; the latter as `U+202E`. */
export function visibleParts(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(INVISIBLE)) {
    if (match.index > end) parts.push({ text: text.slice(end, match.index), invisible: false });
    parts.push({ text: codePoint(match[0]), invisible: true });
    end = match.index + match[0].length;
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end), invisible: false });
  return parts;
}

/** How many such characters a text has. */
export function countInvisible(text: string): number {
  return [...text.matchAll(INVISIBLE)].length;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
