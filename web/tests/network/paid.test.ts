// SPDX-License-Identifier: Apache-2.0
// Against a real network on this machine with a chain of its own: `npm run test:network`.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createPublicClient, createWalletClient, defineChain, http, parseEventLogs } from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromUtf8, toHex } from "../../src/base/bytes";
import { teeTeeAbi } from "../../src/chain/abi";
import {
  buyCall,
  type ContractCall,
  endVoucherCall,
  openVoucherCall,
  requestRefundCall,
  tryCall,
  withdrawCall,
} from "../../src/chain/calls";
import { readEvents } from "../../src/chain/logs";
import {
  type ChainReader,
  ensureDeployment,
  readBalance,
  readEarnings,
  readHead,
  readIsHost,
  readPool,
  readRefund,
  readVoucher,
  readWeiPerCredit,
} from "../../src/chain/reads";
import {
  makeSessionKey,
  randomSalt,
  type Voucher,
  voucherId,
  voucherTypedData,
} from "../../src/chain/typedData";
import { ask, type AskEvents, type GivenAnswer, type Question } from "../../src/client/ask";
import {
  composeHash,
  gatewayUrls,
  hostAppCompose,
  hostCompose,
  hostEnvFile,
} from "../../src/client/compose";
import { EntryPool } from "../../src/client/entryPool";
import type { Standing } from "../../src/client/entries";
import { HostPayer, settleNow } from "../../src/client/hostPayer";
import { parseRegistration, prepareRegistration } from "../../src/client/nodeProbe";
import type { Payer } from "../../src/client/payers";
import { checkAnchor, fetchReceiptAnchor, fetchReceipts } from "../../src/client/receipts";
import { VoucherPayer } from "../../src/client/voucherPayer";
import { hasBinary, hasContracts, teeteeBinary, UpNetwork } from "./upNetwork";
import { verifierOf } from "./verifier";

const prompt = "Once upon a time";

