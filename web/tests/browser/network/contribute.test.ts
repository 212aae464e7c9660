// SPDX-License-Identifier: Apache-2.0
import { createServer } from "node:http";
import type { Page } from "playwright-core";
import type { PrivateKeyAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readHostNodes, readIsLive, readNode } from "../../../src/chain/reads";
import { composeHash, hostAppCompose, hostCompose } from "../../../src/client/compose";
import { accessibilityProblems, launch, type BrowserOptions, type TestBrowser } from "../harness";
import { tooWide } from "./tooWide";
import { startHostNode, tamperingProxy, type HostNode } from "./hostNode";
import { giveEth, newAccount, TestWallet } from "./testWallet";
import { chainId, hasNetwork, UpNetwork } from "./upNetwork";

const image = `registry.example/teetee@sha256:${"c0ffee".repeat(10)}c0de`;
const nodePort = 5690;
const proxyPort = 5695;

describe.skipIf(!hasNetwork)("a host's way", () => {
  let network: UpNetwork;
  let host: PrivateKeyAccount;
  let node: HostNode;
  let browser: TestBrowser;
  let page: Page;
  let wallet: TestWallet;

  beforeAll(async () => {
    network = await UpNetwork.start(5650, "--shards", "2");
    host = await funded();
    node = await startHostNode(network, { host: host.address, slot: 1, port: nodePort });
  });
  afterAll(async () => {
    await node?.stop();
    await network?.stop();
  });
  afterEach(() => browser?.close());

  async function funded(): Promise<PrivateKeyAccount> {
    const account = newAccount();
    await giveEth(network.rpcUrl, account.address, 10n ** 19n);
    return account;
  }

  async function open(account = host, options: BrowserOptions = {}, query = "pool=1&slot=1") {
    const around = [node.url, `http://127.0.0.1:${proxyPort}`, "http://127.0.0.1:5699"];
    browser = await launch([...network.origins, ...around], options);
    wallet = new TestWallet({ account, rpcUrl: network.rpcUrl, chainId });
    await wallet.install(browser.context);
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    page = await browser.newPage();
    await page.goto(`${network.pageUrl}#/contribute?${query}`);
    await page.getByRole("heading", { name: /Choose a model and a slot/ }).waitFor();
  }

  async function connect() {
    // Where the browser has several wallets each has a button of its name.
    const button = page
      .getByRole("main")
      .getByRole("button", { name: /^Connect (test )?wallet$/i });
    await button.first().click();
    await page.getByText("Your connected wallet").waitFor();
  }

  const step = (id: string) => page.locator(`[data-step="${id}"]`);

  async function check(url: string) {
    await page.getByLabel("The node's URL").fill(url);
    await page.getByRole("button", { name: "Check the node", exact: true }).click();
    await page
      .getByRole("button", { name: "Check the node", exact: true })
      .waitFor({ timeout: 30_000 });
    return Object.fromEntries(
      await page
        .locator("[data-step]")
        .evaluateAll((steps) =>
          steps.map((one) => [one.getAttribute("data-step"), one.getAttribute("data-state")]),
        ),
    ) as Record<string, string>;
  }

  async function expectGood(beside = /^$/) {
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await tooWide(page)).toEqual([]);
    expect(browser.problems.filter((problem) => !beside.test(problem))).toEqual([]);
  }

  it("begins with the worst served slot, and files that have everything filled in", async () => {
    await open(host, {}, "");
    expect(await page.getByRole("radio", { name: /Slot 0.*needs you most/ }).isChecked()).toBe(
      true,
    );
    await page.getByRole("radio", { name: /Slot 1/ }).check();
    expect(page.url()).toContain("pool=1&slot=1");
    await connect();
    await page.getByLabel("Image").fill("teetee:latest");
    await page.getByText("need NAME@sha256:DIGEST").waitFor();
    await page.getByLabel("Image").fill(image);
    await page.getByLabel("Gateway domain").fill("gateway.example");
    // As the network, until its host says otherwise.
    const simulated = page.getByRole("checkbox", { name: /A SIMULATED TEE/ });
    expect(await simulated.isChecked()).toBe(true);

    const copied = async (name: string) => {
      await page.locator("fieldset label", { hasText: name }).click();
      await page.getByRole("button", { name: `Copy ${name}` }).click();
      await page.getByRole("button", { name: `Copied ${name}` }).waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    expect(await copied("docker-compose.yaml")).toBe(hostCompose({ image, isDev: true }));
    await simulated.uncheck();
    await page.getByText(/policy names no build with this MRCONFIGID/).waitFor();
    const compose = hostCompose({ image });
    const hash = await composeHash(hostAppCompose(compose));
    expect(await copied("docker-compose.yaml")).toBe(compose);
    expect(await copied("app-compose.json")).toBe(hostAppCompose(compose));
    const env = await copied(".env");
    for (const line of [
      `TEETEE_RPC=${network.rpcUrl}`,
      `TEETEE_CONTRACT=${network.reader.deployment.contract}`,
      "TEETEE_CHAIN_ID=84532",
      "TEETEE_POOL=1",
      "TEETEE_SLOT=1",
      `TEETEE_HOST=${host.address}`,
      `TEETEE_ADVERTISE=tls://${hash.slice(0, 40)}-5010s.gateway.example:443`,
    ]) {
      expect(env.split("\n")).toContain(line);
    }
    expect(await page.getByTitle(hash, { exact: true }).count()).toBe(1);
    expect(await page.getByTitle(`01${hash}${"0".repeat(30)}`).count()).toBe(1);
    await page.getByText("Take the gateway's address").click();
    expect(await page.getByLabel("The node's URL").inputValue()).toBe(
      `https://${hash.slice(0, 40)}-5001.gateway.example`,
    );
    await expectGood();
  });

  it("refuses what is no node, and says what to do", async () => {
    await open();
    await connect();
    // The entry's API: another port of a node.
    const states = await check(network.urls[0] ?? "");
    expect(states["answer"]).toBe("failed");
    expect(states["contract"]).toBe("skipped");
    expect(await step("answer").innerText()).toContain("port 5001");
    // Nobody is there.
    expect((await check("http://127.0.0.1:5699"))["answer"]).toBe("failed");
    expect(await step("answer").innerText()).toContain("Open the URL in a new tab");
    // What browsers would refuse without a word.
    await page.getByLabel("The node's URL").fill("http://node.example:5001");
    await page.getByText(/by https alone/).waitFor();
    await page.getByLabel("The node's URL").fill("tls://127.0.0.1:5690");
    await page.getByText(/tls:\/\/ is where other nodes link to it/).waitFor();
    expect(await page.getByRole("button", { name: "Register the node" }).count()).toBe(0);
    await expectGood(/ERR_CONNECTION_REFUSED|status of 404/);
  });

  it("stops waiting for a node that says nothing", async () => {
    const silent = createServer(() => {});
    await new Promise<void>((ready) => silent.listen(proxyPort, "127.0.0.1", ready));
    try {
      await open();
      await connect();
      await page.getByLabel("The node's URL").fill(`http://127.0.0.1:${proxyPort}`);
      await page.getByRole("button", { name: "Check the node", exact: true }).click();
      await page.locator('[data-step="answer"][data-state="running"]').waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.locator('[data-step="answer"][data-state="waiting"]').waitFor();
      await expectGood();
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  it("checks a registration that is pasted, since it proves itself", async () => {
    await open();
    await connect();
    const registration = await (await fetch(`${node.url}/registration`)).text();
    await page.getByText("The page cannot reach the node?").click();
    await page.getByLabel(/What .registration of its port/).fill(registration);
    await page.getByRole("button", { name: "Check this registration" }).click();
    await page.locator('[data-step="contract"][data-state="passed"]').waitFor();
    await expectGood();
  });

  it("refuses another wallet's node", async () => {
    await open(await funded());
    await connect();
    const states = await check(node.url);
    expect(states).toMatchObject({ answer: "passed", place: "passed", wallet: "failed" });
    expect(states).toMatchObject({ evidence: "passed", contract: "skipped" });
    expect(await step("wallet").innerText()).toContain("TEETEE_HOST");
    expect(await page.getByRole("button", { name: "Register the node" }).count()).toBe(0);
    await expectGood();
  });

  it("refuses a node of another slot", async () => {
    await open(host, {}, "pool=1&slot=0");
    await connect();
    expect((await check(node.url))["place"]).toBe("failed");
    expect(await step("place").innerText()).toContain("TEETEE_SLOT");
    await expectGood();
  });

  const flipped = (hex: string, at: number) =>
    hex.slice(0, at) + (hex[at] === "0" ? "1" : "0") + hex.slice(at + 1);

  const changes: readonly (readonly [string, string, (text: string) => string])[] = [
    ["endpoint", "statement", () => "tls://evil.example:1"],
    ["quote", "evidence", (quote) => flipped(quote, 200)],
    ["statement", "statement", (statement) => flipped(statement, statement.length - 1)],
    ["signature", "statement", (signature) => flipped(signature, 20)],
  ];
  it.each(changes)(
    "refuses a registration whose %s somebody changed",
    async (member, failing, change) => {
      const proxy = await tamperingProxy(proxyPort, node.url, (registration) => ({
        ...registration,
        [member]: change(String(registration[member])),
      }));
      try {
        await open();
        await connect();
        const states = await check(proxy.url);
        expect(states[failing]).toBe("failed");
        expect(states["contract"]).toBe("skipped");
        expect(await page.getByRole("button", { name: "Register the node" }).count()).toBe(0);
        await expectGood();
      } finally {
        proxy.close();
      }
    },
  );

  it("registers the node: verified in the page, signed by the wallet, live on chain", async () => {
    await open();
    await connect();
    const states = await check(node.url);
    expect(new Set(Object.values(states))).toEqual(new Set(["passed"]));
    expect(await step("evidence").innerText()).toContain("SIMULATED");
    await step("evidence")
      .getByText(/All \d+ checks of the evidence/)
      .click();
    await expectGood();

    wallet.isRefusing = true;
    await page.getByRole("button", { name: "Register the node" }).click();
    await page.getByText("You declined in the wallet. Nothing was sent.").waitFor();
    wallet.isRefusing = false;
    await page.getByRole("button", { name: "Register the node" }).click();
    await page.getByText(/Node \d+ is registered/).waitFor();

    const reader = network.reader;
    const [registered] = await readHostNodes(reader, 1n, host.address);
    expect(registered).toBeGreaterThan(0n);
    const info = await readNode(reader, registered!);
    expect(info).toMatchObject({ slot: 1, host: host.address, pool: 1n });
    expect(await readIsLive(reader, registered!)).toBe(true);
    expect(await page.getByText(`Node ${registered} is registered`).count()).toBe(1);
    expect(
      await page.getByRole("link", { name: "See it in the dashboard" }).getAttribute("href"),
    ).toBe(`#/dashboard?node=${registered}`);
    await expectGood();

    // Its entry tells of it, and the models page has it from the chain.
    await page.goto(`${network.pageUrl}#/models/1`);
    await page.getByText(`Node ${registered}`, { exact: true }).waitFor({ timeout: 60_000 });
    await expectGood();
  });

  it("renews it: the dashboard's link leads to its slot, and the same way ends there", async () => {
    const [registered] = await readHostNodes(network.reader, 1n, host.address);
    await open(host, { width: 360, height: 740, theme: "dark" }, `node=${registered}`);
    await connect();
    await page.getByRole("region", { name: "Your nodes in this pool" }).waitFor();
    expect(page.url()).toContain("pool=1&slot=1");
    const states = await check(node.url);
    expect(new Set(Object.values(states))).toEqual(new Set(["passed"]));
    await page.getByRole("button", { name: "Renew the registration" }).click();
    await page.getByText(`Node ${registered} is renewed`).waitFor();
    await expectGood();
  });
});
