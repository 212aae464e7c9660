// SPDX-License-Identifier: Apache-2.0
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { it } from "vitest";
import { dist, launch, serveFolder } from "./harness";

const pages = ["home", "chat", "models", "contribute", "dashboard", "explorer"];

/** `npm run screenshots -- DIR` by way of SCREENSHOTS: every page of dist/, both themes, two widths. */
it("takes pictures of every page", async () => {
  const folder = resolve(process.env.SCREENSHOTS ?? "screenshots");
  await mkdir(folder, { recursive: true });
  const server = await serveFolder(dist, 5552);
  for (const theme of ["light", "dark"] as const) {
    for (const width of [1280, 390]) {
      const browser = await launch([server.origin], {
        theme,
        width,
        height: width < 500 ? 844 : 800,
      });
      const page = await browser.newPage();
      // The first visit may be drawn before the font is there; pictures are of the second.
      await page.goto(server.origin);
      await page.waitForLoadState("networkidle");
      for (const name of pages) {
        await page.goto(`${server.origin}#/${name === "home" ? "" : name}`);
        await page.reload();
        await page.locator("h1").waitFor();
        await page.waitForLoadState("networkidle");
        if (name === "home") {
          await page.locator('[data-picture="moving"]').waitFor();
          await page.waitForTimeout(800);
        }
        await page.screenshot({ path: join(folder, `${name}-${theme}-${width}.png`) });
      }
      await browser.close();
    }
  }
  await server.close();
});
