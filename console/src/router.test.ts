import { expect, test } from "vitest";
import { link, parse } from "./router.ts";

test("an address that was made is read as what it was made of", () => {
  const path = ["packs", "pack_01", "files", "guides", "100% sure?.md"];
  const { path: read, query } = parse(link(path, { revision: 3, search: "a b&c", empty: "", absent: undefined }));
  expect(read).toEqual(path);
  expect(Object.fromEntries(query)).toEqual({ revision: "3", search: "a b&c" });
});

test("an address that somebody mistyped still has segments", () => {
  expect(parse("#/packs/100%/").path).toEqual(["packs", "100%"]);
  expect(parse("").path).toEqual([]);
});
