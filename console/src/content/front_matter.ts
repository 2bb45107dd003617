/** The YAML block at the beginning of a Markdown file, such as a skill's. */

export interface Parted {
  /** The block's top-level keys, each with the text of its value as it is written. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
}

/**
 * Cut the block off. It is for reading, so nested values stay text: what a key means to an agent is for the service to
 * say, which has a real parser.
 */
export function partFrontMatter(markdown: string): Parted {
  const match = /^\ufeff?---[ \t]*\r?\n([\s\S]*?)(?:\r?\n)?---[ \t]*(?:\r?\n|$)/.exec(markdown);
  if (!match) return { fields: [], body: markdown };
  const fields: [string, string][] = [];
  for (const line of (match[1] ?? "").split(/\r?\n/)) {
    const key = /^([^\s:#][^:]*):(?:[ \t]+(.*)|)$/.exec(line);
    const last = fields.at(-1);
    if (key) fields.push([key[1] ?? "", key[2] ?? ""]);
    else if (last) last[1] += `\n${line}`;
    else if (line.trim()) return { fields: [], body: markdown };
  }
  return { fields: fields.map(([name, value]) => [name, value.trim()]), body: markdown.slice(match[0].length) };
}
