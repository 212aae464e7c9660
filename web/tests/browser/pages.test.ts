// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  accessibilityProblems,
  dist,
  launch,
  layoutShift,
  serveFolder,
  startShiftCount,
  type StaticServer,
  type TestBrowser,
} from "./harness";

const pages = {
  "#/": "Ask a language model that nobody can listen in on.",
  "#/chat": "Chat",
  "#/models": "Models",
  "#/contribute": "Contribute",
  "#/dashboard": "Dashboard",
  "#/explorer": "Explorer",
  "#/nowhere": "Page not found",
};

let server: StaticServer;
beforeAll(async () => {
  server = await serveFolder(dist, 5550);
});
afterAll(() => server.close());

describe.each([
  { theme: "light", width: 1280, height: 800 },
  { theme: "dark", width: 1280, height: 800 },
  { theme: "light", width: 360, height: 740 },
  { theme: "dark", width: 360, height: 740 },
] as const)("every page, $theme, $width px wide", (options) => {
  let browser: TestBrowser;
  beforeAll(async () => {
    browser = await launch([server.origin], options);
  });
  afterAll(() => browser.close());

  it.each(Object.entries(pages))("%s", async (hash, heading) => {
    const page = await browser.newPage();
    await startShiftCount(page);
    await page.goto(server.origin + hash);
    await page.getByRole("heading", { level: 1, name: heading }).waitFor();
    await page.waitForLoadState("networkidle");
    expect(await page.locator("h1").count()).toBe(1);
    expect(await page.title()).toMatch(/TeeTee$/);
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe(options.theme);
    expect(await accessibilityProblems(page)).toEqual([]);
    // Nothing may be wider than the window.
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    ).toBeLessThanOrEqual(0);
    expect(await layoutShift(page)).toBeLessThan(0.01);
    expect(browser.problems).toEqual([]);
    await page.close();
  });
});

it("has no page that scrolls sideways at 320 px", async () => {
  const browser = await launch([server.origin], { width: 320, height: 600 });
  const page = await browser.newPage();
  for (const hash of Object.keys(pages)) {
    await page.goto(server.origin + hash);
    await page.locator("h1").waitFor();
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    ).toBeLessThanOrEqual(0);
  }
  await browser.close();
});
