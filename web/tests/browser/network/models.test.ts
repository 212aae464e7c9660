// SPDX-License-Identifier: Apache-2.0
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  accessibilityProblems,
  launch,
  layoutShift,
  startShiftCount,
  type BrowserOptions,
  type TestBrowser,
} from "../harness";
import { tooWide } from "./tooWide";
import { hasNetwork, UpNetwork } from "./upNetwork";

let network: UpNetwork;
let browser: TestBrowser;
let page: Page;

async function open(options: BrowserOptions = {}) {
  browser = await launch(network.origins, options);
  page = await browser.newPage();
  await startShiftCount(page);
  await page.goto(`${network.pageUrl}#/models`);
  await page.getByRole("heading", { level: 1, name: "Models" }).waitFor();
}

async function expectGood() {
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(await tooWide(page)).toEqual([]);
  expect(await layoutShift(page)).toBeLessThan(0.02);
  expect(browser.problems).toEqual([]);
}

describe.skipIf(!hasNetwork)("models of a network with a chain", () => {
  beforeAll(async () => {
    network = await UpNetwork.start(5650, "--shards", "2", "--replicas", "2");
  });
  afterAll(() => network?.stop());
  afterEach(() => browser?.close());

  describe("in a wide window", () => {
    beforeEach(() => open());

    it("lists the pool, with its price, slots and trust, each held against the contract", async () => {
      const row = page.getByRole("row", { name: /TeeTee Story/ });
      await row.getByText("checked on chain", { exact: true }).waitFor();
      expect(await row.getByText("SIMULATED").count()).toBe(1);
      const text = await row.innerText();
      expect(text).toContain("2,000");
      expect(text).toContain("5,000");
      expect(text).toContain("ETH");
      expect(text).toContain("5% fee");
      expect(text).toContain("2 of 2 filled");
      expect(await page.getByText("1 model, each held against the contract").count()).toBe(1);
      await expectGood();
    });

    it("opens to everything that is known, and closes again, by keyboard alone", async () => {
      const details = page.getByRole("button", { name: "Details of TeeTee Story" });
      await details.focus();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Slots" }).waitFor();
      expect(page.url()).toMatch(/#\/models\/1$/);
      expect(await page.getByText("2 live nodes", { exact: true }).count()).toBe(2);
      expect(await page.getByText("tls://127.0.0.1:").count()).toBe(4);
      expect(await page.getByText(/evidence ends in/).count()).toBe(4);
      expect(await page.getByRole("link", { name: "Host slot 1" }).getAttribute("href")).toBe(
        "#/contribute?pool=1&slot=1",
      );
      expect(await page.getByRole("link", { name: "Chat with this model" }).count()).toBe(1);
      await expectGood();
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Slots" }).waitFor({ state: "detached" });
    });

    it("sorts by its heads and searches", async () => {
      const price = page.getByRole("columnheader", { name: /Price/ });
      await price.getByRole("button").press("Space");
      expect(await price.getAttribute("aria-sort")).toBe("ascending");
      await price.getByRole("button").press("Space");
      expect(await price.getAttribute("aria-sort")).toBe("descending");
      await page.getByRole("searchbox").fill("no such model");
      await page.getByText("No model is like that").waitFor();
      expect(await page.getByText("0 of 1 models").count()).toBe(1);
      await page.getByRole("searchbox").fill("STORY");
      await page.getByRole("row", { name: /TeeTee Story/ }).waitFor();
      await expectGood();
    });
  });

  it("is a list of cards on a phone, in the dark", async () => {
    await open({ width: 360, height: 740, theme: "dark", touch: true });
    const card = page.getByRole("list", { name: "Models on offer" }).getByRole("listitem").first();
    await card.getByText("checked on chain", { exact: true }).waitFor();
    expect(await page.getByRole("table").count()).toBe(0);
    await card.getByRole("button", { name: "Details of TeeTee Story" }).click();
    await page.getByRole("heading", { name: "Slots" }).waitFor();
    await expectGood();
  });

  it("says so where the entry tells what the contract does not have", async () => {
    await open();
    await browser.context.route("**/v1/pools*", async (route) => {
      const answer = await route.fetch();
      const list = (await answer.json()) as { data: { fee_bps: number }[] };
      list.data[0]!.fee_bps = 1;
      await route.fulfill({ response: answer, json: list });
    });
    await page.reload();
    const row = page.getByRole("row", { name: /TeeTee Story/ });
    await row.getByText("differs from the chain").waitFor();
    await row.getByRole("button", { name: /Details/ }).click();
    await page.getByText("fee: the entry tells 1, the contract 500").waitFor();
    await expectGood();
  });

  it("says that the chain is not reached, and shows what the entry tells", async () => {
    await open();
    await page
      .getByRole("row", { name: /TeeTee Story/ })
      .getByText("checked on chain", { exact: true })
      .waitFor();
    const { rpcUrl } = network;
    await browser.context.route(`${rpcUrl}/**`, (route) => route.abort());
    await page.reload();
    await page.getByText(/Not up to date/).waitFor({ timeout: 40_000 });
    const row = page.getByRole("row", { name: /TeeTee Story/ });
    expect(await row.getByText("checked on chain", { exact: true }).count()).toBe(0);
    // The browser itself says in its console that the endpoint is away.
    const others = browser.problems.filter((problem) => !problem.includes("net::ERR_FAILED"));
    expect(others).toEqual([]);
  });
});

describe.skipIf(!hasNetwork)("the model of a network without a chain", () => {
  beforeAll(async () => {
    network = await UpNetwork.start(5670, "--shards", "2", "--no-chain");
  });
  afterAll(() => network?.stop());
  afterEach(() => browser?.close());

  it("is free, and nothing is said of a contract", async () => {
    await open();
    const row = page.getByRole("row", { name: /TeeTee Story/ });
    await row.getByText("SIMULATED").waitFor();
    // An entry that has just begun has not looked at every node yet.
    await row.getByText("2 of 2 filled").waitFor({ timeout: 40_000 });
    const text = await row.innerText();
    expect(text).toContain("Free");
    expect(text).toContain("no chain");
    expect(await page.getByText("on chain").count()).toBe(0);
    await row.getByRole("button", { name: /Details/ }).click();
    await page.getByRole("heading", { name: "Slots" }).waitFor();
    expect(await page.getByRole("link", { name: /Host slot/ }).count()).toBe(0);
    await expectGood();
  });

  it("has no slots to fill", async () => {
    await open();
    await page.goto(`${network.pageUrl}#/contribute`);
    await page.getByText("This network has no pools").waitFor();
    await expectGood();
  });
});
