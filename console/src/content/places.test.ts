import { expect, test } from "vitest";

import { blockOf, faultsOf, lineOfKey } from "./places.ts";

const MANIFEST = `# a pack
name: slack
version: 1.10
capabilities:
  - name: one
    type: http
  - type: http
    name: two
    allow:
    - domains: [slack.com]
    - domains: [x.example]
      methods: [GET]
suggested_packs: [jira]
`;

test("a field's line is that of its key", () => {
  expect(lineOfKey(MANIFEST, "version")).toBe(3);
  expect(lineOfKey(MANIFEST, "capabilities[1].name")).toBe(8);
  expect(lineOfKey(MANIFEST, "capabilities[0].name")).toBe(5);
  expect(lineOfKey(MANIFEST, "capabilities[1].allow[1].methods")).toBe(12);
  expect(lineOfKey(MANIFEST, "suggested_packs[0]")).toBe(13);
});

test("what is missing has the line of the nearest part that is there", () => {
  expect(lineOfKey(MANIFEST, "capabilities[0].allow")).toBe(5);
  expect(lineOfKey(MANIFEST, "description")).toBeUndefined();
});

test("a key's block ends where the next key begins", () => {
  expect(blockOf(MANIFEST, "capabilities")?.split("\n")).toHaveLength(9);
  expect(blockOf(MANIFEST, "version")).toBe("version: 1.10");
  expect(blockOf(MANIFEST, "category")).toBeUndefined();
});

test("a refusal's fields become faults at their files and lines", () => {
  const fields = {
    "pack.yaml:version": "must have three numbers",
    "pack.yaml": "line 4, column 2: is not YAML",
    "archive:guides/a.md": "the path is below that of a file",
    visibility: "must be org or community",
  };
  expect(faultsOf({ fields }, new Map([["pack.yaml", MANIFEST]]))).toEqual([
    { path: "pack.yaml", line: 3, message: "version must have three numbers" },
    { path: "pack.yaml", line: 4, column: 2, message: "is not YAML" },
    { path: "guides/a.md", message: "the path is below that of a file" },
    { path: "", message: "visibility must be org or community" },
  ]);
});

test("a scan's findings are shown where they are", () => {
  const findings = [{ rule: "r", severity: "high", path: "guides/a.md", line: 7, why: "It is a key.", advice: "Remove it." }];
  expect(faultsOf({ findings }, new Map())).toEqual([
    { path: "guides/a.md", line: 7, message: "high: It is a key. Remove it." },
  ]);
});
