// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient, encodeErrorResult } from "viem";
import { afterEach, describe, expect, it } from "vitest";
import { teeTeeAbi } from "./abi";
import { toAddress } from "./deployment";
import { agreeingTransport, askEndpoints } from "./quorum";
import { readBalance, readHead } from "./reads";

const contract = toAddress(`0x${"c0".repeat(20)}`, "contract");
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** An endpoint that answers every call so. */
async function endpoint(answer: object, status = 200): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (data: Buffer) => (body += data.toString()));
    request.on("end", () => {
      const { id } = JSON.parse(body) as { id: number };
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
    });
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const readerOf = (...urls: string[]) => ({
  client: createClient({ transport: agreeingTransport(urls) }),
  deployment: { chainId: 31337, contract },
});
const word = (value: number) => ({ result: `0x${value.toString(16).padStart(64, "0")}` });

describe("several endpoints", () => {
  it("are believed where more than half of them say the same", async () => {
    const honest = [await endpoint(word(7)), await endpoint(word(7))] as const;
    const liar = await endpoint(word(8));
    expect(await readBalance(readerOf(liar, ...honest), contract)).toBe(7n);
    expect(await readBalance(readerOf(honest[0]), contract)).toBe(7n);
    const silent = await endpoint({ error: { code: -32005, message: "limit" } });
    expect(await readBalance(readerOf(silent, ...honest), contract)).toBe(7n);
  });

  it("are not where they differ, or too few of them answer", async () => {
    const [one, other] = [await endpoint(word(7)), await endpoint(word(8))];
    await expect(readBalance(readerOf(one, other), contract)).rejects.toThrow("rpc_disagreement");
    const broken = await endpoint({}, 500);
    await expect(readBalance(readerOf(one, broken), contract)).rejects.toThrow("rpc_unavailable");
    expect(() => agreeingTransport([])).toThrow("invalid_argument");
  });

  it("say together that the contract refuses", async () => {
    const data = encodeErrorResult({ abi: teeTeeAbi, errorName: "UnknownPool", args: [9n] });
    const refusing = { error: { code: 3, message: "execution reverted", data } };
    const urls = [await endpoint(refusing), await endpoint(refusing), await endpoint(word(1))];
    await expect(readBalance(readerOf(...urls), contract)).rejects.toThrow(
      "call_reverted: UnknownPool(9)",
    );
  });

  it("have reached the head that more than half have reached", async () => {
    const heads = ["0x10", "0x12", "0x11"];
    const answers = heads.map((number) => async () => ({ number }));
    const request = { method: "eth_getBlockByNumber", params: ["latest", false] };
    expect(await askEndpoints(answers, request)).toEqual({ number: "0x11" });
    const numbers = ["0x10", "0x12", "none"].map((number) => async () => number);
    expect(await askEndpoints(numbers, { method: "eth_blockNumber" })).toBe("0x10");
    const malformed = [1, null, {}].map((result) => async () => result);
    await expect(askEndpoints(malformed, { method: "eth_blockNumber" })).rejects.toThrow(
      "rpc_disagreement",
    );
    const block = { result: { number: "0x5", timestamp: "0x64", transactions: [] } };
    const url = await endpoint(block);
    expect(await readHead(readerOf(url))).toEqual({ number: 5n, timestamp: 100 });
  });
});
