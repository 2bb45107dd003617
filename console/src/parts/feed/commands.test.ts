import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { doorCommands } from "./commands.ts";

test("the commands are those of the documentation, which are tried with the real clients", () => {
  const documented = readFileSync(new URL("../../../../docs/use/feeds.md", import.meta.url), "utf-8");
  for (const { client, command } of doorCommands("https://acme.packyard.example/v1/f/pyf_SECRET/")) {
    expect(documented).toContain(`| ${client} | \`${command.replaceAll("|", "\\|")}\` |`);
  }
});
