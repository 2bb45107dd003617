import { expect, test } from "vitest";

import { checkFolder } from "./folder.ts";
import { ignoredBy } from "./ignore.ts";

const found = (files: Record<string, string>): { path: string; file: File }[] =>
  Object.entries(files).map(([path, content]) => ({ path, file: new File([content], path.split("/").pop() ?? "") }));

const faults = async (files: Record<string, string>): Promise<string[]> =>
  (await checkFolder(found(files))).faults.map(({ path, message }) => `${path}: ${message}`);

test("a pack's files are taken in order, and scripts become executable", async () => {
  const checked = await checkFolder(
    found({ "scripts/run.sh": "#!/bin/sh", "guides/a.md": "x", "pack.yaml": "name: a", "README.md": "hello" }),
  );
  expect(checked.faults).toEqual([]);
  expect(checked.files.map(({ path, executable }) => [path, executable])).toEqual([
    ["pack.yaml", false],
    ["README.md", false],
    ["guides/a.md", false],
    ["scripts/run.sh", true],
  ]);
});

test("litter, version control and what the author ignores stay here", async () => {
  const checked = await checkFolder(
    found({
      "pack.yaml": "",
      ".packyardignore": "# mine\n*.log\nnotes/\n/guides/draft-?.md",
      ".git/config": "",
      ".DS_Store": "",
      "guides/._a.md": "",
      "guides/a.log": "",
      "guides/draft-1.md": "",
      "data/notes/secret.txt": "",
      "data/notes.txt": "",
    }),
  );
  expect(checked.files.map(({ path }) => path)).toEqual(["pack.yaml", "data/notes.txt"]);
  expect(checked.leftOut).toHaveLength(7);
});

test("an entry that has no place at the root is named once", async () => {
  expect(await faults({ "pack.yaml": "", "src/a.py": "", "src/b.py": "", LICENSE: "", "guides": "" })).toEqual([
    expect.stringMatching(/^src: is not one of pack\.yaml,/),
    "guides: must be a folder",
  ]);
});

test("everything may stand beside the SKILL.md of an Agent Skill, and something must say what the pack is", async () => {
  expect(await faults({ "SKILL.md": "", "src/a.py": "" })).toEqual([]);
  expect(await faults({ "guides/a.md": "" })).toEqual([expect.stringMatching(/^pack\.yaml: is required at the root/)]);
});

test("names that no image or file system holds are refused here", async () => {
  expect(
    await faults({
      "pack.yaml": "",
      "guides/.wh.a": "",
      "guides/a\\b": "",
      "guides/a\u0007": "",
      [`guides/${"é".repeat(128)}`]: "",
      [`data${"/d".repeat(32)}`]: "",
      "guides/\u00e9": "",
      "guides/e\u0301": "",
    }),
  ).toEqual([
    expect.stringContaining(".wh."),
    expect.stringContaining("backslash"),
    expect.stringContaining("control character"),
    expect.stringContaining("over 255 bytes"),
    expect.stringContaining("over 32 levels"),
    expect.stringContaining("another Unicode spelling"),
  ]);
});

test("patterns are those of a shell, with classes and nothing else", () => {
  const ignored = ignoredBy("[!a-c].txt\na.b\n[\n[z-a]\n");
  expect(["d.txt", "x/d.txt", "a.b", "["].filter(ignored)).toHaveLength(4);
  expect(["a.txt", "axb", "dd.txt"].filter(ignored)).toEqual([]);
});
