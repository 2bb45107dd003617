/** The languages that the page highlights, and which files are written in them. */
import highlighter from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import markdown from "highlight.js/lib/languages/markdown";
import powershell from "highlight.js/lib/languages/powershell";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

const LANGUAGES = {
  bash, diff, dockerfile, go, ini, javascript, json, markdown, powershell, python, ruby, sql, typescript, xml, yaml,
};
for (const [name, language] of Object.entries(LANGUAGES)) highlighter.registerLanguage(name, language);

/** What the languages' own aliases, such as `py`, leave out. */
const BY_NAME: Readonly<Record<string, string>> = {
  cfg: "ini",
  conf: "ini",
  jsonl: "json",
  mjs: "javascript",
  cjs: "javascript",
  patch: "diff",
  ps1: "powershell",
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
