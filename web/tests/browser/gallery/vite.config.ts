// SPDX-License-Identifier: Apache-2.0
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Parts of the page in states that need a network, for tests alone; never in what is handed out. */
export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  publicDir: "../../../public",
  plugins: [react(), tailwindcss()],
  build: {
    target: "es2022",
    outDir: "../../../dist-gallery",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
