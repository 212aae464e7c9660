// SPDX-License-Identifier: Apache-2.0
// npm run screenshots -- DIR: PNGs of every page of dist/ in a network of teetee up, in both themes.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: npm run screenshots -- DIR");
  process.exit(2);
}
const run = spawnSync("npx", ["vitest", "run", "--config", "tests/browser/screenshots.config.ts"], {
  stdio: "inherit",
  env: { ...process.env, SCREENSHOTS: resolve(folder) },
});
process.exitCode = run.status ?? 1;
