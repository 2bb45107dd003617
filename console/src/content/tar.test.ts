import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

import { expect, test } from "vitest";

import { archiveOf, FileChanged, inOrder, tarSize, type PackFile } from "./tar.ts";

const file = (path: string, content: string, executable = false): PackFile => ({
  path,
  file: new Blob([content]),
  executable,
});

const LONG = `guides/${"d".repeat(90)}/${"f".repeat(60)}.md`;
const VERY_LONG = `guides/${"x".repeat(150)}.md`;

async function unpacked(blob: Blob): Promise<Uint8Array> {
  const stream = blob.stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

test("GNU tar reads every name, mode and size that was packed", async () => {
  const files = [
    file("pack.yaml", "name: x\n"),
    file("guides/größe.md", "ä"),
    file(LONG, "long"),
    file(VERY_LONG, ""),
    file("scripts/run.sh", "#!/bin/sh\n", true),
  ];
  const place = join(mkdtempSync(join(tmpdir(), "tar-")), "pack.tar.gz");
  writeFileSync(place, new Uint8Array(await (await archiveOf(files)).arrayBuffer()));
  const options = { env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" }, encoding: "utf-8" as const };
  const listed = execFileSync("tar", ["-tvzf", place, "--full-time", "--quoting-style=literal"], options);
  expect(listed.trimEnd().split("\n")).toEqual([
    "-rw-r--r-- 0/0               8 1970-01-01 00:00:00 pack.yaml",
    "-rw-r--r-- 0/0               2 1970-01-01 00:00:00 guides/größe.md",
    `-rw-r--r-- 0/0               4 1970-01-01 00:00:00 ${LONG}`,
    `-rw-r--r-- 0/0               0 1970-01-01 00:00:00 ${VERY_LONG}`,
    "-rwxr-xr-x 0/0              10 1970-01-01 00:00:00 scripts/run.sh",
  ]);
});

test("the size that is stated beforehand is that of the tar", async () => {
  const files = [file("pack.yaml", "a".repeat(513)), file(VERY_LONG, "b".repeat(512)), file("guides/é.md", "")];
  const tar = await unpacked(await archiveOf(files));
  expect(tarSize(files.map(({ path, file: { size } }) => ({ path, size })))).toBe(tar.length);
});

test("the same files give the same tar, in whichever order they were found", async () => {
  const files = [file("guides/b.md", "b"), file("guides-x", "y"), file("guides/a.md", "a"), file("pack.yaml", "p")];
  const [one, other] = [inOrder(files), inOrder([...files].reverse())];
  expect(one.map(({ path }) => path)).toEqual(["pack.yaml", "guides/a.md", "guides/b.md", "guides-x"]);
  expect(await unpacked(await archiveOf(one))).toEqual(await unpacked(await archiveOf(other)));
});

test("a file that changes meanwhile is named", async () => {
  const gone = { size: 3, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("NotReadableError")) }) };
  const files = [file("pack.yaml", "x"), { path: "guides/a.md", file: gone as unknown as Blob, executable: false }];
  await expect(archiveOf(files)).rejects.toEqual(new FileChanged("guides/a.md"));
});

test("each byte that is read is told of", async () => {
  let bytes = 0;
  await archiveOf([file("pack.yaml", "12345"), file("guides/a.md", "67")], (more) => (bytes += more));
  expect(bytes).toBe(7);
});
