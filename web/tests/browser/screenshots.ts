// SPDX-License-Identifier: Apache-2.0
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import { it } from "vitest";
import { launch } from "./harness";
import { UpNetwork } from "./network/upNetwork";

const pages = ["home", "chat", "models", "contribute", "dashboard"] as const;

/** With the wallet that the page itself has on a development chain, as a newcomer would. */
async function askOnce(page: Page): Promise<void> {
  const dialog = page.getByRole("dialog");
  const step = page.getByRole("region", { name: "Next step" });
  await step.getByRole("button", { name: "Connect wallet" }).click();
  await dialog.getByRole("button", { name: "Test wallet of this page" }).click();
  await step.getByRole("button", { name: "Get test ETH" }).click();
  await step.getByRole("button", { name: "Buy credits" }).click();
  await dialog.getByRole("textbox", { name: "Amount" }).fill("200,000");
  await dialog.getByRole("button", { name: /^Buy for/ }).click();
  await step.getByRole("button", { name: "Open a session" }).click();
  await dialog.getByRole("button", { name: "Sign and open" }).click();
  await dialog.waitFor({ state: "detached", timeout: 60_000 });
  await step.waitFor({ state: "detached" });
  await page.getByRole("textbox", { name: "Message" }).fill("Once upon a time there was a cat.");
  await page.getByRole("button", { name: "Send" }).click();
  const verdict = page
    .locator("article")
    .last()
    .getByRole("button", { name: /SIMULATED/ });
  await verdict.click({ timeout: 90_000 });
  await page.locator("[data-verdict]").scrollIntoViewIfNeeded();
}

async function show(page: Page, network: UpNetwork, name: (typeof pages)[number]): Promise<void> {
  const host = network.wallet("host-1").address;
  const hash = { home: "", dashboard: `dashboard?account=${host}` } as Record<string, string>;
  await page.goto(`${network.pageUrl}#/${hash[name] ?? name}`);
  if (name === "chat") await askOnce(page);
  if (name === "home") await page.locator('[data-picture="moving"]').waitFor();
  await page.locator("h1").waitFor();
  await page.waitForTimeout(2_500);
}

/**
 * `npm run screenshots -- DIR` by way of SCREENSHOTS: every page in both themes, connected to a
 * network of `teetee up` (TEETEE names the program).
 */
it("takes pictures of every page", async () => {
  const folder = resolve(process.env.SCREENSHOTS ?? "screenshots");
  await mkdir(folder, { recursive: true });
  const network = await UpNetwork.start(5560, "--shards", "3", "--replicas", "2");
  try {
    for (const theme of ["light", "dark"] as const) {
      const browser = await launch(network.origins, { theme, width: 1280, height: 800 });
      const page = await browser.newPage();
      for (const name of pages) {
        await show(page, network, name);
        await page.screenshot({ path: join(folder, `${name}-${theme}.png`) });
        // What the chat page has proved is handed to the explorer.
        if (name !== "chat") continue;
        await page.getByRole("button", { name: "Open in the explorer" }).click();
        await page.getByRole("heading", { level: 1, name: "Explorer" }).waitFor();
        await page.waitForTimeout(2_500);
        await page.screenshot({ path: join(folder, `explorer-${theme}.png`) });
      }
      await browser.close();
    }
  } finally {
    await network.stop();
  }
});
