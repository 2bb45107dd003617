/** Where in a file of the pack a refusal's field is, so that a fault can be shown at its line. */

import type { Fault } from "./folder.ts";

/** What of a refusal says where something is wrong. */
export interface RefusedFields {
  /** By field path, such as `pack.yaml:version` or `archive:guides/a.md`. */
  fields?: Record<string, string>;
  findings?: { rule: string; severity: string; path?: string; line?: number; why?: string; advice?: string }[];
}

const STATED = /^line (\d+)(?:, column (\d+))?: /;

/** Return the faults of a refusal, each with its file and, where that is known, its line. */
export function faultsOf(refused: RefusedFields, texts: ReadonlyMap<string, string>): Fault[] {
  const fields = Object.entries(refused.fields ?? {}).map(([field, given]) => faultOfField(field, given, texts));
  const findings = (refused.findings ?? []).map((finding): Fault => {
    const message = [`${finding.severity}: ${finding.why ?? finding.rule}`, finding.advice].filter(Boolean).join(" ");
    return { path: finding.path ?? "", message, ...(finding.line === undefined ? {} : { line: finding.line }) };
  });
  return [...fields, ...findings];
}

function faultOfField(field: string, given: string, texts: ReadonlyMap<string, string>): Fault {
  const [path, key] = placeOfField(field);
  const stated = STATED.exec(given);
  const message = [key, stated ? given.slice(stated[0].length) : given].filter(Boolean).join(" ");
  if (stated) {
    return { path, message, line: Number(stated[1]), ...(stated[2] ? { column: Number(stated[2]) } : {}) };
  }
  const line = key === "" ? undefined : lineOfKey(texts.get(path) ?? "", key);
  return { path, message, ...(line === undefined ? {} : { line }) };
}

function placeOfField(field: string): [path: string, key: string] {
  const colon = field.indexOf(":");
  const [before, after] = colon < 0 ? [field, ""] : [field.slice(0, colon), field.slice(colon + 1)];
  if (before === "archive") return [after, ""];
  return /^(?:pack\.yaml|SKILL\.md)$/.test(before) ? [before, after] : ["", field];
}

/**
 * Return the line, from 1, of what a path such as `capabilities[0].name` names in a block of YAML; of the nearest part
 * that is there, where it is missing; undefined for none. Flow collections are one line to it, which is near enough.
 */
export function lineOfKey(text: string, path: string): number | undefined {
  const lines = text.split(/\r\n|\r|\n/);
  let [from, to, indent, found] = [0, lines.length, -1, undefined as number | undefined];
  for (const step of path.matchAll(/\[(\d+)\]|([^.[]+)/g)) {
    const at = step[1] === undefined ? keyAt(lines, from, to, step[2] ?? "") : itemAt(lines, from, to, Number(step[1]));
    if (at === undefined) break;
    indent = depthOf(lines[at] ?? "");
    found = at + 1;
    // An item's own line may hold its first key, as in `- name: x`.
    from = step[1] === undefined ? at + 1 : at;
    to = endOf(lines, at, indent, to, step[1] === undefined);
  }
  return found;
}

/** The lines of a key at the top of a block of YAML, with all that belongs to it; undefined if it is not there. */
export function blockOf(text: string, key: string): string | undefined {
  const line = lineOfKey(text, key);
  if (line === undefined) return undefined;
  const lines = text.split(/\r\n|\r|\n/);
  return lines.slice(line - 1, endOf(lines, line - 1, 0, lines.length, true)).join("\n").trimEnd();
}

function keyAt(lines: readonly string[], from: number, to: number, key: string): number | undefined {
  const named = new RegExp(`^\\s*(?:- +)*(["']?)${key.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}\\1\\s*:(?:\\s|$)`);
  for (let at = from; at < to; at++) if (named.test(lines[at] ?? "")) return at;
  return undefined;
}

function itemAt(lines: readonly string[], from: number, to: number, index: number): number | undefined {
  let left = index;
  let depth: number | undefined;
  for (let at = from; at < to; at++) {
    const line = lines[at] ?? "";
    if (!/^\s*-(?:\s|$)/.test(line)) continue;
    depth ??= depthOf(line);
    if (depthOf(line) === depth && left-- === 0) return at;
  }
  return undefined;
}

function endOf(lines: readonly string[], at: number, indent: number, to: number, ofKey: boolean): number {
  for (let next = at + 1; next < to; next++) {
    const line = lines[next] ?? "";
    if (/^\s*(?:#|$)/.test(line)) continue;
    const depth = depthOf(line);
    // The items of a list may stand at the depth of their key.
    if (depth < indent || (depth === indent && !(ofKey && /^\s*-(?:\s|$)/.test(line)))) return next;
  }
  return to;
}

function depthOf(line: string): number {
  return line.length - line.trimStart().length;
}
