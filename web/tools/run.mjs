// SPDX-License-Identifier: Apache-2.0
// Runs a TypeScript file of this folder under Node: node tools/run.mjs FILE ARGUMENTS
import { runnerImport } from "vite";

const [file] = process.argv.slice(2);
const { module } = await runnerImport(new URL(file, import.meta.url).pathname, {
  configFile: false,
  logLevel: "warn",
});
process.exitCode = await module.main(process.argv.slice(3));
