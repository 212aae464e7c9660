// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { environment: "node", include: ["tests/browser/screenshots.ts"], testTimeout: 400_000 },
});
