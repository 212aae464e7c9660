// SPDX-License-Identifier: Apache-2.0
// tools/deploy against anvil on loopback, as Base Sepolia is set up but for its predeploys.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
// The program itself: to end the wrapper in .bin is not to end anvil.
const MACHINE = `${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
const ANVIL = join(ROOT, `node_modules/@foundry-rs/anvil-${MACHINE}/bin/anvil`);
// The first account that anvil funds, known to everybody.
const KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const DEPLOYER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const ORACLE = "0x420000000000000000000000000000000000000F";

let anvil;
let url;
let folder;
let snapshot;

async function call(method, ...params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  const answer = await response.json();
  assert.equal(answer.error, undefined);
  return answer.result;
}

function deploy(...args) {
  const env = { ...process.env, DEPLOYER_KEY: KEY };
  const done = spawnSync(join(ROOT, "tools/deploy"), ["--rpc", url, "--key-env", "DEPLOYER_KEY", ...args], { env, encoding: "utf8" });
  assert.ok(!(done.stdout + done.stderr).includes(KEY), "the key is printed");
  return done;
}

function refuses(words, ...args) {
  const done = deploy(...args);
  assert.notEqual(done.status, 0);
  assert.match(done.stderr, words);
}

function configured(value) {
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify(value));
  return path;
}

/// The record, after everything in it was looked up on the chain.
async function deployed(...args) {
  const path = join(folder, "deployment.json");
  const done = deploy("--out", path, ...args);
  assert.equal(done.status, 0, done.stderr);
  const record = JSON.parse(readFileSync(path, "utf8"));
  let gas = 0;
  for (const { address, transaction, block, gas: spent } of record.contracts) {
    const receipt = await call("eth_getTransactionReceipt", transaction);
    assert.equal(receipt.contractAddress, address);
    assert.equal(Number(receipt.blockNumber), block);
    assert.equal(Number(receipt.gasUsed), spent);
    assert.notEqual(await call("eth_getCode", address, "latest"), "0x");
    gas += spent;
  }
  assert.equal(record.gas, gas);
  assert.equal(record.contract, record.contracts.at(-1).address);
  assert.equal(record.block, record.contracts.at(-1).block);
  assert.equal(record.verifier, record.contracts.at(-2).address);
  return record;
}

/// Of a view without arguments.
async function view(to, contract, name) {
  const artifact = JSON.parse(readFileSync(join(ROOT, `out/release/${contract}.sol/${contract}.json`), "utf8"));
  return call("eth_call", { to, data: "0x" + artifact.methodIdentifiers[`${name}()`] }, "latest");
}

const asWord = (address) => "0x" + address.slice(2).padStart(64, "0");

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "teetee-deploy-"));
  anvil = spawn(ANVIL, ["--network", "optimism", "--chain-id", "84532", "--port", "0"], { stdio: ["ignore", "pipe", "ignore"] });
  url = await new Promise((found, failed) => {
    let text = "";
    anvil.stdout.on("data", (part) => {
      text += part;
      const at = /Listening on (127\.0\.0\.1:\d+)/.exec(text);
      if (at) found(`http://${at[1]}`);
    });
    anvil.on("exit", (code) => failed(new Error(`anvil ended with ${code}`)));
  });
  snapshot = await call("evm_snapshot");
});

beforeEach(async () => {
  await call("evm_revert", snapshot);
  snapshot = await call("evm_snapshot");
  rmSync(join(folder, "deployment.json"), { force: true });
});

after(() => {
  anvil.removeAllListeners("exit");
  anvil.kill();
  rmSync(folder, { recursive: true });
});

test("a dry run says what would be sent, and sends nothing", async () => {
  const done = deploy("--dry-run");
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stdout, /DevVerifier .*\n *TeeTee .*\nin all \d+ gas/);
  assert.match(done.stdout, /nothing was sent/);
  assert.equal(await call("eth_blockNumber"), "0x0");
  assert.equal(await call("eth_getTransactionCount", DEPLOYER, "pending"), "0x0");
});

test("what was deployed is recorded", async () => {
  const record = await deployed("--wei-per-credit", "12345");
  assert.equal(record.version, 1);
  assert.equal(record.chain_id, 84532);
  assert.equal(record.kind, "dev");
  assert.equal(record.deployer, DEPLOYER);
  assert.equal(record.wei_per_credit, "12345");
  assert.equal(BigInt(await view(record.contract, "TeeTee", "WEI_PER_CREDIT")), 12345n);
  const spent = 10_000n * 10n ** 18n - BigInt(await call("eth_getBalance", DEPLOYER, "latest"));
  assert.equal(BigInt(record.cost_wei), spent);
});

