// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import {
  BaseError,
  createClient,
  custom,
  decodeFunctionData,
  encodeAbiParameters,
  encodeErrorResult,
  encodeEventTopics,
  type Hex,
  numberToHex,
} from "viem";
import { describe, expect, it } from "vitest";
import { teeTeeAbi } from "./abi";
import {
  buyCall,
  openVoucherCall,
  payQueryCall,
  queryPrice,
  registerNodeCall,
  requestRefundCall,
} from "./calls";
import { isSameDeployment, toAddress } from "./deployment";
import { explainChainError, explainedErrors, explainRevert } from "./errors";
import { readEvents } from "./logs";
import { readBalance, readNode, readVoucher, type ChainReader } from "./reads";

const contract = toAddress("0xc0ffee0000000000000000000000000000000001", "contract");
const account = toAddress("0xabcd000000000000000000000000000000000002", "account");
const deployment = { chainId: 31337, contract };
const word = (byte: number): Hex => `0x${"00".repeat(31)}${byte.toString(16).padStart(2, "0")}`;

type Rpc = (method: string, params: readonly unknown[]) => unknown;

function readerOf(rpc: Rpc): ChainReader {
  const transport = custom(
    { request: async ({ method, params }) => rpc(method, (params ?? []) as unknown[]) },
    { retryCount: 0 },
  );
  return { client: createClient({ transport }), deployment };
}

describe("the contract's interface", () => {
  it("is that of contracts/abi", () => {
    execFileSync("node", ["tools/makeAbi.mjs", "--check"], { stdio: "pipe" });
  });

  it("has each error that there is something to say about", () => {
    const names = new Set<string>(
      teeTeeAbi.flatMap((entry) => (entry.type === "error" ? [entry.name] : [])),
    );
    for (const name of explainedErrors) expect([name, names.has(name)]).toEqual([name, true]);
  });
});

describe("calls", () => {
  it("carry what they say", () => {
    expect(buyCall(deployment, 7n, 1000n)).toMatchObject({ to: contract, value: 7000n });
    const refund = requestRefundCall(deployment, 5n);
    expect(decodeFunctionData({ abi: teeTeeAbi, data: refund.data })).toEqual({
      functionName: "requestRefund",
      args: [5n],
    });
    const terms = {
      pool: 1n,
      entry: account,
      requestHash: word(9),
      maxPromptTokens: 10,
      maxCompletionTokens: 20,
      deadline: 99n,
    };
    const prices = { prompt: 2n, completion: 5n };
    expect(queryPrice(prices, terms)).toBe(120n);
    const query = payQueryCall(deployment, terms, prices, 3n);
    expect(query.value).toBe(360n);
    expect(decodeFunctionData({ abi: teeTeeAbi, data: query.data }).args).toEqual([
      1n,
      account,
      word(9),
      10,
      20,
      99n,
    ]);
    const registration = {
      pool: 1n,
      slot: 2,
      receiptKey: account,
      statementHash: word(1),
      endpoint: "tls://a:1",
      evidence: "0x01" as Hex,
      signature: "0x02" as Hex,
    };
    const register = registerNodeCall(deployment, registration, 4n);
    expect(register.value).toBe(4n);
    expect(decodeFunctionData({ abi: teeTeeAbi, data: register.data }).args).toEqual([
      registration,
    ]);
  });

  it("are of amounts that the contract has", () => {
    for (const amount of [0n, -1n, 1n << 64n]) {
      expect(() => buyCall(deployment, amount, 1n)).toThrow("amount_malformed");
      expect(() => requestRefundCall(deployment, amount)).toThrow("amount_malformed");
    }
    const voucher = {
      payer: account,
      pool: 1n,
      sessionKey: account,
      ceiling: 1n << 64n,
      expiry: 1n,
      salt: word(1),
    };
    expect(() => openVoucherCall(deployment, voucher, "0x")).toThrow("amount_malformed");
  });
});

describe("reads", () => {
  it("tell what is not there from what is", async () => {
    const zeros = readerOf(() => `0x${"00".repeat(7 * 32)}`);
    await expect(readNode(zeros, 9n)).rejects.toThrow("not_found");
    expect(await readVoucher(zeros, word(1))).toBeUndefined();
    const seven = readerOf(() => word(7));
    expect(await readBalance(seven, account)).toBe(7n);
  });

  it("say in words what an endpoint answers instead", async () => {
    const malformed = readerOf(() => "0x");
    await expect(readBalance(malformed, account)).rejects.toThrow("rpc_refused");
    const refusing = readerOf(() => {
      throw Object.assign(new Error("too many requests"), { code: -32005 });
    });
    await expect(readBalance(refusing, account)).rejects.toMatchObject({ name: "TeeTeeError" });
  });
});

