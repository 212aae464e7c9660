// SPDX-License-Identifier: Apache-2.0
import { decodeAbiParameters, type Hex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { beforeAll, describe, expect, it } from "vitest";
import {
  bareQuote,
  encodeStatement,
  type StatementParts,
  trustingVerifier,
} from "../../tests/support/statement";
import { sha256, toHex, utf8 } from "../base/bytes";
import { toAddress } from "../chain/deployment";
import type { PoolInfo } from "../chain/reads";
import { registrationDigest, signDigest } from "../chain/typedData";
import {
  checkRegistration,
  checkRegistrationQuote,
  encodeEvidence,
  likelyVerifierKind,
  parseNodeStanding,
  parseRegistration,
  registrationArguments,
  type RegistrationFile,
  type RegistrationNeeds,
} from "./nodeProbe";

const receiptKey: Hex = `0x${"07".repeat(32)}`;
const host = toAddress(`0x${"ab".repeat(20)}`, "host");
const contract = toAddress(`0x${"c0".repeat(20)}`, "contract");
const deployment = { chainId: 84532, contract };
const hashOf = (byte: string): Hex => `0x${byte.repeat(32)}`;
const now = 1_800_000_000;

const parts: StatementParts = {
  softwareVersion: "1",
  chainId: 84532n,
  contract,
  pool: 3n,
  modelRoot: hashOf("11"),
  shardRoot: hashOf("22"),
  layers: { begin: 3, end: 5 },
  policyHash: hashOf("33"),
  receiptAddress: privateKeyToAddress(receiptKey),
  notBefore: now - 100,
  notAfter: now + 100,
  tlsSpki: utf8("spki"),
  hpkeKey: new Uint8Array(32),
};

const pool: PoolInfo = {
  creator: host,
  nextCreator: host,
  modelRoot: hashOf("11"),
  policyHash: hashOf("33"),
  verifier: host,
  prices: { prompt: 2n, completion: 5n },
  feeBps: 0,
  closed: false,
  slotLayers: [3, 2],
};

const needs: RegistrationNeeds = { deployment, wallet: host, pool, isRenewal: false, now };

async function jsonOf(statementParts = parts, key = receiptKey, endpoint = "tls://a.example:1") {
  const statement = encodeStatement(statementParts);
  const digest = registrationDigest(deployment, {
    host,
    pool: 3n,
    slot: 1,
    statementHash: `0x${toHex(await sha256(statement))}`,
    endpoint,
  });
  return {
    version: 1,
    chain_id: 84532,
    contract: contract.toLowerCase(),
    pool: 3,
    slot: 1,
    host: host.toLowerCase(),
    endpoint,
    statement: `0x${toHex(statement)}`,
    quote: `0x${toHex(await bareQuote(statement))}`,
    signature: await signDigest(digest, key),
  };
}

const parse = (value: unknown) => parseRegistration(utf8(JSON.stringify(value)));

let json: Awaited<ReturnType<typeof jsonOf>>;
let file: RegistrationFile;

beforeAll(async () => {
  json = await jsonOf();
  file = parse(json);
});

describe("a registration file", () => {
  it("is read as it is", () => {
    expect(file).toMatchObject({
      deployment,
      pool: 3n,
      slot: 1,
      host,
      endpoint: "tls://a.example:1",
    });
    expect(file.platformVerdict.length).toBe(0);
    const verdict = parse({ ...json, platform_verdict: "0x0102" });
    expect(verdict.platformVerdict).toEqual(new Uint8Array([1, 2]));
  });

  it("is refused where a member is none", () => {
    const { slot, ...without } = json;
    void slot;
    const wrong = [
      [],
      without,
      { ...json, version: 2 },
      { ...json, more: 1 },
      { ...json, chain_id: "84532" },
      { ...json, contract: "0x12" },
      { ...json, slot: 65_536 },
      { ...json, host: "" },
      { ...json, endpoint: "" },
      { ...json, endpoint: "a b" },
      { ...json, endpoint: "x".repeat(257) },
      { ...json, statement: "0x" },
      { ...json, statement: "12" },
      { ...json, statement: `0x${"00".repeat(2049)}` },
      { ...json, quote: "0x123" },
      { ...json, quote: `0x${"00".repeat(32 * 1024 + 1)}` },
      { ...json, signature: "0x12" },
      { ...json, platform_verdict: "0x" },
    ];
    for (const value of wrong) expect(() => parse(value)).toThrow("config_invalid");
    expect(() => parseRegistration(utf8("{"))).toThrow("invalid_json");
    expect(() => parseRegistration(new Uint8Array(128 * 1024 + 1))).toThrow("limit_exceeded");
  });
});

async function codeOf(
  changedFile: Partial<RegistrationFile>,
  changedNeeds: Partial<RegistrationNeeds> = {},
): Promise<string> {
  const checked = checkRegistration(
    { ...file, ...changedFile },
    { ...needs, ...changedNeeds },
    trustingVerifier,
  );
  return checked.then(
    () => "",
    (thrown: { code: string }) => thrown.code,
  );
}

describe("a registration", () => {
  it("is for this contract, wallet, pool and slot, in date and signed", async () => {
    expect(await codeOf({})).toBe("");
    expect(await codeOf({ deployment: { ...deployment, chainId: 1 } })).toBe("statement_mismatch");
    expect(await codeOf({ deployment: { ...deployment, contract: host } })).toBe(
      "statement_mismatch",
    );
    expect(await codeOf({ host: contract })).toBe("statement_mismatch");
    expect(await codeOf({ slot: 0 })).toBe("statement_mismatch");
    expect(await codeOf({ slot: 2 })).toBe("statement_mismatch");
    expect(await codeOf({ pool: 4n })).toBe("statement_mismatch");
    expect(await codeOf({ endpoint: "tls://b.example:1" })).toBe("signature_invalid");
    expect(await codeOf({ signature: `0x${"00".repeat(65)}` })).toBe("signature_invalid");
    expect(await codeOf({ statement: utf8("none") })).not.toBe("");
    const closed = { ...pool, closed: true };
    expect(await codeOf({}, { pool: closed })).toBe("statement_mismatch");
    expect(await codeOf({}, { pool: closed, isRenewal: true })).toBe("");
    expect(await codeOf({}, { pool: { ...pool, modelRoot: hashOf("12") } })).toBe(
      "statement_mismatch",
    );
    expect(await codeOf({}, { pool: { ...pool, policyHash: hashOf("34") } })).toBe(
      "statement_mismatch",
    );
    expect(await codeOf({}, { pool: { ...pool, slotLayers: [3, 3] } })).toBe("statement_mismatch");
    expect(await codeOf({}, { wallet: contract })).toBe("statement_mismatch");
    expect(await codeOf({}, { now: now + 100 })).toBe("statement_expired");
    expect(await codeOf({}, { now: now - 221 })).toBe("statement_expired");
    expect(await codeOf({}, { now: now - 220 })).toBe("");
  });

  it("is signed by the key that its statement names", async () => {
    const other = parse(await jsonOf(parts, `0x${"08".repeat(32)}`));
    expect(await codeOf(other)).toBe("signature_invalid");
  });

  it("has a quote over its statement", async () => {
    expect(await checkRegistrationQuote(file, trustingVerifier)).toMatch(/^0x[0-9a-f]{64}$/);
    const other = { ...file, statement: encodeStatement({ ...parts, notAfter: now + 101 }) };
    await expect(checkRegistrationQuote(other, trustingVerifier)).rejects.toThrow(
      "report_data_mismatch",
    );
    const quote = await bareQuote(file.statement, new Uint8Array(16));
    await expect(checkRegistrationQuote({ ...file, quote }, trustingVerifier)).rejects.toThrow(
      "report_data_mismatch",
    );
  });

  it("becomes what the contract takes", async () => {
    const statement = trustingVerifier.decodeStatement(file.statement);
    const made = await registrationArguments(file, statement, "dev");
    expect(made).toMatchObject({ pool: 3n, slot: 1, receiptKey: parts.receiptAddress });
    const [first, proof] = decodeAbiParameters(
      [{ type: "bytes" }, { type: "bytes" }],
      made.evidence,
    );
    expect(first).toBe(json.statement);
    expect(proof).toBe(json.quote);
    const verdict = new Uint8Array(352 + 1 + 2 * 65);
    verdict[352] = 2;
    const withVerdict = { ...file, platformVerdict: verdict };
    const types = [{ type: "bytes" }, { type: "bytes" }] as const;
    const [, joined] = decodeAbiParameters(types, encodeEvidence("quote", withVerdict));
    expect(joined).toBe(`0x${toHex(verdict)}${json.quote.slice(2)}`);
    expect(() => encodeEvidence("dev", withVerdict)).toThrow("config_invalid");
    expect(() => encodeEvidence("quote", file)).toThrow("config_invalid");
    const short = { ...file, platformVerdict: verdict.slice(1) };
    expect(() => encodeEvidence("quote", short)).toThrow("config_invalid");
    const long = { ...file, quote: new Uint8Array(32 * 1024) };
    expect(() => encodeEvidence("automata", long)).toThrow("config_invalid");
    expect(likelyVerifierKind(file, true)).toBe("dev");
    expect(likelyVerifierKind(file, false)).toBe("automata");
    expect(likelyVerifierKind(withVerdict, false)).toBe("quote");
  });
});

describe("what a node says of itself", () => {
  it("is read, or refused", () => {
    const standing = {
      status: "ok",
      ready: true,
      draining: false,
      role: "stage",
      model: "m",
      layers: [3, 5],
      routes: 2,
      links: 1,
      simulated: true,
    };
    expect(parseNodeStanding(standing)).toMatchObject({ isReady: true, isEntry: false, links: 1 });
    for (const wrong of [{}, { ...standing, ready: 1 }, { ...standing, layers: [5, 3] }]) {
      expect(() => parseNodeStanding(wrong)).toThrow("invalid_json");
    }
  });
});
