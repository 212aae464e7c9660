// SPDX-License-Identifier: Apache-2.0
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { EntryRefusal, fetchBytes, fetchDocument, fetchJson } from "./fetchJson";

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((done) => (server ? server.close(done) : done(undefined)));
  server = undefined;
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a fetch", () => {
  it("has the whole answer, and asks as it is told", async () => {
    let seen = "";
    const url = await serve((request, response) => {
      let body = "";
      request.on("data", (data: Buffer) => (body += data.toString()));
      request.on("end", () => {
        seen = `${request.method} ${request.url} ${request.headers["content-type"]} ${body}`;
        response.end('{"a":1}');
      });
    });
    const headers = { "content-type": "application/json" };
    const value = await fetchJson(`${url}/x`, 100, { method: "POST", headers, body: "{}" });
    expect(value).toEqual({ a: 1 });
    expect(seen).toBe("POST /x application/json {}");
  });

  it("has limits on bytes, time and depth", async () => {
    const long = await serve((_, response) => response.end("x".repeat(101)));
    await expect(fetchBytes(long, 100)).rejects.toThrow("body_too_large");
    expect((await fetchBytes(long, 101)).bytes.length).toBe(101);
    await expect(fetchJson(long, 101)).rejects.toThrow("invalid_json");
    server?.close();
    const silent = await serve((_, response) => void response.write("["));
    await expect(fetchBytes(silent, 100, { timeoutMs: 50 })).rejects.toThrow("timed_out");
    server?.closeAllConnections();
    server?.close();
    const deep = await serve((_, response) => response.end("[".repeat(20) + "]".repeat(20)));
    await expect(fetchJson(deep, 100)).rejects.toThrow("limit_exceeded");
  });

  it("ends when its caller wants it to", async () => {
    const url = await serve(() => undefined);
    const controller = new AbortController();
    const fetching = fetchBytes(url, 100, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(fetching).rejects.toThrow("cancelled");
    const late = fetchBytes(url, 100, { signal: controller.signal });
    await expect(late).rejects.toThrow("cancelled");
  });

  it("goes nowhere else", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/there") return response.end("{}");
      return response.writeHead(302, { location: "/there" }).end();
    });
    await expect(fetchBytes(url, 100)).rejects.toThrow("connect_failed");
    const { port } = new URL(url);
    server?.close();
    server?.closeAllConnections();
    await expect(fetchBytes(`http://127.0.0.1:${port}`, 100)).rejects.toThrow("connect_failed");
  });

  it("says by name why there is no answer", async () => {
    const error = { message: "too many", type: "overloaded_error", param: "n", code: "overloaded" };
    const url = await serve((_, response) =>
      response.writeHead(429, { "retry-after": "7" }).end(JSON.stringify({ error })),
    );
    const refusal = await fetchDocument(url, 100).catch((thrown: unknown) => thrown);
    expect(refusal).toBeInstanceOf(EntryRefusal);
    expect(refusal).toMatchObject({
      code: "overloaded",
      detail: "too many",
      type: "overloaded_error",
      param: "n",
      status: 429,
      retryAfterSeconds: 7,
    });
  });

  it("makes something of any answer that is none", async () => {
    const bodies = ["", "<html>", "{", '{"error":"x"}', '{"error":{"code":"No Code","message":7}}'];
    for (const body of bodies) {
      const url = await serve((_, response) =>
        response.writeHead(502, { "retry-after": "soon" }).end(body),
      );
      await expect(fetchDocument(url, 100)).rejects.toMatchObject({
        code: "http_malformed",
        status: 502,
        retryAfterSeconds: undefined,
      });
      server?.close();
    }
  });
});
