import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { archiveOf } from "./tar.ts";
import { textsInArchive } from "./untar.ts";

const LONG = `guides/${"x".repeat(150)}.md`;

test("what this page packs is read again, long names too", async () => {
  const files = [["pack.yaml", "name: ä\n"], ["guides/big.bin", "b".repeat(2 << 20)], [LONG, "long"]] as const;
  const archive = await archiveOf(files.map(([path, text]) => ({ path, file: new Blob([text]), executable: false })));
  expect(await textsInArchive(archive, new Set(["pack.yaml", LONG, "guides/big.bin"]))).toEqual(
    new Map([["pack.yaml", "name: ä\n"], [LONG, "long"]]),
  );
});

test.each(["gnu", "pax", "ustar"])("what GNU tar packs as %s is read, in the only folder too", async (format) => {
  const root = mkdtempSync(join(tmpdir(), "untar-"));
  mkdirSync(join(root, "my-pack", "guides"), { recursive: true });
  const long = format === "ustar" ? "guides/a.md" : LONG;
  writeFileSync(join(root, "my-pack", "pack.yaml"), "name: x\n");
  writeFileSync(join(root, "my-pack", long), "text");
  execFileSync("tar", ["-C", root, `--format=${format}`, "-czf", join(root, "pack.tar.gz"), "./my-pack"]);
  const archive = new Blob([new Uint8Array(readFileSync(join(root, "pack.tar.gz")))]);
  expect(await textsInArchive(archive, new Set(["pack.yaml", long]))).toEqual(
    new Map([["pack.yaml", "name: x\n"], [long, "text"]]),
  );
});

test("what is no archive has no texts", async () => {
  expect(await textsInArchive(new Blob(["PK\x03\x04"]), new Set(["pack.yaml"]))).toEqual(new Map());
});
