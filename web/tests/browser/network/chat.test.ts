// SPDX-License-Identifier: Apache-2.0
// The chat page against a real network with a chain: TEETEE=/path/to/teetee npm run test:page
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readBalance } from "../../../src/chain/reads";
import { accessibilityProblems, launch, type TestBrowser } from "../harness";
import { FrontProxy } from "./frontProxy";
import { giveEth, newAccount, TestWallet } from "./testWallet";
import { chainId, hasNetwork, UpNetwork } from "./upNetwork";

const port = 5600;
const eth = 10n ** 18n;
const question = "Once upon a time";

/** What is done when the first of an answer's text is there. */
const actAtText = new WeakMap<Page, () => void>();

function ms(value: number): string {
  return value.toFixed(0);
}

describe.skipIf(!hasNetwork)("chat on a network with a chain", () => {
  let network: UpNetwork;
  let browser: TestBrowser;
  let page: Page;

  beforeAll(async () => {
    network = await UpNetwork.start(port, "--shards", "3", "--replicas", "2");
  });
  afterAll(() => network.stop());
  afterEach(async () => {
    await browser.close();
  });

  /** A browser with the wallet, or with none, at the page. */
  async function visit(wallet?: TestWallet, url = network.pageUrl, more: readonly string[] = []) {
    browser = await launch([...network.origins, ...more]);
    await wallet?.install(browser.context);
    page = await browser.newPage();
    await page.goto(`${url}#/chat`);
  }

  /** The chain is read there, as a user may wish it. */
  async function readBy(rpcUrl: string): Promise<void> {
    await page.addInitScript(
      (url) => localStorage.setItem("teetee.network", JSON.stringify({ rpcUrls: [url] })),
      rpcUrl,
    );
  }

  function walletOf(account = newAccount(), change: Partial<TestWallet["options"]> = {}) {
    return new TestWallet({ account, rpcUrl: network.rpcUrl, chainId, ...change });
  }

  /** A new wallet, where the chain is read through that. */
  async function connectBy(rpc: FrontProxy): Promise<TestWallet> {
    const wallet = walletOf();
    await giveEth(network.rpcUrl, wallet.account.address, eth);
    browser = await launch([...network.origins, rpc.url]);
    await wallet.install(browser.context);
    page = await browser.newPage();
    await readBy(rpc.url);
    await page.goto(`${network.pageUrl}#/chat`);
    await connect();
    return wallet;
  }

  const dialog = () => page.getByRole("dialog");
  const step = () => page.getByRole("region", { name: "Next step" });
  const field = () => page.getByRole("textbox", { name: "Message" });
  const answers = () => page.locator("article", { has: page.getByText("Answer", { exact: true }) });
  const last = () => answers().last();

  async function connect(): Promise<void> {
    await step().getByRole("button", { name: "Connect wallet" }).click();
    await dialog().getByRole("button", { name: "Test wallet", exact: true }).click();
    await expect.poll(() => dialog().count()).toBe(0);
  }

  async function buy(amount: string): Promise<void> {
    await step().getByRole("button", { name: "Buy credits" }).click();
    await dialog().getByRole("textbox", { name: "Amount" }).fill(amount);
    await dialog()
      .getByRole("button", { name: /^Buy for/ })
      .click();
    await dialog().waitFor({ state: "detached" });
  }

  async function openSession(ceiling?: string): Promise<void> {
    await step().getByRole("button", { name: "Open a session" }).click();
    if (ceiling !== undefined) {
      await dialog()
        .getByRole("textbox", { name: /^At most/ })
        .fill(ceiling);
    }
    await dialog().getByRole("button", { name: "Sign and open" }).click();
    await dialog().waitFor({ state: "detached", timeout: 60_000 });
  }

  async function payByQuestion(): Promise<void> {
    await page.getByRole("button", { name: "Payment" }).click();
    await dialog()
      .getByRole("radio", { name: /By question/ })
      .check();
    await page.keyboard.press("Escape");
  }

  async function readyToAsk(wallet: TestWallet): Promise<void> {
    await giveEth(network.rpcUrl, wallet.account.address, eth);
    await visit(wallet);
    await connect();
    await buy("200,000");
    await openSession("100,000");
    await expect.poll(() => step().count()).toBe(0);
  }

  async function ask(text = question): Promise<void> {
    await field().fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  }

  async function answered(): Promise<string> {
    await last().getByRole("button", { name: "Answer again" }).waitFor({ timeout: 90_000 });
    expect(await last().getByRole("alert").allInnerTexts()).toEqual([]);
    return (await last().locator(".prose").innerText()).trim();
  }

  /** Acts as soon as the page shows the first of an answer's text; before the answer is asked for. */
  async function onFirstText(act: "stop" | (() => void)): Promise<void> {
    if (act !== "stop") {
      const isNew = !actAtText.has(page);
      actAtText.set(page, act);
      const run = () => actAtText.get(page)?.();
      if (isNew) await page.exposeFunction("firstTextIsThere", run);
    }
    await page.evaluate((isStop) => {
      const { firstTextIsThere } = window as unknown as { firstTextIsThere(): void };
      const observer = new MutationObserver(() => {
        const texts = document.querySelectorAll('article[aria-busy="true"] .prose');
        if (![...texts].some((text) => (text.textContent ?? "") !== "")) return;
        observer.disconnect();
        if (!isStop) return firstTextIsThere();
        [...document.querySelectorAll("button")]
          .find(({ textContent }) => textContent === "Stop the answer")
          ?.click();
      });
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    }, act === "stop");
  }

  async function setSettings(settings: Readonly<Record<string, string>>): Promise<void> {
    await page.getByRole("button", { name: "Settings of this conversation" }).click();
    for (const [name, value] of Object.entries(settings)) {
      await dialog().getByRole("textbox", { name }).fill(value);
    }
    await page.keyboard.press("Escape");
    await expect.poll(() => dialog().count()).toBe(0);
  }

  it("verifies every node before the first prompt", async () => {
    const route = () => page.getByRole("region", { name: "Route" });
    const times: { verifyMs: number; knownMs: number }[] = [];
    await visit();
    for (let i = 0; i < 3; i++) {
      await route().getByText("every check passed", { exact: false }).waitFor();
      times.push(
        await page.evaluate(() => {
          const [first] = performance.getEntriesByName("teetee.verifyRoute");
          const { startTime = 0, duration = 0 } = first ?? {};
          return { verifyMs: duration, knownMs: startTime + duration };
        }),
      );
      if (i < 2) await page.reload();
    }
    const nodes = await route().getByRole("listitem").count();
    const [best] = times.toSorted((a, b) => a.verifyMs - b.verifyMs);
    const figures = times.map(({ verifyMs, knownMs }) => `${ms(verifyMs)} (${ms(knownMs)})`);
    console.log(
      `a route of ${nodes} nodes verified in the page, ms (and behind the navigation's begin): ${figures.join(", ")}`,
    );
    expect(nodes).toBeGreaterThanOrEqual(3);
    // A bar for a machine that does nothing else.
    if (process.env["TEETEE_BARS"]) expect(best?.verifyMs).toBeLessThanOrEqual(300);
    await route().locator("summary").first().click();
    await route().getByText("host 0x", { exact: false }).first().waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(browser.problems).toEqual([]);
  });

  it("says what to do where there is no wallet", async () => {
    // A chain that says that it is none for development, for which the page has a wallet itself.
    const rpc = await FrontProxy.start(port + 42, network.rpcUrl);
    rpc.change = (_, body) => Buffer.from(body.toString().replace("anvil/", "other/"));
    try {
      browser = await launch([...network.origins, rpc.url]);
      page = await browser.newPage();
      await readBy(rpc.url);
      await page.goto(`${network.pageUrl}#/chat`);
      await step().getByRole("button", { name: "How to get one" }).click();
      await dialog().getByText("This browser has no wallet.").waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(browser.problems).toEqual([]);
    } finally {
      await rpc.stop();
    }
  });

  it("has a wallet of its own to be tried with, on a chain for development", async () => {
    await visit();
    await step().getByRole("button", { name: "Connect wallet" }).click();
    await dialog().getByRole("button", { name: "Test wallet of this page" }).click();
    await step().getByRole("button", { name: "Get test ETH" }).click();
    await buy("100,000");
    await openSession("50,000");
    await ask();
    expect(await answered()).not.toBe("");
    await last()
      .getByText(/[1-9][\d,]* credits/)
      .waitFor();
    expect(browser.problems).toEqual([]);
  });

  it("leads from nothing to a paid and proven answer", async () => {
    const wallet = walletOf();
    await visit(wallet);
    await connect();
    // A dev chain gives ETH for the asking.
    await step().getByRole("button", { name: "Get test ETH" }).click();
    await buy("100,000");
    expect(await readBalance(network.reader, wallet.account.address)).toBe(100_000n);
    await openSession("50,000");
    await ask();
    expect(await answered()).not.toBe("");
    // One signature for the session, one transaction for the credits, none for the answer.
    expect(wallet.calls.filter((call) => call === "eth_signTypedData_v4")).toHaveLength(1);
    await last()
      .getByText(/[1-9][\d,]* credits/)
      .waitFor();
    const proof = last().getByRole("button", { name: /SIMULATED/ });
    await proof.click();
    const panel = last().locator("[data-verdict]");
    await expect.poll(() => panel.getAttribute("data-verdict")).toBe("simulated");
    await panel.getByText("Who computed it").waitFor();
    await page.getByText(/credits left in this session/).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      panel.getByRole("button", { name: "Download the receipt" }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^teetee-receipt-[0-9a-z-]+\.json$/);
    // The entry settles it, and the contract then has it.
    await panel.getByText(/In the contract since/).waitFor({ timeout: 60_000 });
    expect(browser.problems).toEqual([]);
  });

  it("is calm when the user refuses", async () => {
    const wallet = walletOf();
    await giveEth(network.rpcUrl, wallet.account.address, eth);
    await visit(wallet);
    wallet.isRefusing = true;
    await step().getByRole("button", { name: "Connect wallet" }).click();
    await dialog().getByRole("button", { name: "Test wallet", exact: true }).click();
    await dialog().getByText("You declined in the wallet").waitFor();
    wallet.isRefusing = false;
    await dialog().getByRole("button", { name: "Test wallet", exact: true }).click();
    await step().getByRole("button", { name: "Buy credits" }).click();
    wallet.isRefusing = true;
    await dialog()
      .getByRole("button", { name: /^Buy for/ })
      .click();
    await dialog().getByText("You declined in the wallet").waitFor();
    expect(await readBalance(network.reader, wallet.account.address)).toBe(0n);
    expect(browser.problems).toEqual([]);
  });

  it("asks to switch a wallet that is on another chain, and teaches it the chain", async () => {
    const wallet = walletOf(newAccount(), { onChain: 1, knowsChain: false });
    await giveEth(network.rpcUrl, wallet.account.address, eth);
    await visit(wallet);
    await connect();
    await step().getByText("The wallet is on another network").waitFor();
    await step().getByRole("button", { name: "Switch network" }).click();
    await step().getByRole("button", { name: "Buy credits" }).waitFor();
    expect(wallet.calls).toContain("wallet_addEthereumChain");
    await wallet.switchTo(1);
    await step().getByText("The wallet is on another network").waitFor();
    expect(browser.problems).toEqual([]);
  });

  it("streams, stops, answers again, and proves what was stopped", async () => {
    await readyToAsk(walletOf());
    await setSettings({ Temperature: "1", "Most tokens": "400", Seed: "5" });
    // An answer that is whole before its first letter is drawn cannot be stopped: then once more.
    let stopped = 0;
    for (let tries = 0; tries < 5 && stopped === 0; tries++) {
      await onFirstText("stop");
      await ask();
      await last().getByRole("button", { name: "Answer again" }).waitFor();
      stopped = await last().getByText("Stopped.").count();
    }
    expect(stopped).toBe(1);
    await last()
      .getByRole("button", { name: /SIMULATED/ })
      .click();
    await expect
      .poll(() => last().locator("[data-verdict]").getAttribute("data-verdict"))
      .toBe("simulated");
    // The entry may have signed for more than came before the stop; the request is at hand.
    await last()
      .getByText(/Proved in part: Not compared with the receipt, .*: the text above\.$/)
      .waitFor();
    await last().getByRole("button", { name: "Answer again" }).click();
    expect(await answered()).not.toBe("");
    expect(browser.problems).toEqual([]);
  });

  it("ends where the session is used up, and says so", async () => {
    const wallet = walletOf();
    await giveEth(network.rpcUrl, wallet.account.address, eth);
    await visit(wallet);
    await connect();
    await buy("20,000");
    // So little that the entry opens none for it: the wallet does.
    await openSession("700");
    expect(wallet.calls.filter((call) => call === "eth_sendTransaction")).toHaveLength(2);
    await setSettings({ Temperature: "1", "Most tokens": "480", Seed: "34" });
    await ask();
    await last().getByText("the session does not cover more", { exact: false }).waitFor();
    await step().getByText("The session is used up").waitFor();
    await step().getByRole("button", { name: "Open another session" }).click();
    await dialog().getByRole("button", { name: "Sign and open" }).waitFor();
    expect(browser.problems).toEqual([]);
  });

  it("goes on when the entry is killed in the middle, with the same text", async () => {
    await readyToAsk(walletOf());
    // A seed with which the answer is long.
    await setSettings({ Temperature: "1", "Most tokens": "480", Seed: "34" });
    await ask();
    const whole = await answered();
    const first = network.urls[0] ?? "";
    const panel = last().locator("[data-verdict]");
    let isInPart = false;
    // One that was answered to its end before the kill is asked again, once the entry is back.
    for (let i = 0; i < 5 && !isInPart; i++) {
      await expect
        .poll(
          () =>
            fetch(`${first}/ready`).then(
              ({ ok }) => ok,
              () => false,
            ),
          { timeout: 60_000 },
        )
        .toBe(true);
      const pid = network.pidOf(first);
      await onFirstText(() => void process.kill(pid, "SIGKILL"));
      await last().getByRole("button", { name: "Answer again" }).click();
      expect(await answered()).toBe(whole);
      await last()
        .getByRole("button", { name: /SIMULATED/ })
        .click();
      isInPart = await panel.getByText(/Proved in part/).isVisible();
    }
    // Its receipt went with it; what the other entry gave is proven.
    await panel.getByText(/Proved in part: .*(has no receipt|an entry that died)/).waitFor();
    expect(await panel.getAttribute("data-verdict")).toBe("simulated");
    // The browser says itself that the connection broke; the page says nothing else.
    const others = browser.problems.filter(
      (problem) => !/Failed to load resource|ERR_/.test(problem),
    );
    expect(others).toEqual([]);
  });

  it("is free for a host, who signs in once", async () => {
    const wallet = walletOf(network.wallet("host-1"));
    await visit(wallet);
    await connect();
    await page.getByRole("button", { name: "Chat free of charge" }).click();
    await ask();
    expect(await answered()).not.toBe("");
    await last()
      .getByText(/tokens · free/)
      .waitFor();
    await last().getByRole("button", { name: "Answer again" }).click();
    await answered();
    expect(wallet.calls.filter((call) => call === "personal_sign")).toHaveLength(1);
    expect(wallet.calls).not.toContain("eth_sendTransaction");
    expect(browser.problems).toEqual([]);
  });

  it("pays by the question, by a transaction each", async () => {
    const wallet = walletOf();
    await giveEth(network.rpcUrl, wallet.account.address, eth);
    await visit(wallet);
    await connect();
    await payByQuestion();
    await setSettings({ "Most tokens": "16" });
    wallet.isRefusing = true;
    await ask();
    await last().getByText("You declined in the wallet").waitFor();
    wallet.isRefusing = false;
    await last().getByRole("button", { name: "Answer again" }).click();
    await last()
      .getByText(/[1-9][\d,]* credits/)
      .waitFor({ timeout: 60_000 });
    expect(wallet.calls.filter((call) => call === "eth_sendTransaction")).toHaveLength(2);
    expect(browser.problems).toEqual([]);
  });

  it("pays a question once, though the page lost sight of its transaction", async () => {
    const rpc = await FrontProxy.start(port + 43, network.rpcUrl);
    try {
      const wallet = await connectBy(rpc);
      await payByQuestion();
      await setSettings({ "Most tokens": "16" });
      wallet.onSent = () => (rpc.isDown = true);
      await ask();
      await expect.poll(() => rpc.isDown, { timeout: 60_000 }).toBe(true);
      await page.getByRole("button", { name: "Stop the answer" }).click();
      await last().getByText("Stopped.").waitFor();
      await last().getByText("Ask the same again: the same entry is not paid again").waitFor();
      wallet.onSent = undefined;
      rpc.isDown = false;
      await page.reload();
      await page.getByRole("button", { name: "Payment" }).click();
      const paid = dialog().getByRole("region", { name: "Questions that are paid" });
      await paid.getByText(/^Question \d+: [\d,]+ credits at most/).waitFor({ timeout: 40_000 });
      await paid.getByText("can be reclaimed from", { exact: false }).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await last().getByRole("button", { name: "Answer again" }).click();
      await last()
        .getByText(/[1-9][\d,]* credits/)
        .waitFor({ timeout: 60_000 });
      expect(wallet.calls.filter((call) => call === "eth_sendTransaction")).toHaveLength(1);
      const others = browser.problems.filter(
        (problem) => !/Failed to load resource|ERR_/.test(problem),
      );
      expect(others).toEqual([]);
    } finally {
      await rpc.stop();
    }
  });

  it("shows a receipt red that is not what was signed", async () => {
    const wallet = walletOf();
    await giveEth(network.rpcUrl, wallet.account.address, eth);
    browser = await launch(network.origins);
    await wallet.install(browser.context);
    page = await browser.newPage();
    // Nobody on the way can change a sealed receipt, so that the entry itself lies is played where
    // the page has opened what came.
    await page.addInitScript(() => {
      const decrypt = SubtleCrypto.prototype.decrypt;
      SubtleCrypto.prototype.decrypt = async function (...args) {
        const opened = new Uint8Array(await decrypt.apply(this, args));
        const text = new TextDecoder("latin1").decode(opened);
        const at = text.indexOf('"answer_hash":"');
        if (at >= 0) {
          const digit = at + 20;
          opened[digit] = opened[digit] === 0x30 ? 0x31 : 0x30;
        }
        return opened.buffer;
      };
    });
    await page.goto(`${network.pageUrl}#/chat`);
    await connect();
    await buy("100,000");
    await openSession("50,000");
    await ask();
    await answered();
    await last()
      .getByRole("button", { name: /Does not hold/ })
      .click();
    const panel = last().locator("[data-verdict]");
    expect(await panel.getAttribute("data-verdict")).toBe("failed");
    const wrong = panel.getByRole("list", { name: "What is wrong" });
    await wrong.getByText("Signature of the entry").waitFor();
    await wrong.getByText("The text", { exact: true }).waitFor();
    expect(browser.problems).toEqual([]);
  });

  it("refuses a route whose evidence was changed on the way, and sends it nothing", async () => {
    const front = await FrontProxy.start(port + 40, network.urls[0] ?? "");
    try {
      front.change = (path, body) => {
        if (!path.startsWith("/attestation")) return undefined;
        const document = JSON.parse(body.toString()) as { nodes: { quote: string }[] };
        const node = document.nodes.at(-1);
        if (!node) return undefined;
        const quote = Buffer.from(node.quote, "base64");
        quote[200] = (quote[200] ?? 0) ^ 1;
        node.quote = quote.toString("base64");
        return Buffer.from(JSON.stringify(document));
      };
      await visit(walletOf(), `${front.url}/`, [front.url]);
      const route = page.getByRole("region", { name: "Route" });
      await route.getByText("Refused: a node of the route").waitFor();
      await route.getByText("failed").first().waitFor({ state: "attached" });
      await field().fill("secret");
      expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
      await page.getByRole("button", { name: /Network:/ }).click();
      await dialog().getByText("Nothing is sent to this network.").waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(front.seen.filter((line) => line.startsWith("POST"))).toEqual([]);
      expect(browser.problems).toEqual([]);
    } finally {
      await front.stop();
    }
  });

  it("says that the chain cannot be read, and goes on when it can", async () => {
    const rpc = await FrontProxy.start(port + 41, network.rpcUrl);
    try {
      await connectBy(rpc);
      await step().getByRole("button", { name: "Buy credits" }).waitFor();
      rpc.isDown = true;
      await step().getByText("The chain cannot be read now").waitFor({ timeout: 40_000 });
      rpc.isDown = false;
      await step().getByRole("button", { name: "Try again" }).click();
      await step().getByRole("button", { name: "Buy credits" }).waitFor();
      const others = browser.problems.filter(
        (problem) => !/Failed to load resource|ERR_/.test(problem),
      );
      expect(others).toEqual([]);
    } finally {
      await rpc.stop();
    }
  });

  it("keeps a session that is signed and not open, and opens it with the same signature", async () => {
    const wallet = walletOf();
    await giveEth(network.rpcUrl, wallet.account.address, eth);
    await visit(wallet);
    await connect();
    await buy("20,000");
    await step().getByRole("button", { name: "Open a session" }).click();
    // So little that the entry opens none for it: the wallet is asked, and refuses that.
    await dialog()
      .getByRole("textbox", { name: /^At most/ })
      .fill("700");
    wallet.refusing = "eth_sendTransaction";
    await dialog().getByRole("button", { name: "Sign and open" }).click();
    await dialog().getByText("The session is signed", { exact: false }).waitFor();
    wallet.refusing = undefined;
    await page.reload();
    await step().getByText("The session is not open yet").waitFor();
    await step().getByRole("button", { name: "See the session" }).click();
    const opening = dialog().getByRole("region", { name: "Sessions that are not open yet" });
    await opening.getByText("700 credits at most", { exact: false }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await opening.getByRole("button", { name: "Open by a transaction" }).click();
    await opening.waitFor({ state: "detached", timeout: 60_000 });
    await dialog().getByText("Left in this session").waitFor();
    expect(wallet.calls.filter((call) => call === "eth_signTypedData_v4")).toHaveLength(1);
    expect(browser.problems).toEqual([]);
  });

  it("ends a session, and keeps it for its rest", async () => {
    await readyToAsk(walletOf());
    await page.getByRole("button", { name: "Payment" }).click();
    await dialog().getByRole("button", { name: "End session" }).click();
    await dialog().getByText("Sessions that are over").waitFor();
    expect(await dialog().getByRole("button", { name: "Reclaim" }).isDisabled()).toBe(true);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await step().getByRole("button", { name: "Open a session" }).waitFor();
    // A session outlives the page.
    await openSession("20,000");
    await page.reload();
    await page.getByText(/20,000 credits left in this session/).waitFor();
    await ask();
    await answered();
    // What is left is what was not charged, once nothing is held any more.
    const figures = await last()
      .getByText(/\d credits$/)
      .innerText();
    const cost = Number(/([\d,]+) credits/.exec(figures)?.[1]?.replace(",", ""));
    const left = `${(20_000 - cost).toLocaleString("en")} credits left in this session`;
    await page.getByText(left).waitFor();
    expect(browser.problems).toEqual([]);
  });
});
