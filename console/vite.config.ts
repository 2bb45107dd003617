/// <reference types="vitest/config" />
import { defineConfig } from "vite";

export default defineConfig({
  // The page is at …/console and its files below …/console/assets/: `dist` has the same shape, and every
  // address in it is relative, since the service can stand below any path.
  base: "./",
  build: {
    assetsDir: "console/assets",
    // A data: address would need an exception in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