describe.skipIf(!hasBinary || !hasContracts)("a network with a chain", { timeout: 60_000 }, () => {
  let network: UpNetwork;
  const verifier = verifierOf(() => network);
  let entries: EntryPool;
  let reader: ChainReader;

  beforeAll(async () => {
    network = await UpNetwork.start(5470, "--shards", "2", "--replicas", "2");
    if (!network.reader) throw new Error("the network has no chain");
    ({ reader } = network);
    entries = new EntryPool({
      urls: network.urls,
      terms: network.terms,
      verifier,
    });
  }, 240_000);

  afterAll(() => network.stop());

  /** As a wallet does; what comes of it. */
  async function send(account: PrivateKeyAccount, call: ContractCall) {
    const chain = defineChain({
      id: 84532,
      name: "dev",
      nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: [network.rpcUrl] } },
    });
    const transport = http(network.rpcUrl);
    const wallet = createWalletClient({ account, chain, transport });
    const hash = await wallet.sendTransaction({ to: call.to, data: call.data, value: call.value });
    const receipt = await createPublicClient({ chain, transport }).waitForTransactionReceipt({
      hash,
      pollingInterval: 200,
    });
    expect(receipt.status).toBe("success");
    return parseEventLogs({ abi: teeTeeAbi, logs: receipt.logs });
  }

  async function asked(
    payer: Payer | undefined,
    body: Question["body"],
    events: AskEvents = {},
    given?: GivenAnswer,
  ) {
    let text = "";
    const onText = (more: string) => {
      text += more;
    };
    const question: Question = {
      path: "/v1/completions",
      body: { prompt, ...body },
      ...(given ? { given } : {}),
    };
    const allowing = { entries, allowsSimulated: true };
    const options = payer ? { ...allowing, payer, patienceMs: 30_000 } : allowing;
    const answer = await ask(options, question, { ...events, onText });
    const [part] = answer.parts;
    const [got] = await fetchReceipts(entries, answer.parts);
    const receipt = JSON.parse(fromUtf8(got?.receipt ?? new Uint8Array(0))) as {
      payment?: { charged: string };
    };
    return { answer, text, part, charged: Number(receipt.payment?.charged ?? 0) };
  }

  /** A voucher of the payer's own credits, opened by a transaction. */
  async function openVoucher(ceiling: bigint) {
    const payer = network.wallet("payer");
    const session = makeSessionKey();
    const { timestamp } = await readHead(reader);
    const voucher: Voucher = {
      payer: payer.address,
      pool: network.pool,
      sessionKey: session.address,
      ceiling,
      expiry: BigInt(timestamp + 86_400),
      salt: randomSalt(),
    };
    await send(payer, buyCall(reader.deployment, ceiling, await readWeiPerCredit(reader)));
    const signature = await payer.signTypedData(voucherTypedData(reader.deployment, voucher));
    const call = openVoucherCall(reader.deployment, voucher, signature);
    await tryCall(reader.client, call, payer.address);
    const [opened] = (await send(payer, call)).filter((log) => log.eventName === "VoucherOpened");
    const id = voucherId(reader.deployment, voucher);
    expect(opened?.args.voucher).toBe(id);
    return {
      deployment: reader.deployment,
      pool: network.pool,
      voucher: id,
      sessionKey: session.key,
      ceiling,
    };
  }

  it("has every node of its route in the contract", async () => {
    await ensureDeployment(reader);
    const entry = await entries.open(network.urls[0] ?? "");
    expect(entry.registered.length).toBe(entry.route.nodes.length);
    expect(entry.registered.every((node) => node.node > 0n)).toBe(true);
    const pool = await readPool(reader, network.pool);
    expect(pool.modelRoot).toBe(entry.route.modelRoot);
    expect(pool.policyHash).toBe(entry.route.policyHash);
    expect(await readIsHost(reader, network.pool, network.wallet("host-1").address)).toBe(true);
    const nodes = await readEvents(reader, {
      event: "NodeRegistered",
      args: { pool: network.pool },
      fromBlock: 0n,
      toBlock: (await readHead(reader)).number,
    });
    expect(new Set(nodes.map((event) => event.args.receiptKey)).size).toBe(4);
    const other = { ...reader, deployment: { ...reader.deployment, chainId: 1 } };
    await expect(ensureDeployment(other)).rejects.toThrow("chain_mismatch");
  });

  it("answers nobody for nothing", async () => {
    await expect(asked(undefined, { max_tokens: 4 })).rejects.toMatchObject({
      code: "payment_required",
      status: 402,
    });
  });

  it("is paid by voucher, more and more as the answer comes", async () => {
    const session = await openVoucher(20_000n);
    const standings: Standing[] = [];
    const payer = new VoucherPayer(session, {
      onStanding: (_, standing) => standings.push(standing),
    });
    const body = { max_tokens: 400, seed: 5, temperature: 1 };
    const { text, charged, part } = await asked(payer, body);
    expect(text).not.toBe("");
    expect(part?.endedByPayment).toBe(false);
    expect(charged).toBeGreaterThan(128 * 5);
    const sums = new Set(standings.map((standing) => standing.signed));
    expect(sums.size).toBeGreaterThan(2);
    const entry = await entries.open(part?.entry.url ?? "");
    expect(Number((await payer.standing(entry)).charged)).toBe(charged);
    await send(network.wallet("payer"), endVoucherCall(reader.deployment, session.voucher));
    const { expiry } = (await readVoucher(reader, session.voucher)) ?? { expiry: 0 };
    expect(expiry).toBeLessThanOrEqual((await readHead(reader)).timestamp);
  });

  it("ends where a bound of the user's is reached, and goes on from there", async () => {
    const session = await openVoucher(20_000n);
    const body = { max_tokens: 400, seed: 5, temperature: 1 };
    const bounded = new VoucherPayer(session, { spendMax: 250n });
    const short = await asked(bounded, body);
    expect(short.part?.endedByPayment).toBe(true);
    expect(short.charged).toBeLessThanOrEqual(250);
    const payer = new VoucherPayer(session);
    const rest = await asked(payer, body, {}, short.answer);
    expect(rest.part?.endedByPayment).toBe(false);
    const { heldText } = short.answer;
    const text = short.text.slice(0, short.text.length - heldText.length) + rest.text;
    expect(text).toBe((await asked(payer, body)).text);
  });

  it("goes on elsewhere with an answer that is paid for by voucher", async () => {
    const payer = new VoucherPayer(await openVoucher(20_000n));
    const body = { max_tokens: 300, seed: 3, temperature: 1 };
    const whole = await asked(payer, body);
    let texts = 0;
    let text = "";
    const question: Question = { path: "/v1/completions", body: { prompt, ...body } };
    const options = { entries, payer, patienceMs: 30_000, allowsSimulated: true };
    const answer = await ask(options, question, {
      onText: (more) => {
        text += more;
        if (++texts === 5) network.killEntry(entries.preferred);
      },
    });
    expect(answer.parts.length).toBe(2);
    expect(text).toBe(whole.text);
  });

  it("is free for its hosts, who sign in once", async () => {
    const wallet = network.wallet("host-1");
    let signatures = 0;
    const payer = new HostPayer({
      wallet: wallet.address,
      chainId: 84532,
      sign: async (message) => {
        signatures += 1;
        return wallet.signMessage({ message });
      },
    });
    const { text, charged } = await asked(payer, { max_tokens: 8 });
    expect(text).not.toBe("");
    expect(charged).toBe(0);
    await asked(payer, { max_tokens: 8 });
    expect(signatures).toBe(1);
    // In the name of the page where the entry serves it, and in no other's.
    const url = entries.preferred;
    const { host } = new URL(url);
    for (const [domain, name] of [
      [host, `${host} wants`],
      ["elsewhere.example", "teetee wants"],
    ] as const) {
      const sign = async (message: string) => {
        expect(message.startsWith(name)).toBe(true);
        return wallet.signMessage({ message });
      };
      const named = new HostPayer({ wallet: wallet.address, chainId: 84532, sign, domain });
      const token = await entries.use(url, (entry) => named.tokenFor(entry));
      expect(token).toMatch(/^[0-9a-f]{64}$/);
    }
    const stranger = network.wallet("payer");
    const other = new HostPayer({
      wallet: stranger.address,
      chainId: 84532,
      sign: (message) => stranger.signMessage({ message }),
    });
    await expect(asked(other, { max_tokens: 8 })).rejects.toMatchObject({ code: "host_unknown" });
  });

  it("settles what was charged, so that the contract has the receipt and hosts have earned", async () => {
    const payer = new VoucherPayer(await openVoucher(5000n));
    const { part } = await asked(payer, { max_tokens: 8 });
    if (!part) throw new Error("no part of an answer");
    await expect
      .poll(() => fetchReceiptAnchor(entries, part).then((one) => one.state), { timeout: 40_000 })
      .toBe("settled");
    const anchor = await fetchReceiptAnchor(entries, part);
    const entry = await entries.open(part.entry.url);
    const receipt = {
      deployment: reader.deployment,
      pool: network.pool,
      digest: `0x${toHex(anchor.receipt)}` as const,
      entry: entry.receiptKey,
    };
    expect(await checkAnchor(reader, receipt, anchor)).toBeGreaterThan(1_700_000_000);
    const wrong = { ...receipt, digest: `0x${"00".repeat(32)}` as const };
    await expect(checkAnchor(reader, wrong, anchor)).rejects.toThrow("receipt_rejected");
    const host = network.wallet("host-2");
    const earned = await readEarnings(reader, host.address);
    expect(earned).toBeGreaterThan(0n);
    await send(host, withdrawCall(reader.deployment));
    expect(await readEarnings(reader, host.address)).toBeLessThan(earned);
  });

  it("gives credits back, and says in words what it refuses", async () => {
    const payer = network.wallet("payer");
    const balance = await readBalance(reader, payer.address);
    const call = requestRefundCall(reader.deployment, balance + 1n);
    await expect(tryCall(reader.client, call, payer.address)).rejects.toThrow(
      /call_reverted: InsufficientCredits.*buy credits first/,
    );
    await send(payer, requestRefundCall(reader.deployment, 5n));
    expect((await readRefund(reader, payer.address)).amount).toBe(5n);
    await expect(
      tryCall(reader.client, withdrawCall(reader.deployment), payer.address),
    ).rejects.toThrow("ZeroAmount");
  });

  it("writes the files of a node as the program does, to the byte", async () => {
    const host = network.wallet("host-2");
    const image = `registry.example/teetee@sha256:${"a".repeat(64)}`;
    const folder = join(network.folder, "host");
    const run = (...flags: string[]) =>
      execFileSync(
        teeteeBinary,
        ["host", "--pool", String(network.pool), "--slot", "1", "--dir", folder, ...flags],
        {
          env: {
            ...process.env,
            XDG_STATE_HOME: network.folder,
            TEETEE_CONFIG: "none",
            TEETEE_RPC: network.rpcUrl,
            TEETEE_DEPLOYMENT: network.path("deployment.json"),
          },
          stdio: "pipe",
        },
      );
    const files = [
      "--manifest",
      network.path("manifest.json"),
      "--policy",
      network.path("policy.json"),
    ];
    const named = ["--account", host.address, "--image", image, "--gateway", "g.example"];
    run("--no-fetch", "--from", "https://shards.example/", ...files, ...named);
    const written = (name: string) => readFileSync(join(folder, name), "utf8");
    const compose = hostCompose({ image });
    expect(written("docker-compose.yaml")).toBe(compose);
    expect(written("app-compose.json")).toBe(hostAppCompose(compose));
    const appId = (await composeHash(hostAppCompose(compose))).slice(0, 40);
    const { block } = JSON.parse(network.file("deployment.json").toString()) as { block: number };
    const settings = {
      rpcUrls: [network.rpcUrl],
      contract: reader.deployment.contract,
      chainId: 84532,
      fromBlock: BigInt(block),
      pool: network.pool,
      slot: 1,
      shardFrom: "https://shards.example/",
      host: host.address,
      advertise: gatewayUrls(appId, "g.example").advertise,
    };
    expect(written(".env")).toBe(hostEnvFile(settings));
    const dev = ["--dev-tee", network.path("dev-tee.seed"), "--account", host.address];
    run("--no-fetch", "--image", image, ...files, ...dev);
    expect(written("docker-compose.yaml")).toBe(hostCompose({ image, isDev: true }));
  });

  it("settles at once where the entry's host asks for it", async () => {
    const wallet = network.wallet("host-1");
    const payer = new HostPayer({
      wallet: wallet.address,
      chainId: 84532,
      sign: (message) => wallet.signMessage({ message }),
    });
    const entry = await entries.open(entries.preferred);
    const totals = await settleNow(entry, payer);
    expect(totals.settled + totals.settling + totals.unsettled).toBeGreaterThan(0n);
  });

  it("takes the registration of a node as the page makes it", async () => {
    const bytes = new Uint8Array(network.file("dev-chain/registration-2.json"));
    const file = parseRegistration(bytes);
    const host = network.wallet("host-2");
    const about = {
      wallet: host.address,
      verifier,
      kind: "dev",
      now: Math.floor(Date.now() / 1000),
    } as const;
    const ready = await prepareRegistration(reader, file, about);
    // It is there already: new evidence of the same key.
    expect(ready.node).toBeGreaterThan(0n);
    await tryCall(reader.client, ready.call, host.address);
    const stranger = { ...about, wallet: network.wallet("host-1").address };
    await expect(prepareRegistration(reader, file, stranger)).rejects.toThrow("registration.host");
  });
});
