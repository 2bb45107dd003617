import { expect, test } from "vitest";
import { filled } from "./path.ts";

test("a value is one segment, and a file's path has several", () => {
  expect(filled("/packs/{id}/files/{path}", { id: "pack_01", path: "guides/100% sure?.md" })).toBe(
    "/packs/pack_01/files/guides/100%25%20sure%3F.md",
  );
  expect(filled("/packs/{id}/revisions/{n}", { id: "pack_01/files/e.json", n: 3 })).toBe(
    "/packs/pack_01%2Ffiles%2Fe.json/revisions/3",
  );
});

test.each(["../../packs/pack_01/files/e.json", "..%2F..%2Fpacks"])("no value leads elsewhere: %s", (org) => {
  const path = filled("/operator/organisations/{org}", { org });
  expect(new URL(path ?? "", "https://packyard.example").pathname).toBe(
    `/operator/organisations/${encodeURIComponent(org)}`,
  );
});

test.each(["", ".", ".."])("what is no segment is no part of a path: %o", (segment) => {
  expect(filled("/operator/organisations/{org}", { org: segment })).toBeUndefined();
  expect(filled("/packs/{id}/files/{path}", { id: "pack_01", path: `guides/${segment}/a.md` })).toBeUndefined();
});
