// SPDX-License-Identifier: Apache-2.0
// Counts what a page loads by itself, packed, and fails above the limits: its entry, the page's own
// chunk, everything that these import, and what loads unasked after the first paint (wallets, the
// verifier). Chunks that wait for a wish of the user or for a picture are listed beside.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url).pathname;
const limits = { js: 230_000, css: 15_000 };

async function packedSize(name) {
  return gzipSync(await readFile(join(dist, name)), { level: 9 }).length;
}

/** Names of files that a file imports at once. */
async function importsOf(name) {
  const text = await readFile(join(dist, name), "utf8");
  const found = text.matchAll(/(?:from|import)\s*["'`]\.\/([\w.-]+\.js)["'`]/g);
  return new Set([...found].map(([, path]) => `assets/${path}`));
}

async function closure(names, files = new Set()) {
  for (const name of names) {
    if (files.has(name)) continue;
    files.add(name);
    await closure(await importsOf(name), files);
  }
  return files;
}

const html = await readFile(join(dist, "index.html"), "utf8");
const inPage = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, path]) => path);
const entry = await closure(inPage.filter((path) => path.endsWith(".js")));
const assets = (await readdir(join(dist, "assets"))).map((name) => `assets/${name}`);
const css = inPage.filter((path) => path.endsWith(".css"));
const sizes = new Map();
for (const name of [...assets, "theme.js"].filter((name) => /\.(?:js|css|woff2)$/.test(name))) {
  sizes.set(name, await packedSize(name));
}
const sum = (names) => [...names].reduce((total, name) => total + (sizes.get(name) ?? 0), 0);
const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

console.log(`entry           ${kB(sum(entry))} JS, ${kB(sum(css))} CSS`);
let worst = sum(entry);
const unasked = [...sizes.keys()].filter((name) => /\/(?:wallet|viem|curves|verifier)-/.test(name));
if (unasked.length > 0) console.log(`after the paint ${kB(sum(unasked))} JS`);
const pages = assets.filter((name) => /\/\w+Page-[\w-]+\.js$/.test(name));
const inPages = new Set(entry);
for (const page of pages) {
  const files = await closure([page], new Set(entry));
  for (const file of files) inPages.add(file);
  worst = Math.max(worst, sum(new Set([...files, ...unasked])));
  console.log(`  ${/(\w+)-/.exec(page)[1].padEnd(16)} ${kB(sum(files))} JS`);
}
for (const name of sizes.keys()) {
  if (!inPages.has(name) && !css.includes(name) && !unasked.includes(name)) {
    console.log(`later, or never: ${name.padEnd(48)} ${kB(sizes.get(name))}`);
  }
}
const lateCss = [...sizes.keys()].filter((name) => name.endsWith(".css"));
const isGood = worst <= limits.js && sum(lateCss) <= limits.css;
console.log(
  `first load: ${kB(worst)} of ${kB(limits.js)} JS, ${kB(sum(lateCss))} of ${kB(limits.css)} CSS: ${isGood ? "good" : "TOO MUCH"}`,
);
process.exitCode = isGood ? 0 : 1;
