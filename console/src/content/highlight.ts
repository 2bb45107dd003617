/**
 * A file's lines, cut into coloured pieces.
 *
 * The highlighter answers HTML. That is taken apart here into plain text and class names, so that no markup made of
 * a pack's content reaches the document.
 */
import { highlighter, languageOf } from "./languages.ts";

export interface Piece {
  readonly text: string;
  /** The highlighter's class, such as `hljs-string`. */
  readonly kind: string | undefined;
  /** In a comparison: the other side has something else here. */
  readonly differs?: boolean;
}
export type Line = readonly Piece[];

/** Above this many characters the colours would take longer than a glance. */
const MOST = 256 * 1024;

export function highlighted(text: string, path: string): Line[] {
  const language = text.length <= MOST ? languageOf(path) : undefined;
  if (language === undefined) return plainLines(text).map((line) => [{ text: line, kind: undefined }]);
  return lines(highlighter.highlight(text, { language, ignoreIllegals: true }).value);
}

/** Cut a text at its line ends. The last one has nothing after it. */
export function plainLines(text: string): string[] {
  const found = text.split(/\r\n|\n|\r/);
  if (found.length > 1 && found.at(-1) === "") found.pop();
  return found;
}

/** Take the highlighter's HTML apart: it has `<span class="…">`, `</span>`, text, and five references. */
export function lines(html: string): Line[] {
  const found: Piece[][] = [[]];
  const open: string[] = [];
  for (const [tag, kind] of html.matchAll(/<span class="([^"]*)">|<\/span>|[^<]+/g)) {
    if (kind !== undefined) open.push(kind);
    else if (tag === "</span>") open.pop();
    else add(found, unescaped(tag), open.at(-1));
  }
  if (found.length > 1 && found.at(-1)?.length === 0) found.pop();
  return found;
}

function add(found: Piece[][], text: string, kind: string | undefined): void {
  text.split(/\r\n|\n|\r/).forEach((part, index) => {
    if (index > 0) found.push([]);
    if (part !== "") found.at(-1)?.push({ text: part, kind });
  });
}

const REFERENCES: Readonly<Record<string, string>> = {
  "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'",
};

function unescaped(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot|#x27);/g, (reference) => REFERENCES[reference] ?? reference);
}
