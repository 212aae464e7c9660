// SPDX-License-Identifier: Apache-2.0
// What profile `release` compiled, and whether it is of the sources as they stand.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const OUT = join(ROOT, "out/release");
// What was built out of which sources; a forge that is run by hand leaves it as it is.
const STAMP = join(OUT, ".deployable.json");
const DEPLOYABLE = ["TeeTee", "DevVerifier", "QuoteVerifier", "VerifierQuorum", "AutomataVerifier"];

const pathOf = (name) => join(OUT, `${name}.sol/${name}.json`);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

function sources() {
  const solidity = readdirSync(join(ROOT, "src"), { recursive: true })
    .filter((name) => name.endsWith(".sol"))
    .map((name) => join("src", name));
  return [...solidity.sort(), "foundry.toml", "package-lock.json", "tools/solc"];
}

function stampOfNow() {
  const hash = createHash("sha256");
  for (const name of sources()) {
    hash.update(`${name} ${sha256(readFileSync(join(ROOT, name)))}\n`);
  }
  const artifacts = {};
  for (const name of DEPLOYABLE) {
    if (existsSync(pathOf(name))) artifacts[name] = sha256(readFileSync(pathOf(name)));
  }
  return JSON.stringify({ sources: hash.digest("hex"), artifacts });
}

/// Compiles where what lies in out/release is not of these sources.
export function ensureBuilt() {
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === stampOfNow()) return;
  const forge = join(ROOT, "node_modules/.bin/forge");
  if (!existsSync(forge)) throw new Error("forge is not installed: have no node_modules, need npm ci in contracts");
  console.error("deploy: compiling the contracts, which takes a minute or two");
  const built = spawnSync(forge, ["build"], {
    cwd: ROOT,
    env: { ...process.env, FOUNDRY_PROFILE: "release" },
    stdio: ["ignore", 2, 2],
  });
  if (built.status !== 0) throw new Error("the contracts do not compile");
  writeFileSync(STAMP, stampOfNow());
}

/// { name, abi, bytecode, runtime, immutables }; bytecode and runtime as 0x-hex.
export function artifact(name) {
  const { abi, bytecode, deployedBytecode } = JSON.parse(readFileSync(pathOf(name), "utf8"));
  return {
    name,
    abi,
    bytecode: bytecode.object,
    runtime: deployedBytecode.object,
    immutables: Object.values(deployedBytecode.immutableReferences ?? {}).flat(),
  };
}

/// Whether `code` is what the compiler made, whatever its immutables are.
export function isCodeOf(code, { runtime, immutables }) {
  const blank = (hex) => {
    const bytes = Buffer.from(hex.slice(2), "hex");
    for (const { start, length } of immutables) bytes.fill(0, start, start + length);
    return bytes;
  };
  return blank(code).equals(blank(runtime));
}
