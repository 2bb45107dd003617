/**
 * A dropped folder, checked by the rules for names and sizes (API contract, section 3), so that what is certain to be
 * refused is not sent. What is inside the files is for the service to judge: the page asks it by a dry run.
 */

import type { FoundFile } from "./drop.ts";
import { ignoredBy } from "./ignore.ts";
import { inOrder, tarSize, type PackFile } from "./tar.ts";

/** Something that the service would refuse. */
export interface Fault {
  /** Of the file; empty for the pack as a whole. */
  path: string;
  message: string;
  /** From 1. */
  line?: number;
  column?: number;
}

export interface CheckedFolder {
  files: PackFile[];
  faults: Fault[];
  /** What is not sent: litter, version control, and what `.packyardignore` names. */
  leftOut: string[];
  bytes: number;
}

const MIB = 1 << 20;
const LIMITS = { unpacked: 1024 * MIB, files: 20_000, path: 1024, depth: 32, name: 255, manifest: 256 * 1024 };
const IGNORE_FILE = ".packyardignore";
/** Belongs to version control at the root, as the `packyard` command has it. */
const VERSION_CONTROL = new Set([
  ".git", ".gitignore", ".gitattributes", ".gitmodules", ".hg", ".hgignore", ".svn", ".bzr", IGNORE_FILE,
]);
const LITTER = /(?:^|\/)(?:\.DS_Store|\._[^/]*|__MACOSX|Icon\r|[Tt][Hh][Uu][Mm][Bb][Ss]\.[Dd][Bb]|[Dd][Ee][Ss][Kk][Tt][Oo][Pp]\.[Ii][Nn][Ii])(?:\/|$)/;
const ROOT_FILES = ["pack.yaml", "behavior.md", "README.md", "LICENSE"];
const ROOT_FOLDERS = ["guides", "scripts", "data", "templates", "skills"];
const CLOSED_SET = [...ROOT_FILES, ...ROOT_FOLDERS.map((name) => `${name}/`)].join(", ");
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

const encoder = new TextEncoder();

/** Check the files of a folder, and put them in the order of an archive. */
export async function checkFolder(found: readonly FoundFile[]): Promise<CheckedFolder> {
  const patterns = await found.find(({ path }) => path === IGNORE_FILE)?.file.text();
  const ignored = ignoredBy(patterns ?? "");
  const leftOut = found.filter(({ path }) => isLeftOut(path) || ignored(path));
  const kept = leftOut.length === 0 ? found : found.filter((file) => !leftOut.includes(file));
  const files = await Promise.all(
    inOrder(kept).map(async ({ path, file }) => ({ path, file, executable: await beginsAsScript(file) })),
  );
  const faults = [...faultsOfNames(kept), ...faultsOfRoot(kept), ...faultsOfSizes(kept)];
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  return { files, faults, leftOut: leftOut.map(({ path }) => path), bytes };
}

function isLeftOut(path: string): boolean {
  return LITTER.test(path) || VERSION_CONTROL.has(path.split("/", 1)[0] ?? "");
}

/** Browsers know no execute bits. Like the `packyard` command on Windows, take what begins with `#!` for a script. */
async function beginsAsScript(file: File): Promise<boolean> {
  try {
    return (await file.slice(0, 2).text()) === "#!";
  } catch {
    // A file that cannot be read is told of when it is packed.
    return false;
  }
}

function faultsOfNames(files: readonly FoundFile[]): Fault[] {
  const spellings = new Map<string, string>();
  return files.flatMap(({ path }) => {
    const message = faultOfName(path) ?? faultOfSpelling(path, spellings);
    return message ? [{ path, message }] : [];
  });
}

function faultOfName(path: string): string | undefined {
  const segments = path.split("/");
  if (encoder.encode(path).length > LIMITS.path) {
    return `the path is over ${LIMITS.path} bytes; move the file up, or shorten names`;
  }
  if (CONTROL.test(path)) return "the path holds a control character; rename the file";
  if (path.includes("\\")) return "the path holds a backslash; rename the file";
  if (segments.length > LIMITS.depth) return `the path is over ${LIMITS.depth} levels deep; move the file up`;
  if (segments.some((segment) => segment.startsWith(".wh."))) {
    return "names that begin with .wh. mean deletion in an image layer; rename the file";
  }
  if (segments.some((segment) => encoder.encode(segment).length > LIMITS.name)) {
    return `a name in the path is over ${LIMITS.name} bytes, which no file system holds; shorten it`;
  }
  return undefined;
}

function faultOfSpelling(path: string, spellings: Map<string, string>): string | undefined {
  const form = path.normalize("NFC");
  const other = spellings.get(form);
  spellings.set(form, path);
  return other === undefined ? undefined : "another file has the same path in another Unicode spelling; rename one";
}

function faultsOfRoot(files: readonly FoundFile[]): Fault[] {
  const top = new Map(files.map(({ path }) => [path.split("/", 1)[0] ?? "", path.includes("/")]));
  if (top.get("pack.yaml") !== false) {
    // Everything may stand beside the SKILL.md of an Agent Skill (API contract, section 12).
    if (top.get("SKILL.md") === false) return [];
    return [{ path: "pack.yaml", message: "is required at the root of the pack, or SKILL.md for an Agent Skill" }];
  }
  return [...top].flatMap(([name, folder]) => {
    const [right, wrong] = folder ? [ROOT_FOLDERS, ROOT_FILES] : [ROOT_FILES, ROOT_FOLDERS];
    if (right.includes(name)) return [];
    if (wrong.includes(name)) return [{ path: name, message: `must be a ${folder ? "file" : "folder"}` }];
    const advice = `a line ${name} in ${IGNORE_FILE} leaves it out`;
    return [{ path: name, message: `is not one of ${CLOSED_SET}; ${advice}` }];
  });
}

function faultsOfSizes(files: readonly FoundFile[]): Fault[] {
  const faults: Fault[] = [];
  const manifest = files.find(({ path }) => path === "pack.yaml");
  if (manifest && manifest.file.size > LIMITS.manifest) {
    faults.push({ path: "pack.yaml", message: `must be at most ${LIMITS.manifest} bytes; move long texts into guides/` });
  }
  const bytes = tarSize(files.map(({ path, file }) => ({ path, size: file.size })));
  for (const [what, there, most] of [
    ["bytes with tar's headers", bytes, LIMITS.unpacked],
    ["files", files.length, LIMITS.files],
  ] as const) {
    if (there <= most) continue;
    const counts = `${there.toLocaleString("en")} ${what}, and ${most.toLocaleString("en")} is the most`;
    faults.push({ path: "", message: `the pack has ${counts}; make several packs of it` });
  }
  return faults;
}
