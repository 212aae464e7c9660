// SPDX-License-Identifier: Apache-2.0
// The dashboard against a real network with a chain: TEETEE=/path/to/teetee npm run test:page
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readEvents } from "../../../src/chain/logs";
import {
  readBalance,
  readEarnings,
  readHead,
  readNode,
  readRefund,
} from "../../../src/chain/reads";
import { accessibilityProblems, launch, type BrowserOptions, type TestBrowser } from "../harness";
import { PaidAnswers } from "./paidAnswers";
import { newAccount, TestWallet } from "./testWallet";
import { chainId, hasNetwork, UpNetwork } from "./upNetwork";

const port = 5725;

describe.skipIf(!hasNetwork)("the dashboard on a network with a chain", () => {
  let network: UpNetwork;
  let answers: PaidAnswers;
  let browser: TestBrowser;
  let page: Page;

  beforeAll(async () => {
    network = await UpNetwork.start(port, "--shards", "2", "--replicas", "2");
    answers = await PaidAnswers.open(network);
  });
  afterAll(() => network?.stop());
  afterEach(async () => {
    expect(browser.problems).toEqual([]);
    await browser.close();
  });

  async function visit(wallet?: TestWallet, options: BrowserOptions = {}, hash = "#/dashboard") {
    browser = await launch(network.origins, options);
    await wallet?.install(browser.context);
    page = await browser.newPage();
    await page.goto(network.pageUrl + hash);
    await page.getByRole("heading", { level: 1, name: "Dashboard" }).waitFor();
  }

  function walletOf(account = newAccount()) {
    return new TestWallet({ account, rpcUrl: network.rpcUrl, chainId });
  }

  async function connect(): Promise<void> {
    // The page has a test wallet of its own beside it.
    const button = { name: "Connect Test wallet", exact: true };
    await page.getByRole("main").getByRole("button", button).click();
    await page.locator("[data-account]").waitFor();
  }

  const creditsIn = async (name: string) =>
    BigInt((await page.locator(`[data-${name}]`).getAttribute(`data-${name}`)) || "0");

  /** The host of the entry that serves the page: its own nodes are those of the first slot. */
  async function entryHost() {
    const entry = answers.connection.entry.registered[0]!;
    const hosts = ["host-1", "host-2"].map((name) => network.wallet(name));
    return hosts.find(({ address }) => address === entry.host)!;
  }

  it("says what to do where there is nothing", async () => {
    await visit(walletOf());
    await page.getByRole("heading", { name: "No wallet is connected" }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole("textbox", { name: "Or look at an address" }).fill("0x12");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByText("need an address, 0x and 40 hex digits").waitFor();
    await connect();
    await page.getByRole("heading", { name: "You host no shard yet" }).waitFor();
    expect(await page.getByRole("link", { name: "Host a shard" }).getAttribute("href")).toBe(
      "#/contribute",
    );
    await page.getByText(/No voucher was opened/).waitFor();
  });

  it("shows anybody's nodes, and lets only their wallet act", async () => {
    const host = await entryHost();
    await visit(undefined);
    await page.getByRole("textbox", { name: "Or look at an address" }).fill(host.address);
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await expect.poll(() => page.locator("[data-node]").count()).toBeGreaterThan(0);
    await page.getByText("You see what anybody can see.").waitFor();
    expect(await page.getByRole("button", { name: "Withdraw" }).count()).toBe(0);
    expect(await page.getByRole("button", { name: /leave$/ }).count()).toBe(0);
    expect(page.url()).toContain(`account=${host.address}`);
  });

  it("shows a host's nodes, their evidence and their usage", async () => {
    const host = await entryHost();
    await answers.ask(30);
    for (const options of [
      { theme: "light", width: 1280, height: 900 },
      { theme: "dark", width: 320, height: 640 },
    ] as const) {
      await visit(walletOf(host), options);
      await connect();
      await expect.poll(() => page.locator("[data-node]").count()).toBeGreaterThan(0);
      await page.getByText("live", { exact: true }).first().waitFor();
      const tokens = page.getByRole("figure", { name: "Tokens" });
      await tokens.getByText(/tokens in/).waitFor();
      await tokens.getByRole("button", { name: /As a table/ }).click();
      expect(await tokens.getByRole("row").count()).toBeGreaterThan(1);
      await tokens.getByRole("button", { name: /As a table/ }).click();
      const uptime = page.getByRole("figure", { name: "Uptime" }).getByRole("img");
      await uptime.focus();
      await page.keyboard.press("ArrowLeft");
      await page
        .getByRole("figure", { name: "Uptime" })
        .getByText(/: (not measured|.*% of probes answered)/)
        .waitFor();
      await page.getByRole("figure", { name: "Earnings a day" }).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      const tooWide = () => document.documentElement.scrollWidth - window.innerWidth;
      expect(await page.evaluate(tooWide)).toBeLessThanOrEqual(0);
      if (options.theme === "light") await browser.close();
    }
  });

  it("settles, shows what came of it, and withdraws", async () => {
    const host = await entryHost();
    await answers.ask(40);
    const wallet = walletOf(host);
    await visit(wallet);
    await connect();
    await page.getByRole("button", { name: "Settle now" }).click();
    await page.getByText(/Pending: 0 unsettled, 0 on their way/).waitFor({ timeout: 90_000 });
    await expect.poll(() => creditsIn("earnings"), { timeout: 30_000 }).toBeGreaterThan(0n);
    const earned = await readEarnings(network.reader, host.address);
    await expect.poll(() => creditsIn("earnings"), { timeout: 30_000 }).toBe(earned);
    await expect
      .poll(() => creditsIn("earned"), { timeout: 30_000 })
      .toBeGreaterThanOrEqual(earned);

    wallet.isRefusing = true;
    await page.getByRole("button", { name: "Withdraw" }).click();
    await page.getByText("Nothing was sent: the wallet was told not to").waitFor();
    expect(await readEarnings(network.reader, host.address)).toBe(earned);

    wallet.isRefusing = false;
    await page.getByText(/^Gas for it/).waitFor();
    await page.getByRole("button", { name: "Withdraw" }).click();
    await page.getByText(/^Done\. Transaction 0x/).waitFor({ timeout: 30_000 });
    expect(await readEarnings(network.reader, host.address)).toBe(0n);
    const taken = await readEvents(network.reader, {
      event: "EarningsWithdrawn",
      args: { account: host.address },
      fromBlock: 0n,
      toBlock: (await readHead(network.reader)).number,
    });
    expect(taken.map(({ args }) => [args.to, args.amount])).toEqual([[host.address, earned]]);
    await expect.poll(() => creditsIn("earnings")).toBe(0n);
    await page.getByRole("cell", { name: "withdrawn" }).waitFor();
    expect(await page.getByRole("button", { name: "Withdraw" }).isDisabled()).toBe(true);
  });

  it("shows a payer's credits and voucher, and gives credits back", async () => {
    const payer = network.wallet("payer");
    await visit(walletOf(payer));
    await connect();
    const balance = await readBalance(network.reader, payer.address);
    await expect.poll(() => creditsIn("credits")).toBe(balance);
    const voucher = page.locator('[data-voucher][data-phase="open"]').first();
    await voucher.getByText(/of 500,000 credits/).waitFor();
    await page.getByRole("textbox", { name: "Credits to give back" }).fill("7");
    await page.getByRole("button", { name: "Ask for ETH" }).click();
    await expect.poll(() => creditsIn("refund"), { timeout: 30_000 }).toBe(7n);
    expect((await readRefund(network.reader, payer.address)).amount).toBe(7n);
    await page.getByText(/ready in/).waitFor();
    expect(await page.getByRole("button", { name: "Take the ETH" }).isDisabled()).toBe(true);
    await page.getByRole("textbox", { name: /^Credits to give back/ }).fill(String(balance));
    await page.getByText(/Enter a whole number of credits/).waitFor();
    await page.getByRole("button", { name: "Keep the credits" }).click();
    await expect.poll(() => creditsIn("refund"), { timeout: 30_000 }).toBe(0n);
    expect(await accessibilityProblems(page)).toEqual([]);

    await voucher.getByRole("button", { name: "End it now" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "End it now" }).click();
    await page.locator('[data-voucher][data-phase="ending"]').waitFor({ timeout: 30_000 });
  });

  it("lets a node leave after asking", async () => {
    const host = await entryHost();
    await visit(walletOf(host));
    await connect();
    const nodes = page.locator("[data-node]");
    await expect.poll(() => nodes.count()).toBeGreaterThan(0);
    const count = await nodes.count();
    const id = BigInt((await nodes.last().getAttribute("data-node")) ?? "0");
    await page.getByRole("button", { name: `Let node ${id} leave` }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    expect((await readNode(network.reader, id)).left).toBe(false);
    await page.getByRole("button", { name: `Let node ${id} leave` }).click();
    await dialog.getByRole("button", { name: `Let node ${id} leave` }).click();
    await expect.poll(() => nodes.count(), { timeout: 30_000 }).toBe(count - 1);
    expect((await readNode(network.reader, id)).left).toBe(true);
  });
});
