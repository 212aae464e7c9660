// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createClient, http, type Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { toAddress } from "../../src/chain/deployment";
import type { ChainReader } from "../../src/chain/reads";
import type { NetworkTerms } from "../../src/client/verifiedEntry";

// A whole network of `teetee up`, of real processes, for a test.

/** Where the program is: TEETEE, or the build of this repository. */
export const teeteeBinary = resolve(process.env["TEETEE"] ?? "../build/release/teetee");
export const hasBinary = existsSync(teeteeBinary);
export const hasContracts = existsSync(
  join(teeteeBinary, "../../../contracts/node_modules/@foundry-rs"),
);

const readyMs = 200_000;

interface ReadyLine {
  readonly entries: readonly { readonly api_url: string }[];
  readonly rpc_url?: string;
  readonly contract?: string;
  readonly pool?: number;
}

export class UpNetwork {
  readonly folder: string;
  private readonly process: ChildProcess;
  private output = "";
  private errors = "";
  private line: ReadyLine | undefined;

  private constructor(
    readonly port: number,
    flags: readonly string[],
  ) {
    this.folder = mkdtempSync(join(tmpdir(), "teetee-web-"));
    const variables = { ...process.env, XDG_STATE_HOME: this.folder, TEETEE_CONFIG: "none" };
    this.process = spawn(teeteeBinary, ["up", "--port", String(port), "--json", ...flags], {
      env: variables,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process.stdout?.on("data", (data: Buffer) => (this.output += data.toString()));
    this.process.stderr?.on("data", (data: Buffer) => (this.errors += data.toString()));
  }

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

  get urls(): readonly string[] {
    return this.ready.entries.map((entry) => entry.api_url);
  }

  path(name: string): string {
    return join(this.folder, "teetee", `up-${this.port}`, name);
  }

  file(name: string): Buffer<ArrayBuffer> {
    return readFileSync(this.path(name));
  }

  /** As long as entries do not hand out policy and manifest, they are those of the folder. */
  get terms(): NetworkTerms {
    const manifest = new Uint8Array(this.file("manifest.json"));
    const { reader } = this;
    return {
      manifest,
      policy: new Uint8Array(this.file("policy.json")),
      expectation: {
        deployment: reader?.deployment,
        pool: BigInt(this.ready.pool ?? 0),
        modelRoot: undefined,
        policyHash: undefined,
      },
      reader,
    };
  }

  get pool(): bigint {
    return BigInt(this.ready.pool ?? 0);
  }

  get rpcUrl(): string {
    return this.ready.rpc_url ?? "";
  }

  get reader(): ChainReader | undefined {
    const { rpc_url, contract } = this.ready;
    if (rpc_url === undefined || contract === undefined) return undefined;
    const client = createClient({ transport: http(rpc_url, { retryCount: 0 }) });
    return {
      client,
      deployment: { chainId: 84532, contract: toAddress(contract, "contract") },
    };
  }

  /** A wallet of the dev chain: "payer", "host-1", .. */
  wallet(name: string) {
    const key = /TEETEE_KEY=([0-9a-f]{64})/.exec(this.file(`dev-chain/${name}.sh`).toString())?.[1];
    if (key === undefined) throw new Error(`no key of ${name}`);
    return privateKeyToAccount(`0x${key}` as Hex);
  }

  /** Ends the process that serves this URL at once, as a crash would. */
  killEntry(url: string): void {
    const address = new URL(url).host;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const words = commandOf(pid);
      const at = words.indexOf("--api");
      const isNode = words[0] === teeteeBinary && words[1] === "node";
      if (isNode && at >= 0 && words[at + 1] === address) {
        process.kill(Number(pid), "SIGKILL");
        return;
      }
    }
    throw new Error(`no process serves ${url}`);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = new Promise((done) => this.process.once("exit", done));
      this.process.kill("SIGINT");
      const timer = setTimeout(() => this.process.kill("SIGKILL"), 20_000);
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
