// SPDX-License-Identifier: Apache-2.0
// Writes src/chain/abi.ts, the contract's interface as types and values, from contracts/abi/TeeTee.json.
//
// usage: node tools/makeAbi.mjs            writes
//        node tools/makeAbi.mjs --check    fails where the committed file is another
import { readFileSync, writeFileSync } from "node:fs";

const source = new URL("../../contracts/abi/TeeTee.json", import.meta.url);
const target = new URL("../src/chain/abi.ts", import.meta.url);

/** What only the compiler needs; names of Solidity types say nothing about the encoding. */
function withoutInternalTypes(value) {
  if (Array.isArray(value)) return value.map(withoutInternalTypes);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== "internalType")
      .map(([name, member]) => [name, withoutInternalTypes(member)]),
  );
}

function textOf(entries) {
  const lines = entries.map((entry) => `  ${JSON.stringify(withoutInternalTypes(entry))},`);
  return [
    "// SPDX-License-Identifier: Apache-2.0",
    "// Written by tools/makeAbi.mjs from contracts/abi/TeeTee.json; an entry a line.",
    "",
    "// prettier-ignore",
    "export const teeTeeAbi = [",
    ...lines,
    "] as const;",
    "",
  ].join("\n");
}

const text = textOf(JSON.parse(readFileSync(source, "utf8")));
const mode = process.argv[2];
if (mode === undefined) {
  writeFileSync(target, text);
} else if (mode === "--check") {
  let have = "";
  try {
    have = readFileSync(target, "utf8");
  } catch {
    // Said below.
  }
  if (have !== text) {
    console.error(
      "abi: src/chain/abi.ts is not of contracts/abi/TeeTee.json; run node tools/makeAbi.mjs",
    );
    process.exitCode = 1;
  }
} else {
  console.error("usage: node tools/makeAbi.mjs [--check]");
  process.exitCode = 2;
}
