// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  accessibilityProblems,
  launch,
  layoutShift,
  serveFolder,
  startShiftCount,
  web,
  type StaticServer,
  type TestBrowser,
} from "./harness";

let server: StaticServer;
beforeAll(async () => {
  await build({
    configFile: join(import.meta.dirname, "gallery/vite.config.ts"),
    logLevel: "warn",
  });
  server = await serveFolder(join(web, "dist-gallery"), 5551);
});
afterAll(() => server.close());

describe.each(["light", "dark"] as const)("proofs, %s", (theme) => {
  it.each([1280, 360])("are readable at %d px, what is wrong first", async (width) => {
    const browser = await launch([server.origin], { theme, width });
    const page = await browser.newPage();
    await page.goto(`${server.origin}?proofs`);
    await page.locator('[data-verdict="failed"]').waitFor();
    const verdicts = await page
      .locator("[data-verdict]")
      .evaluateAll((panels) => panels.map((panel) => (panel as HTMLElement).dataset.verdict));
    expect(verdicts).toEqual([
      "verifying",
      "verified",
      "simulated",
      "partial",
      "failed",
      "unknown",
      "attested",
    ]);
    await page.getByText("The pool is one that the entry names.").waitFor();
    const panel = (verdict: string) => page.locator(`[data-verdict="${verdict}"]`);
    expect(await panel("verified").getByText("verified", { exact: true }).count()).toBe(2);
    // Nodes are no more than the whole.
    expect(await panel("attested").getByText("verified", { exact: true }).count()).toBe(0);
    expect(await panel("attested").locator("li .text-verified.rounded-full").count()).toBe(0);
    expect(await panel("attested").getByText("attested", { exact: true }).count()).toBe(2);
    const failed = page.locator('[data-verdict="failed"]');
    expect(await failed.getByText(/can read prompt and answer in it.*test guesses/).count()).toBe(
      1,
    );
    expect(await failed.getByRole("alert").textContent()).toContain("1 of 5 checks failed");
    expect(await failed.getByRole("list", { name: "What is wrong" }).textContent()).toContain(
      "need0x888",
    );
    for (const summary of await page.locator("summary").all()) await summary.press("Enter");
    expect(await failed.locator("details li").first().textContent()).toContain("Failed: entry");
    expect(
      await page.locator('[data-verdict="simulated"]').getByRole("status").textContent(),
    ).toContain("SIMULATED");
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
    ).toBeLessThanOrEqual(0);
    expect(browser.problems).toEqual([]);
    await browser.close();
  });
});

