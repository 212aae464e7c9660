// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "viem";
import { teetee, type UpNetwork } from "./upNetwork";

// A node of the pool that somebody starts by hand, for a wallet of their own, and what a stranger on
// the way can make of what it says.

const readyMs = 60_000;

export interface HostNode {
  /** Of its --status address. */
  readonly url: string;
  stop(): Promise<void>;
}

/** `teetee node` for a slot of the network's pool, until it answers. */
export async function startHostNode(
  network: UpNetwork,
  options: { readonly host: Address; readonly slot: number; readonly port: number },
): Promise<HostNode> {
  const { host, slot, port } = options;
  const shard = `shard-${String(slot).padStart(3, "0")}-of-002.gguf`;
  const folder = copyOfFiles(network, shard);
  const url = `http://127.0.0.1:${port + 1}`;
  const flags = {
    "--shard": join(folder, shard),
    "--manifest": join(folder, "manifest.json"),
    "--policy": join(folder, "policy.json"),
    "--dev-tee": join(folder, "dev-tee.seed"),
    "--collateral": join(folder, "collateral"),
    "--listen": `127.0.0.1:${port}`,
    "--status": `127.0.0.1:${port + 1}`,
    "--pool": network.pool.toString(),
    "--state": join(folder, "state"),
    "--host": host,
    "--rpc": network.rpcUrl,
    "--deployment": join(folder, "deployment.json"),
    "--confirmations": "1",
    "--threads": "1",
  };
  const child = spawn(teetee, ["node", ...Object.entries(flags).flat()], {
    env: { ...process.env, XDG_STATE_HOME: folder, TEETEE_CONFIG: "none" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr?.on("data", (data: Buffer) => (errors += data.toString()));
  const until = Date.now() + readyMs;
  while (!(await answers(`${url}/registration`))) {
    if (child.exitCode !== null || Date.now() > until) {
      child.kill("SIGKILL");
      throw new Error(`the node is not up: ${errors.slice(-2000)}`);
    }
    await new Promise((done) => setTimeout(done, 200));
  }
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, stop };
}

/** What the host of a node of another machine would have: nothing is shared with the network's. */
function copyOfFiles(network: UpNetwork, shard: string): string {
  const folder = mkdtempSync(join(tmpdir(), "teetee-host-"));
  mkdirSync(join(folder, "collateral"));
  const names = ["manifest.json", "policy.json", "deployment.json", "dev-tee.seed"];
  for (const name of [...names, "collateral/dev-tee.json", shard]) {
    writeFileSync(join(folder, name), network.file(name), { mode: 0o600 });
  }
  return folder;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGKILL");
  await ended;
}

export interface Proxy {
  readonly url: string;
  close(): void;
}

/** Somebody between page and node, who changes the registration. */
export async function tamperingProxy(
  port: number,
  target: string,
  tamper: (registration: Record<string, unknown>) => Record<string, unknown>,
): Promise<Proxy> {
  const server = createServer((request, response) => {
    void fetch(`${target}${request.url ?? "/"}`).then(async (answer) => {
      const text = await answer.text();
      const isRegistration = request.url === "/registration";
      const body = isRegistration
        ? JSON.stringify(tamper(JSON.parse(text) as Record<string, unknown>))
        : text;
      response.writeHead(answer.status, {
        "access-control-allow-origin": "*",
        "content-type": "application/json",
      });
      response.end(body);
    });
  });
  await new Promise<void>((ready, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", ready);
  });
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}
