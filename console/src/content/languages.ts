/** The languages that the page highlights, and which files are written in them. */
import highlighter from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import ini from "highlight.js/lib/languages/ini";
import json from "highlight.js/lib/languages/json";
import markdown from "highlight.js/lib/languages/markdown";
import python from "highlight.js/lib/languages/python";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

const LANGUAGES = { bash, diff, dockerfile, ini, json, markdown, python, sql, typescript, xml, yaml };
for (const [name, language] of Object.entries(LANGUAGES)) highlighter.registerLanguage(name, language);
// One grammar reads both; the other would only add to what the page loads.
highlighter.registerAliases(["javascript", "js", "jsx", "mjs", "cjs"], { languageName: "typescript" });

/** What the languages' own aliases, such as `py`, leave out. */
const BY_NAME: Readonly<Record<string, string>> = {
  cfg: "ini",
  conf: "ini",
  jsonl: "json",
  patch: "diff",
  svg: "xml",
  toml: "ini",
};

export { highlighter };

/** Return the language of a file by its name, or undefined for plain text. */
export function languageOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const extension = name.slice(name.lastIndexOf(".") + 1);
  return known(BY_NAME[extension] ?? extension);
}

/** Return a language that the page knows, by its name or an alias. */
export function known(name: string): string | undefined {
  return highlighter.getLanguage(name) ? name : undefined;
}
