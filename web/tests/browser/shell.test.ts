// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { contentSecurityPolicy } from "../../tools/csp.mjs";
import {
  accessibilityProblems,
  dist,
  launch,
  serveFolder,
  type StaticServer,
  type TestBrowser,
} from "./harness";

let server: StaticServer;
beforeAll(async () => {
  server = await serveFolder(dist, 5550);
});
afterAll(() => server.close());

const focused = (page: Page) =>
  page.evaluate(() => document.activeElement?.textContent?.trim() ?? "");

it("carries the policy that entries send", async () => {
  const html = await readFile(join(dist, "index.html"), "utf8");
  expect(html.replaceAll("&#39;", "'")).toContain(`content="${contentSecurityPolicy}"`);
  expect(html.indexOf("Content-Security-Policy")).toBeLessThan(html.indexOf("<script"));
  expect(html).not.toMatch(/<style|<script>|\son\w+=/);
});

describe("by keyboard", () => {
  let browser: TestBrowser;
  let page: Page;
  beforeEach(async () => {
    browser = await launch([server.origin]);
    page = await browser.newPage();
    await page.goto(`${server.origin}#/models`);
    await page.locator("h1").waitFor();
  });
  afterEach(async () => {
    expect(browser.problems).toEqual([]);
    await browser.close();
  });

  it("skips to the content without touching the route", async () => {
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    expect(page.url()).toContain("#/models");
  });

  it("walks the header in order, with a focus that is seen", async () => {
    const order: string[] = [];
    for (let at = 0; at < 8; at++) {
      await page.keyboard.press("Tab");
      order.push(await focused(page));
      const outline = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const shown = element.matches("input") ? element.parentElement! : element;
        return getComputedStyle(shown).outlineStyle;
      });
      expect(outline).toBe("solid");
    }
    expect(order.slice(0, 7)).toEqual([
      "Skip to the content",
      "TeeTee",
      "Chat",
      "Models",
      "Contribute",
      "Dashboard",
      "Explorer",
    ]);
  });

  it("moves the focus to the heading of the page that is gone to, and names the tab", async () => {
    await page.getByRole("link", { name: "Explorer" }).press("Enter");
    await page.getByRole("heading", { level: 1, name: "Explorer" }).waitFor();
    await expect.poll(() => focused(page)).toBe("Explorer");
    expect(await page.title()).toBe("Explorer · TeeTee");
    await page.goBack();
    await expect.poll(() => focused(page)).toBe("Models");
    expect(await page.title()).toBe("Models · TeeTee");
  });

  it("chooses the theme with arrow keys, and remembers it", async () => {
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
    expect(await theme()).toBe("light");
    await page.getByRole("radio", { name: "As the system" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await theme()).toBe("dark");
    await page.reload();
    await page.locator("h1").waitFor();
    expect(await theme()).toBe("dark");
    expect(await page.getByRole("radio", { name: "Dark" }).isChecked()).toBe(true);
    await page.getByRole("radio", { name: "As the system" }).check({ force: true });
    expect(await theme()).toBe("light");
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(theme).toBe("dark");
  });

  it("says when the device is offline, and moves nothing for it", async () => {
    const before = await page.locator("h1").boundingBox();
    await browser.context.setOffline(true);
    await page.getByText("This device is offline").waitFor();
    expect(await page.locator("h1").boundingBox()).toEqual(before);
    expect(await accessibilityProblems(page)).toEqual([]);
    await browser.context.setOffline(false);
    await page.getByText("This device is offline").waitFor({ state: "detached" });
  });
});

it("has a menu in narrow windows, which Escape closes", async () => {
  const browser = await launch([server.origin], { width: 360, height: 740 });
  const page = await browser.newPage();
  await page.goto(server.origin);
  const menu = page.getByRole("button", { name: "Menu" });
  await menu.press("Enter");
  await page.getByRole("link", { name: "Dashboard" }).waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.keyboard.press("Escape");
  expect(await page.getByRole("link", { name: "Dashboard" }).isVisible()).toBe(false);
  expect(await focused(page)).toBe("Menu");
  await menu.click();
  await page.getByRole("link", { name: "Dashboard" }).click();
  await page.getByRole("heading", { level: 1, name: "Dashboard" }).waitFor();
  expect(await page.getByRole("link", { name: "Dashboard" }).isVisible()).toBe(false);
  expect(browser.problems).toEqual([]);
  await browser.close();
});

it("says what has stopped when a part of the page does not arrive", async () => {
  const browser = await launch([server.origin]);
  const page = await browser.newPage();
  await page.route(/ModelsPage/, (route) => route.abort());
  await page.goto(`${server.origin}#/models`);
  await page.getByRole("heading", { name: "This part of the page has stopped" }).waitFor();
  await page.getByRole("link", { name: "Explorer" }).click();
  await page.getByRole("heading", { level: 1, name: "Explorer" }).waitFor();
  await browser.close();
});
