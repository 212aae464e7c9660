// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createClient, http, type Hex } from "viem";
import { privateKeyToAccount, type PrivateKeyAccount } from "viem/accounts";
import { toAddress } from "../../../src/chain/deployment";
import type { ChainReader } from "../../../src/chain/reads";
import { dist } from "../harness";

// A whole network of `teetee up`, of real processes, whose entries serve the page.

/** Where the program is: TEETEE, or the build of this repository. */
export const teetee = resolve(process.env["TEETEE"] ?? "../build/release/teetee");
/** Tests of a network are skipped, visibly, where it or the page is not built. */
export const hasNetwork = existsSync(teetee) && existsSync(join(dist, "index.html"));

const readyMs = 240_000;
const stopMs = 30_000;
export const chainId = 84532;

interface ReadyLine {
  readonly entries: readonly { readonly api_url: string }[];
  readonly rpc_url?: string;
  readonly contract?: string;
  readonly pool?: number;
}

export class UpNetwork {
  private readonly folder: string;
  private readonly process: ChildProcess;
  private output = "";
  private errors = "";
  private line: ReadyLine | undefined;

  private constructor(
    readonly port: number,
    flags: readonly string[],
  ) {
    this.folder = mkdtempSync(join(tmpdir(), "teetee-page-"));
    const variables = { ...process.env, XDG_STATE_HOME: this.folder, TEETEE_CONFIG: "none" };
    const words = ["up", "--port", String(port), "--json", "--web", dist, ...flags];
    this.process = spawn(teetee, words, { env: variables, stdio: ["ignore", "pipe", "pipe"] });
    this.process.stdout?.on("data", (data: Buffer) => (this.output += data.toString()));
    this.process.stderr?.on("data", (data: Buffer) => (this.errors += data.toString()));
  }

  /** Errors: what `teetee up` said, where it did not come up. */
  static async start(port: number, ...flags: string[]): Promise<UpNetwork> {
    const network = new UpNetwork(port, flags);
    const until = Date.now() + readyMs;
    while (!network.line) {
      const ready = /^\{"ready":true.*\}$/m.exec(network.output)?.[0];
      if (ready) network.line = JSON.parse(ready) as ReadyLine;
      const isOver = network.process.exitCode !== null || Date.now() > until;
      if (isOver && !network.line) {
        await network.stop();
        throw new Error(`the network is not up: ${network.errors.slice(-3000)}`);
      }
      await new Promise((done) => setTimeout(done, 100));
    }
    return network;
  }

  private get ready(): ReadyLine {
    if (!this.line) throw new Error("the network is not up");
    return this.line;
  }

  /** APIs of all entries, without a slash at their end. */
  get urls(): readonly string[] {
    return this.ready.entries.map((entry) => entry.api_url.replace(/\/$/, ""));
  }

  /** Where a browser opens the page. */
  get pageUrl(): string {
    return `${this.urls[0] ?? ""}/`;
  }

  /** What the page may ask: its entries and the chain. */
  get origins(): readonly string[] {
    return [...this.urls, ...(this.rpcUrl === "" ? [] : [this.rpcUrl])];
  }

  get pool(): bigint {
    return BigInt(this.ready.pool ?? 0);
  }

  get rpcUrl(): string {
    return this.ready.rpc_url ?? "";
  }

  get reader(): ChainReader {
    const { contract } = this.ready;
    if (contract === undefined) throw new Error("the network has no chain");
    return {
      client: createClient({ transport: http(this.rpcUrl, { retryCount: 0 }) }),
      deployment: { chainId, contract: toAddress(contract, "contract") },
    };
  }

  file(name: string): Buffer<ArrayBuffer> {
    return readFileSync(join(this.folder, "teetee", `up-${this.port}`, name));
  }

  /** A wallet of the dev chain: "payer", "host-1", .. */
  wallet(name: string): PrivateKeyAccount {
    const text = this.file(`dev-chain/${name}.sh`).toString();
    const key = /TEETEE_KEY=(?:0x)?([0-9a-f]{64})/.exec(text)?.[1];
    if (key === undefined) throw new Error(`no key of ${name}`);
    return privateKeyToAccount(`0x${key}` as Hex);
  }

  /** Ends the process that serves this URL at once, as a crash would. */
  killEntry(url: string): void {
    process.kill(this.pidOf(url), "SIGKILL");
  }

  /** Of the process that serves this URL. */
  pidOf(url: string): number {
    const address = new URL(url).host;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const words = commandOf(pid);
      const at = words.indexOf("--api");
      const isNode = words[0] === teetee && words[1] === "node";
      if (isNode && at >= 0 && words[at + 1] === address) return Number(pid);
    }
    throw new Error(`no process serves ${url}`);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = new Promise((done) => this.process.once("exit", done));
      this.process.kill("SIGINT");
      const timer = setTimeout(() => this.process.kill("SIGKILL"), stopMs);
      await ended;
      clearTimeout(timer);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function commandOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