describe("errors of the contract", () => {
  const revert = encodeErrorResult({
    abi: teeTeeAbi,
    errorName: "InsufficientCredits",
    args: [3n, 10n],
  });

  it("are told with what helps", () => {
    expect(explainRevert(revert)).toBe(
      "InsufficientCredits(3, 10): the wallet has 3 credits and this takes 10: buy credits first",
    );
    expect(explainRevert("0xdeadbeef")).toBeUndefined();
    const late = encodeErrorResult({
      abi: teeTeeAbi,
      errorName: "TooLate",
      args: [2n, 1n << 200n],
    });
    expect(explainRevert(late)).toContain("too late: 1970-01-01T00:00:02Z");
  });

  it("are found wherever wallets and libraries put them", () => {
    const forms = [
      { code: 3, message: "execution reverted", data: revert },
      { code: -32603, message: "Internal", data: { code: 3, message: "reverted", data: revert } },
      { message: "wrapped", cause: { name: "ContractFunctionRevertedError", raw: revert } },
    ];
    for (const form of forms) {
      expect(explainChainError(form)).toMatchObject({ code: "call_reverted" });
      expect(explainChainError(form).detail).toContain("buy credits");
    }
  });

  it("are told apart from what wallets and endpoints say", () => {
    const cases = [
      [{ code: 4001, message: "User rejected the request." }, "cancelled"],
      [{ cause: { code: 4001 } }, "cancelled"],
      [{ code: 4902, message: "Unrecognized chain" }, "chain_mismatch"],
      [{ message: "insufficient funds for gas * price + value" }, "payment_required"],
      [new BaseError("x", { name: "TimeoutError" }), "timed_out"],
      [new BaseError("x", { name: "HttpRequestError" }), "rpc_unavailable"],
      [undefined, "rpc_refused"],
      ["text", "rpc_refused"],
    ] as const;
    for (const [thrown, code] of cases) expect(explainChainError(thrown).code).toBe(code);
    const long = explainChainError({ message: `\u001b${"x".repeat(999)}` }).detail;
    expect(long.length).toBeLessThanOrEqual(200);
    expect(long).not.toContain("\u001b");
  });
});

const earnedTopics = (node: bigint) =>
  encodeEventTopics({
    abi: teeTeeAbi,
    eventName: "Earned",
    args: { pool: 1n, node, host: account },
  });

/** One event Earned in every so many blocks. */
function logsBetween(from: bigint, to: bigint, every: bigint) {
  const logs = [];
  for (let block = ((from + every - 1n) / every) * every; block <= to; block += every) {
    logs.push({
      address: contract,
      topics: earnedTopics(block),
      data: encodeAbiParameters([{ type: "uint128" }], [block]),
      blockNumber: numberToHex(block),
      logIndex: "0x0",
      transactionHash: word(1),
      removed: false,
    });
  }
  return logs;
}

interface Filter {
  fromBlock: Hex;
  toBlock: Hex;
}

describe("events", () => {
  it("are read in ranges that halve where they are refused", async () => {
    const asked: bigint[] = [];
    const shares: number[] = [];
    const reader = readerOf((_, [filter]) => {
      const { fromBlock, toBlock } = filter as Filter;
      const [from, to] = [BigInt(fromBlock), BigInt(toBlock)];
      asked.push(to - from + 1n);
      if (to - from >= 1000n) throw Object.assign(new Error("range too wide"), { code: -32000 });
      return logsBetween(from, to, 500n);
    });
    const events = await readEvents(reader, {
      event: "Earned",
      args: { pool: 1n },
      fromBlock: 5n,
      toBlock: 12_000n,
      onProgress: (share) => shares.push(share),
    });
    expect(events.map((event) => event.args.amount)).toEqual(
      Array.from({ length: 24 }, (_, at) => BigInt(at + 1) * 500n),
    );
    expect(asked.slice(0, 5)).toEqual([10_000n, 5000n, 2500n, 1250n, 625n]);
    expect(asked.length).toBeLessThan(60);
    expect(shares.at(-1)).toBe(1);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
  });

  it("are given up where even one block is refused, or nobody wants them", async () => {
    const refusing = readerOf(() => {
      throw new Error("no");
    });
    const range = { event: "Earned", fromBlock: 0n, toBlock: 100n } as const;
    await expect(readEvents(refusing, range)).rejects.toMatchObject({ name: "TeeTeeError" });
    const controller = new AbortController();
    const reader = readerOf(() => {
      controller.abort();
      return [];
    });
    const query = { ...range, toBlock: 100_000n, signal: controller.signal };
    await expect(readEvents(reader, query)).rejects.toThrow("cancelled");
  });

  it("are none of another contract, range or kind", async () => {
    const [log] = logsBetween(1n, 1n, 1n);
    const wrong = [
      {},
      [1],
      [{ ...log, address: account }],
      [{ ...log, blockNumber: "0x99" }],
      [{ ...log, blockNumber: "0x" }],
      [{ ...log, removed: true }],
      [{ ...log, data: "0x1" }],
      [{ ...log, topics: [] }],
      [{ ...log, transactionHash: "0x1" }],
    ];
    for (const answer of wrong) {
      const query = { event: "Earned", fromBlock: 1n, toBlock: 1n } as const;
      await expect(
        readEvents(
          readerOf(() => answer),
          query,
        ),
      ).rejects.toThrow("rpc_malformed");
    }
    const other = [{ ...log, data: "0x" }];
    await expect(
      readEvents(
        readerOf(() => other),
        { event: "Earned", fromBlock: 1n, toBlock: 1n },
      ),
    ).rejects.toThrow("abi_malformed");
  });
});

describe("deployments", () => {
  it("are the same whatever the case of their letters", () => {
    const lower = { ...deployment, contract: contract.toLowerCase() as Hex };
    expect(isSameDeployment(deployment, lower)).toBe(true);
    expect(isSameDeployment(deployment, { ...lower, chainId: 1 })).toBe(false);
    expect(isSameDeployment(deployment, { ...lower, contract: account })).toBe(false);
    for (const text of ["", "0x", "0x12", `${contract}00`, contract.slice(2)]) {
      expect(() => toAddress(text, "x")).toThrow("account_malformed");
    }
  });
});