test("a record is not overwritten", async () => {
  await deployed();
  refuses(/not overwritten/, "--out", join(folder, "deployment.json"));
  assert.equal(await call("eth_blockNumber"), "0x2");
});

test("a quorum and its verifier are deployed as configured", async () => {
  const { timestamp } = await call("eth_getBlockByNumber", "latest", false);
  const config = configured({
    accepted_statuses: ["UpToDate", "SWHardeningNeeded"],
    evaluation_number_min: 17,
    quorum: {
      threshold: 2,
      policy_hash: "0x" + "11".repeat(32),
      measurements: ["0x" + "EE".repeat(32), "0x" + "22".repeat(32)],
      genesis_keys: ["0x" + "44".repeat(20), "0x" + "33".repeat(20), "0x" + "aB".repeat(20)],
      genesis_expiry: Number(timestamp) + 86_400,
    },
  });
  assert.match(deploy("--dry-run", "--verifier", "quote", "--config", config).stdout, /VerifierQuorum .*\n *QuoteVerifier /);
  const record = await deployed("--verifier", "quote", "--config", config);
  assert.deepEqual(record.contracts.map(({ name }) => name), ["VerifierQuorum", "QuoteVerifier", "TeeTee"]);
  const quorum = record.contracts[0].address;
  assert.equal(await view(record.verifier, "QuoteVerifier", "verdicts"), asWord(quorum));
  assert.equal(BigInt(await view(record.verifier, "QuoteVerifier", "acceptedStatuses")), 3n);
  assert.equal(BigInt(await view(quorum, "VerifierQuorum", "threshold")), 2n);
  assert.equal(await view(quorum, "VerifierQuorum", "policyHash"), "0x" + "11".repeat(32));
  // Another verifier of the same quorum.
  rmSync(join(folder, "deployment.json"));
  const again = await deployed("--verifier", "quote", "--config", configured({ verdicts: quorum }));
  assert.equal(await view(again.verifier, "QuoteVerifier", "verdicts"), asWord(quorum));
});

test("Automata's verifier is deployed where Automata's contract is", async () => {
  refuses(/AutomataVerifier: NoContract/, "--dry-run", "--verifier", "automata");
  const attester = "0xaDdeC7e85c2182202b66E331f2a4A0bBB2cEEa1F";
  await call("anvil_setCode", attester, "0x00");
  const record = await deployed("--verifier", "automata");
  assert.equal(await view(record.verifier, "AutomataVerifier", "attester"), asWord(attester.toLowerCase()));
});

test("the development verifier is not deployed on the real Base Sepolia", async () => {
  // What the oracle answers there: one wei for each transaction.
  await call("anvil_setCode", ORACLE, "0x600160005260206000f3");
  refuses(/DevVerifier: NotADevChain\(84532\)/, "--out", join(folder, "deployment.json"));
  assert.ok(!existsSync(join(folder, "deployment.json")));
  assert.equal(await call("eth_blockNumber"), "0x0");
  await call("anvil_setCode", "0xaDdeC7e85c2182202b66E331f2a4A0bBB2cEEa1F", "0x00");
  assert.match(deploy("--dry-run", "--verifier", "automata").stdout, /0\.000000000000000002 ETH for publishing/);
});

test("nothing is sent for an account that cannot pay", async () => {
  await call("anvil_setBalance", DEPLOYER, "0x1");
  assert.match(deploy("--dry-run").stdout, /the deployer needs 0\.\d+ ETH/);
  refuses(/the deployer has 0\.000000000000000001 ETH, needs/, "--out", join(folder, "deployment.json"));
  assert.equal(await call("eth_blockNumber"), "0x0");
});

test("what cannot be meant is refused", () => {
  refuses(/usage: deploy/, "--verifier", "none", "--dry-run");
  refuses(/usage: deploy/);
  process.env.NO_KEY = "0".repeat(64);
  refuses(/is none of secp256k1/, "--key-env", "NO_KEY", "--dry-run");
  refuses(/need 32 bytes in hex/, "--key-env", "NO_SUCH_VARIABLE", "--dry-run");
  refuses(/have atester, need attester/, "--dry-run", "--verifier", "automata", "--config", configured({ atester: "0x" }));
  refuses(/need some of UpToDate/, "--dry-run", "--verifier", "automata", "--config", configured({ accepted_statuses: ["Good"] }));
  refuses(/verdicts.* need 0x and 20 bytes/, "--dry-run", "--verifier", "quote", "--config", configured({ verdicts: "0x12" }));
  refuses(/need either verdicts/, "--dry-run", "--verifier", "quote");
  refuses(/no answer from 127\.0\.0\.1:1 /, "--rpc", "http://127.0.0.1:1/secret", "--dry-run");
});
