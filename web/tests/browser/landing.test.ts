// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  dist,
  launch,
  layoutShift,
  serveFolder,
  startShiftCount,
  type StaticServer,
} from "./harness";

let server: StaticServer;
beforeAll(async () => {
  server = await serveFolder(dist, 5550);
});
afterAll(() => server.close());

/** Whether the canvas has anything on it, as a screenshot shows it. */
async function open(options: Parameters<typeof launch>[1]) {
  const browser = await launch([server.origin], options);
  const page = await browser.newPage();
  const scripts: string[] = [];
  page.on("request", (request) => scripts.push(request.url()));
  await startShiftCount(page);
  await page.goto(server.origin);
  await page.locator("[data-picture]").waitFor();
  return { browser, page, scripts };
}

describe("the picture of the network", () => {
  it("moves where there is WebGL, in the place of the still one", async () => {
    const { browser, page, scripts } = await open({});
    const box = await page.locator("[data-picture]").boundingBox();
    await page.locator('[data-picture="moving"]').waitFor();
    expect(await page.locator("[data-picture]").boundingBox()).toEqual(box);
    const first = await page.locator("canvas").screenshot();
    await expect
      .poll(async () => first.equals(await page.locator("canvas").screenshot()))
      .toBe(false);
    expect(scripts.some((url) => url.includes("NetworkScene"))).toBe(true);
    expect(await layoutShift(page)).toBeLessThan(0.01);
    expect(browser.problems).toEqual([]);
    await browser.close();
  });

  it("stands still while nobody sees it", async () => {
    const { browser, page } = await open({ width: 360, height: 740 });
    await page.locator('[data-picture="moving"]').waitFor();
    await page.locator("[data-picture]").scrollIntoViewIfNeeded();
    await page.locator('[data-running="true"]').waitFor();
    await page.setViewportSize({ width: 360, height: 300 });
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.locator('[data-running="false"]').waitFor({ state: "attached" });
    await browser.close();
  });

  it.each([
    ["there is no WebGL", { webGl: false }],
    ["there is no graphics processor", { webGl: "software" }],
    ["motion is unwanted", { reducedMotion: true }],
  ] as const)("is still where %s, and nothing of the other is loaded", async (_, options) => {
    const { browser, page, scripts } = await open(options);
    await page.waitForLoadState("networkidle");
    expect(await page.locator('[data-picture="still"] svg ellipse').count()).toBe(3);
    expect(await page.locator("canvas").count()).toBe(0);
    expect(scripts.some((url) => url.includes("NetworkScene"))).toBe(false);
    expect(browser.problems).toEqual([]);
    await browser.close();
  });

  it("says that it is an outline while no network is connected", async () => {
    const { browser, page } = await open({ reducedMotion: true });
    await page.getByText("Outline, not a live network: none is connected.").waitFor();
    await page.getByRole("img", { name: /No network is connected/ }).waitFor();
    await browser.close();
  });
});
