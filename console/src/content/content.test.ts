import { describe, expect, test } from "vitest";
import { partFrontMatter } from "./front_matter.ts";
import { highlighted, lines } from "./highlight.ts";
import { countInvisible, visibleParts } from "./invisible.ts";
import { compareLines, sections } from "./lines.ts";
import { countFiles, treeOf } from "./tree.ts";
import { markedPair } from "./words.ts";

describe("highlighting", () => {
  test("keeps every character of a file, markup in it too", () => {
    const text = 'a = "<img src=x onerror=alert(1)>" # &amp; &lt;\n\n\tb = \'\'\'x\ny\'\'\'\n';
    const shown = highlighted(text, "evil.py").map((line) => line.map((piece) => piece.text).join(""));
    expect(`${shown.join("\n")}\n`).toBe(text);
  });

  test("colours a string over its lines", () => {
    const [first, second] = lines('<span class="hljs-string">a\nb</span> c');
    expect(first).toEqual([{ text: "a", kind: "hljs-string" }]);
    expect(second).toEqual([{ text: "b", kind: "hljs-string" }, { text: " c", kind: undefined }]);
  });

  test("leaves a file of no known language as it is", () => {
    expect(highlighted("<b>\r\nx", "LICENSE")).toEqual([[{ text: "<b>", kind: undefined }], [{ text: "x", kind: undefined }]]);
  });
});

describe("characters that nobody sees", () => {
  test("are shown by their numbers", () => {
    expect(visibleParts("a\u202eb")).toEqual([
      { text: "a", invisible: false },
      { text: "U+202E", invisible: true },
      { text: "b", invisible: false },
    ]);
  });

  test("are counted, tags beyond the basic plane too", () => {
    expect(countInvisible("\u200b\u{e0041}\ufeff\tx\n")).toBe(3);
  });

  test("may join an emoji", () => {
    expect(countInvisible("👩‍💻 👩🏽‍🚀")).toBe(0);
  });
});

describe("front matter", () => {
  test("is cut off, with values over several lines", () => {
    const { fields, body } = partFrontMatter("---\nname: a\nmetadata:\n  version: 1.0.0\n---\n# Title\n");
    expect(fields).toEqual([["name", "a"], ["metadata", "version: 1.0.0"]]);
    expect(body).toBe("# Title\n");
  });

  test("is not what only looks like it", () => {
    const rule = "---\nJust a line between rules.\n---\n";
    expect(partFrontMatter(rule)).toEqual({ fields: [], body: rule });
  });
});

describe("comparing lines", () => {
  test("puts a changed line beside what it was", () => {
    expect(compareLines(["a", "b", "c"], ["a", "x", "c", "d"])).toEqual([
      { kind: "same", before: 0, after: 0 },
      { kind: "changed", before: 1, after: 1 },
      { kind: "same", before: 2, after: 2 },
      { kind: "added", after: 3 },
    ]);
  });

  test("hides what is far from any change", () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index}`);
    const rows = compareLines(before, before.with(10, "other")) ?? [];
    expect(sections(rows).map(({ hidden, rows: { length } }) => [hidden, length])).toEqual([[true, 7], [false, 7], [true, 6]]);
  });
});

test("of a changed line only what differs is marked", () => {
  const plain = (text: string) => [{ text, kind: undefined }];
  const [before, after] = markedPair(plain("Post in the thread."), plain("Post 😀 in the thread."));
  expect(before.filter((piece) => piece.differs)).toEqual([]);
  expect(after.filter((piece) => piece.differs).map((piece) => piece.text)).toEqual(["😀 "]);
  expect(markedPair(plain("abc"), plain("xyz"))[0]).toEqual(plain("abc"));
});

test("paths make folders, in their order", () => {
  const root = treeOf([{ path: "pack.yaml" }, { path: "guides/a.md" }, { path: "guides/more/b.md" }]);
  expect(root.files.map((file) => file.name)).toEqual(["pack.yaml"]);
  expect(root.folders.map((folder) => [folder.path, countFiles(folder)])).toEqual([["guides/", 2]]);
});
