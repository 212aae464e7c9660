// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Hex } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { concat, sha256, toBase64, toHex, utf8 } from "../../src/base/bytes";
import type { NetworkTerms } from "../../src/client/verifiedEntry";
import { AnswerSealer, type OpenedRequest, openRequest } from "./sealedEntry";
import { bareQuote, encodeStatement } from "./statement";

// An entry of one node, over real HTTP, that answers as a test has it.

/** What goes back inside, piece by piece; see also `silence`, `cut` and `broken`. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly pieces: readonly string[];
}

export interface Asked {
  readonly path: string;
  readonly request: OpenedRequest;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Answering = (asked: Asked) => Reply | Promise<Reply>;

const modelRoot = "11".repeat(32);
const shardRoot = "22".repeat(32);
export const testPolicy = utf8('{"roots":[]}');
export const testManifest = utf8(
  JSON.stringify({
    name: "test",
    model_root: modelRoot,
    layer_count: 2,
    shards: [{ layer_begin: 0, layer_end: 2, root: shardRoot }],
  }),
);

export const testTerms: NetworkTerms = {
  manifest: testManifest,
  policy: testPolicy,
  expectation: {
    deployment: undefined,
    pool: 0n,
    modelRoot: `0x${modelRoot}`,
    policyHash: undefined,
  },
  reader: undefined,
};

const documents: Readonly<Record<string, Uint8Array>> = {
  "/v1/policy": testPolicy,
  "/v1/manifest": testManifest,
};

async function bodyOf(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  return concat(...parts);
}

export class TestEntry {
  readonly asked: Asked[] = [];
  attestations = 0;
  /** Refuses in the clear instead of opening anything. */
  refusal: { status: number; code: string } | undefined;
  /** Who is on its route, if not itself alone. */
  otherNode: string | undefined;
  /** Others that it tells of. */
  others: string[] = [];
  /** Handed out at /v1/collateral, where there is some. */
  collateral: Uint8Array | undefined;
  /** Its clock is so far ahead of the right one. */
  aheadSeconds = 0;
  /** Connections that a client broke off while it was answered. */
  brokenOff = 0;
  private statement: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  private keys: CryptoKeyPair | undefined;
  private readonly server: Server;

  private constructor(
    readonly receiptKey: Hex,
    private readonly answering: Answering,
  ) {
    this.server = createServer((request, response) => {
      response.on("close", () => {
        if (!response.writableFinished) this.brokenOff += 1;
      });
      this.serve(request, response).catch(() => response.destroy());
    });
  }

  static async start(answering: Answering): Promise<TestEntry> {
    const entry = new TestEntry(generatePrivateKey(), answering);
    await entry.renew();
    await new Promise<void>((done) => entry.server.listen(0, "127.0.0.1", done));
    return entry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get address() {
    return privateKeyToAddress(this.receiptKey);
  }

  /** New keys: what was sealed to the ones before cannot be opened. */
  async renew(): Promise<void> {
    this.keys = (await crypto.subtle.generateKey({ name: "X25519" }, true, [
      "deriveBits",
    ])) as CryptoKeyPair;
    const hpkeKey = new Uint8Array(await crypto.subtle.exportKey("raw", this.keys.publicKey));
    const now = Math.floor(Date.now() / 1000);
    this.statement = encodeStatement({
      softwareVersion: "test",
      chainId: 0n,
      contract: `0x${"00".repeat(20)}`,
      pool: 0n,
      modelRoot: `0x${modelRoot}`,
      shardRoot: `0x${shardRoot}`,
      layers: { begin: 0, end: 2 },
      policyHash: `0x${toHex(await sha256(testPolicy))}`,
      tlsSpki: utf8("spki"),
      hpkeKey,
      receiptAddress: this.address,
      notBefore: now - 60,
      notAfter: now + 3600,
    });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://entry");
    if (url.pathname === "/attestation") return this.attest(url, response);
    if (url.pathname === "/v1/entries") {
      const data = this.others.map((api_url) => ({ node: "00", layers: [0, 2], api_url }));
      return json(response, 200, { object: "list", data });
    }
    if (url.pathname === "/health") return json(response, 200, this.health());
    const document = url.pathname === "/v1/collateral" ? this.collateral : documents[url.pathname];
    if (document) return void response.writeHead(200).end(document);
    if (request.method !== "POST") return json(response, 404, errorOf("route_unknown"));
    return this.answer(url.pathname, await bodyOf(request), response);
  }

  private health() {
    const node = this.address.slice(2).toLowerCase();
    return {
      status: "ok",
      model: "test",
      simulated: true,
      routes: 1,
      route: [{ node: this.otherNode ?? node, layers: [0, 2] }],
      unregistered: [],
      round_trip_us: 1,
      active_requests: 0,
      queued_requests: 0,
    };
  }

  private async attest(url: URL, response: ServerResponse): Promise<void> {
    this.attestations += 1;
    const nonce = Uint8Array.from(Buffer.from(url.searchParams.get("nonce") ?? "", "hex"));
    const node = {
      node: this.address.slice(2).toLowerCase(),
      layers: [0, 2],
      statement: toBase64(this.statement),
      quote: toBase64(await bareQuote(this.statement, nonce)),
    };
    const time = Math.floor(Date.now() / 1000) + this.aheadSeconds;
    json(response, 200, { time, nodes: [node] });
  }

  private async answer(
    path: string,
    body: Uint8Array<ArrayBuffer>,
    response: ServerResponse,
  ): Promise<void> {
    if (this.refusal) return json(response, this.refusal.status, errorOf(this.refusal.code));
    const hash = await sha256(this.statement);
    if (!this.keys || toHex(body.slice(7, 39)) !== toHex(hash)) {
      return json(response, 409, errorOf("sealed_key_unknown"));
    }
    const request = await openRequest(body, path, this.keys);
    const inner = path === "/sealed" ? (request.headers["path"] ?? "") : path;
    const parsed = (request.body ? JSON.parse(request.body) : {}) as Asked["body"];
    const asked = { path: inner, request, body: parsed };
    this.asked.push(asked);
    const reply = await this.answering(asked);
    const sealer = await AnswerSealer.of(request.answerSecret);
    response.writeHead(200, { "content-type": "application/teetee-sealed" });
    response.write(await sealer.head(reply.status ?? 200, reply.headers ?? {}));
    for (const piece of reply.pieces) {
      if (response.destroyed) return;
      if (piece === cut) return void response.end();
      // Behind what was written, which a reset connection would take along.
      if (piece === broken) return void setImmediate(() => response.socket?.end());
      if (piece === tampered) return void response.end(new Uint8Array(517));
      if (piece === silence) await new Promise((done) => response.on("close", done));
      else response.write(await sealer.record(utf8(piece), false));
    }
    response.end(await sealer.record(new Uint8Array(0), true));
  }
}

/** A piece of a reply: the connection stays open without a word until the client ends it. */
export const silence = "\0";
/** The answer ends without its final record. */
export const cut = "\u0001";
/** The connection breaks; what was on its way may be lost. */
export const broken = "\u0002";
/** Somebody on the way writes a record of their own. */
export const tampered = "\u0003";

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

export function errorOf(code: string, type = "server_error", message = code) {
  return { error: { message, type, param: null, code } };
}
