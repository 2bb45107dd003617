/** Reading a file of a pack as text, as far as a page can show it. */
import { reading } from "../api.ts";

export interface FileText {
  readonly text: string;
  /** Whether only the beginning was read. */
  readonly cut: boolean;
  /** Whether it is no text in UTF-8; `text` is empty then. */
  readonly binary: boolean;
}

export const MOST_SHOWN_BYTES = 1024 * 1024;

/** Read a file's beginning. The rest of a longer one is not fetched. */
export async function readText(response: Response, most = MOST_SHOWN_BYTES): Promise<FileText> {
  const { content, cut } = await reading(() => beginning(response, most));
  // A character may be cut in two at the end of what was read: `stream` forgives that.
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content, { stream: cut });
    return text.includes("\0") ? { text: "", cut, binary: true } : { text, cut, binary: false };
  } catch {
    return { text: "", cut, binary: true };
  }
}

async function beginning(response: Response, most: number): Promise<{ content: Uint8Array; cut: boolean }> {
  const reader = response.body?.getReader();
  if (!reader) return { content: new Uint8Array(), cut: false };
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value);
    size += value.length;
    if (size > most) {
      await reader.cancel();
      break;
    }
  }
  const content = new Uint8Array(size);
  let end = 0;
  for (const piece of pieces) {
    content.set(piece, end);
    end += piece.length;
  }
  return { content: content.subarray(0, most), cut: size > most };
}
