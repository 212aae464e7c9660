// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { contentSecurityPolicy } from "./csp.mjs";

/** Puts the Content-Security-Policy into the built page, before anything that it governs. */
export function policyInPage() {
  return {
    name: "teetee:policy-in-page",
    apply: "build",
    transformIndexHtml() {
      return [
        {
          tag: "meta",
          attrs: { "http-equiv": "Content-Security-Policy", content: contentSecurityPolicy },
          injectTo: "head-prepend",
        },
      ];
    },
  };
}

/** Preloads the font: with `font-display: optional` it is there at the first paint or not at all. */
export function fontPreload() {
  return {
    name: "teetee:font-preload",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        return Object.keys(bundle ?? {})
          .filter((name) => name.endsWith(".woff2"))
          .map((name) => ({
            tag: "link",
            attrs: {
              rel: "preload",
              href: `./${name}`,
              as: "font",
              type: "font/woff2",
              crossorigin: "",
            },
            injectTo: "head",
          }));
      },
    },
  };
}

/** Hands the font's licence out with the font, as that asks for. */
export function fontLicence() {
  return {
    name: "teetee:font-licence",
    apply: "build",
    async generateBundle() {
      const path = join(import.meta.dirname, "../node_modules/@fontsource-variable/inter/LICENSE");
      this.emitFile({ type: "asset", fileName: "inter-licence.txt", source: await readFile(path) });
    },
  };
}

/** Writes NAME.gz beside each built file that gets smaller by it, so that an entry packs nothing. */
export function gzipBeside() {
  let outDir = "";
  return {
    name: "teetee:gzip-beside",
    apply: "build",
    configResolved(config) {
      outDir = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      const entries = await readdir(outDir, { recursive: true, withFileTypes: true });
      for (const entry of entries) {
        if (!entry.isFile() || entry.name.endsWith(".gz")) continue;
        const path = join(entry.parentPath ?? entry.path, entry.name);
        const bytes = await readFile(path);
        const packed = gzipSync(bytes, { level: 9 });
        if (packed.length < bytes.length) await writeFile(`${path}.gz`, packed);
      }
    },
  };
}