describe("a chat that answers", () => {
  let browser: TestBrowser;
  let page: Page;
  const field = () => page.getByRole("textbox", { name: "Message" });
  const answers = () => page.locator("article:has(.prose)");
  beforeEach(async () => {
    browser = await launch([server.origin]);
    page = await browser.newPage();
    await startShiftCount(page);
    await page.goto(`${server.origin}#/chat`);
    await field().waitFor();
  });
  afterEach(async () => {
    expect(browser.problems).toEqual([]);
    await browser.close();
  });

  const ask = async (text: string) => {
    await field().fill(text);
    await page.keyboard.press("Enter");
  };

  it("sends with Enter, not with Shift+Enter, and not what an input method holds", async () => {
    await field().fill("one");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("two");
    expect(await field().inputValue()).toBe("one\ntwo");
    await field().evaluate((area) => {
      area.dispatchEvent(
        new KeyboardEvent("keydown", { key: "Enter", bubbles: true, isComposing: true }),
      );
    });
    expect(await field().inputValue()).toBe("one\ntwo");
    await page.keyboard.press("Enter");
    await page.getByText("The answer is complete.").waitFor({ state: "attached" });
    expect(await field().inputValue()).toBe("");
    expect(await page.locator("article p").first().textContent()).toBe("one\ntwo");
    expect(await page.getByText("SIMULATED").count()).toBeGreaterThan(0);
  });

  it("shows the proof of an answer, answers again, and takes an edited question", async () => {
    await ask("first");
    await page.getByText("The answer is complete.").waitFor({ state: "attached" });
    await page.getByText("3 + 9 tokens · 51 credits").waitFor();
    await page.getByRole("button", { name: "Proof" }).press("Enter");
    await page.locator('[data-verdict="simulated"]').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await ask("second");
    await expect.poll(() => answers().count()).toBe(2);
    await page.getByText("The answer is complete.").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Answer again" }).first().click();
    await expect.poll(() => page.locator("article").count()).toBe(2);
    await page.getByText("The answer is complete.").waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Edit the question" }).press("Enter");
    await page.getByRole("textbox", { name: "Question" }).fill("other");
    await page.getByRole("button", { name: "Ask this instead" }).click();
    await page.getByText("You said: other").waitFor();
    await page.getByText("The answer is complete.").waitFor({ state: "attached" });
    expect(await page.locator("article").count()).toBe(2);
    await page.reload();
    await page.getByText("You said: other").waitFor();
  });

  it("stops, and says what failed", async () => {
    await ask("long");
    await page.getByText("Part 2").first().waitFor();
    await page.getByRole("button", { name: "Stop the answer" }).press("Enter");
    await page.getByText("Stopped.", { exact: true }).waitFor();
    await ask("fail");
    await page.getByRole("alert").filter({ hasText: "There is no answer." }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it("counts down to when a full network may be asked again, and asks then", async () => {
    await ask("full");
    const failed = page.getByRole("alert").filter({ hasText: "The network is full." });
    const waiting = failed.getByRole("button", { name: /^Try again in [1-4] s$/ });
    await waiting.waitFor();
    expect(await waiting.isDisabled()).toBe(true);
    expect(await accessibilityProblems(page)).toEqual([]);
    await failed.getByRole("button", { name: "Try again", exact: true }).click();
    await page.getByText("You said: full").waitFor();
    expect(await failed.count()).toBe(0);
  });

  it("asks simulated TEEs in the place of hardware when the user chooses so", async () => {
    await ask("hardware");
    const failed = page.getByRole("alert").filter({ hasText: "They were told nothing." });
    await failed.waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await failed.getByRole("button", { name: "Ask simulated TEEs, unprotected" }).press("Enter");
    await page.getByText("You said: hardware").waitFor();
    expect(await failed.count()).toBe(0);
  });

  it("goes on with an answer while another page is open", async () => {
    await ask("long");
    await page.getByText("Part 0").waitFor();
    await page.getByRole("link", { name: "TeeTee" }).click();
    await page.getByRole("heading", { level: 1, name: /^Ask a language model/ }).waitFor();
    const before = 3;
    await page.goBack();
    await page.getByText(`Part ${before}`).first().waitFor();
    await page.getByRole("button", { name: "Stop the answer" }).click();
  });

  it("follows the text while the user is at its end, and leaves them alone otherwise", async () => {
    await ask("long");
    const log = page.getByRole("log");
    const fromEnd = () =>
      log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);
    await page.getByText("Part 4").first().waitFor();
    expect(await fromEnd()).toBeLessThan(60);
    await log.hover();
    await page.mouse.wheel(0, -600);
    await page.getByRole("button", { name: "To the end of the conversation" }).waitFor();
    const at = await log.evaluate((box) => box.scrollTop);
    await page.getByText("Part 7").first().waitFor({ state: "attached" });
    expect(await log.evaluate((box) => box.scrollTop)).toBe(at);
    await page.getByRole("button", { name: "To the end of the conversation" }).click();
    await expect.poll(fromEnd).toBeLessThan(60);
    await page.getByRole("button", { name: "Stop the answer" }).click();
  });

  it("keeps the elements of blocks that no longer change", async () => {
    await ask("long");
    await page.getByText("Part 3").first().waitFor();
    await page.evaluate(() => {
      const watched = window as unknown as { changes: number };
      watched.changes = 0;
      const first = document.querySelectorAll(".prose > .block");
      const observer = new MutationObserver((records) => (watched.changes += records.length));
      for (const block of [...first].slice(0, 10)) {
        observer.observe(block, { subtree: true, childList: true, characterData: true });
      }
    });
    await page.getByText("Part 6").first().waitFor();
    expect(await page.evaluate(() => (window as unknown as { changes: number }).changes)).toBe(0);
    expect(await layoutShift(page)).toBeLessThan(0.01);
    await page.getByRole("button", { name: "Stop the answer" }).click();
  });
});

it("draws the network that it is told of", async () => {
  const browser = await launch([server.origin], { reducedMotion: true });
  const page = await browser.newPage();
  await page.goto(server.origin);
  await page.getByRole("img", { name: /layers 0 to 5: 2 of 3 nodes live/ }).waitFor();
  await page.getByText("SIMULATED").first().waitFor();
  expect(await page.locator("[data-picture] circle").count()).toBe(7);
  expect(await accessibilityProblems(page)).toEqual([]);
  await browser.close();
});
