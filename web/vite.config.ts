// SPDX-License-Identifier: Apache-2.0
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { configDefaults, defineConfig } from "vitest/config";
import { fontLicence, fontPreload, gzipBeside, policyInPage } from "./tools/plugins.mjs";

export default defineConfig({
  // Relative, so that the page works under any path of any server.
  base: "./",
  plugins: [react(), tailwindcss(), policyInPage(), fontPreload(), fontLicence(), gzipBeside()],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    // No file becomes a data: URL: the policy allows none for fonts and scripts.
    assetsInlineLimit: 0,
    license: { fileName: "licences.md" },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // A group takes along what it imports, so what all share has to be taken before.
          groups: [
            { name: "react", test: /node_modules\/(?:react|react-dom|scheduler)\//, priority: 9 },
            { name: "base", test: /src\/base\/|vite\/preload-helper/, priority: 8 },
            { name: "curves", test: /node_modules\/@noble\//, priority: 7 },
            { name: "markdown", test: /node_modules\/marked\//, priority: 6 },
            { name: "verifier", test: /src\/attest\//, priority: 5 },
            { name: "viem", test: /node_modules\/(?:viem|ox|abitype)\//, priority: 4 },
            {
              name: "wallet",
              test: /node_modules\/(?:wagmi|@wagmi|mipd|@tanstack)\//,
              priority: 3,
            },
          ],
        },
      },
    },
  },
  test: {
    environment: "node",
    exclude: [...configDefaults.exclude, "tests/browser/**"],
  },
});
