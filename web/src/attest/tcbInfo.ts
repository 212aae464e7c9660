// SPDX-License-Identifier: Apache-2.0
// Intel's TCB info ("Intel SGX and TDX Provisioning Certification Service API", version 4, model
// TcbInfo) as a value; src/attest/tcb_info.hpp. That Intel signed it is checked elsewhere
// (collateral.ts); keys that are not asked about may be there.
import { toHex } from "../base/bytes";
import { parseJson } from "../base/json";
import { ByteReader } from "../base/reader";
import { inContext, quoteForeign } from "../base/text";
import type { UnixSeconds } from "../base/time";
import { JsonFields, JsonPlace, jsonText } from "./jsonObject";
import {
  advisoriesMax,
  advisoryIdBytesMax,
  collateralDocumentBytesMax,
  collateralJsonDepthMax,
  tcbLevelsMax,
  tdxModuleIdBytesMax,
  tdxModuleIdentitiesMax,
} from "./limits";
import type { TeeType } from "./quote";
import { parseTcbStatus, type TcbStatus } from "./tcbStatus";
import type { Validity } from "./x509";

export const u32Max = 0xffffffff;
export const u16Max = 0xffff;
const u8Max = 0xff;
const componentCount = 16;

/** What TCB info and QE identity say of themselves. */
export interface DocumentHead {
  version: number;
  /** issueDate to nextUpdate. */
  validity: Validity;
  /** Rises with every TCB recovery. */
  evaluationNumber: number;
}

/** What is known of those who reach a level. */
export interface LevelJudgement {
  status: TcbStatus;
  /** All security advisories before this day are dealt with. */
  date: UnixSeconds;
  advisories: readonly string[];
}

/** Security versions that a platform must have, all of them, to be on this level. */
export interface TcbLevel {
  sgxComponents: Uint8Array;
  pcesvn: number;
  /** Zeros in TCB info for SGX. */
  tdxComponents: Uint8Array;
  judgement: LevelJudgement;
}

/** A level of a TDX module or a quoting enclave. */
export interface IsvLevel {
  isvsvn: number;
  judgement: LevelJudgement;
}

export interface TdxModuleIdentity {
  /** In upper case: "TDX_01". */
  id: string;
  mrsigner: Uint8Array;
  attributes: bigint;
  /** Highest isvsvn first. */
  levels: readonly IsvLevel[];
}

export interface TcbInfo {
  head: DocumentHead;
  tee: TeeType;
  fmspc: Uint8Array;
  pceid: Uint8Array;
  /** TDX only: the module of version 0, and the others. */
  moduleMrsigner: Uint8Array;
  moduleAttributes: bigint;
  moduleIdentities: readonly TdxModuleIdentity[];
  /** Highest first, by SGX components, PCESVN and TDX components, whatever the document's order. */
  levels: readonly TcbLevel[];
}

/** The members of a document. Error: `collateral_malformed`. */
export function readDocument(text: string, component: string): JsonFields {
  const limits = { bytesMax: collateralDocumentBytesMax, depthMax: collateralJsonDepthMax };
  const code = "collateral_malformed";
  const value = inContext(component, () => parseJson(text, limits), code);
  return new JsonFields(value, new JsonPlace(component, code));
}

export function readHead(document: JsonFields): DocumentHead {
  return {
    version: document.number("version", u32Max),
    validity: { notBefore: document.time("issueDate"), notAfter: document.time("nextUpdate") },
    evaluationNumber: document.number("tcbEvaluationDataNumber", u32Max),
  };
}

/** Advisories are shown to people and compared with policies: plain words of ASCII. */
function readAdvisories(level: JsonFields): string[] {
  if (!level.has("advisoryIDs")) return [];
  const place = level.place.at("advisoryIDs");
  return level.arrayOrEmpty("advisoryIDs", advisoriesMax).map((entry) => {
    const text = jsonText(entry, place);
    const isPlain = /^[\x21-\x7e]+$/.test(text) && text.length <= advisoryIdBytesMax;
    if (!isPlain) place.wrong(quoteForeign(text), "an advisory's name");
    return text;
  });
}

function readJudgement(level: JsonFields, possible: readonly TcbStatus[]): LevelJudgement {
  const word = level.text("tcbStatus");
  const status = parseTcbStatus(word);
  if (status === undefined || !possible.includes(status)) {
    return level.place.at("tcbStatus").wrong(quoteForeign(word), "a status of such levels");
  }
  return { status, date: level.time("tcbDate"), advisories: readAdvisories(level) };
}

function readComponents(tcb: JsonFields, key: string): Uint8Array {
  const entries = tcb.objects(key, componentCount);
  if (entries.length !== componentCount) tcb.place.at(key).wrong(`${entries.length} entries`, "16");
  return Uint8Array.from(entries, (entry) => entry.number("svn", u8Max));
}

/** Version 2 has a key for each: "sgxtcbcomp01svn" to "sgxtcbcomp16svn". */
function readComponentsOfVersion2(tcb: JsonFields): Uint8Array {
  return Uint8Array.from({ length: componentCount }, (_, i) =>
    tcb.number(`sgxtcbcomp${String(i + 1).padStart(2, "0")}svn`, u8Max),
  );
}

const platformStatuses: readonly TcbStatus[] = [
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
];

function readTcbLevel(entry: JsonFields, version: number, tee: TeeType): TcbLevel {
  const tcb = entry.object("tcb");
  return {
    sgxComponents:
      version === 2 ? readComponentsOfVersion2(tcb) : readComponents(tcb, "sgxtcbcomponents"),
    tdxComponents:
      tee === "TDX" ? readComponents(tcb, "tdxtcbcomponents") : new Uint8Array(componentCount),
    pcesvn: tcb.number("pcesvn", u16Max),
    judgement: readJudgement(entry, platformStatuses),
  };
}

/** As text in which higher ranks come later. */
function rankOfTcb(level: TcbLevel): string {
  const pcesvn = level.pcesvn.toString(16).padStart(4, "0");
  return toHex(level.sgxComponents) + pcesvn + toHex(level.tdxComponents);
}

function rankOfIsv(level: IsvLevel): string {
  return level.isvsvn.toString(16).padStart(4, "0");
}

/** Descending. Of two levels alike, which one counts would depend on the reader. */
function sortLevels<T>(levels: readonly T[], rank: (level: T) => string, place: JsonPlace): T[] {
  const ranked = levels.map((level) => ({ level, rank: rank(level) }));
  ranked.sort((a, b) => (a.rank < b.rank ? 1 : a.rank > b.rank ? -1 : 0));
  if (ranked.some((one, i) => i > 0 && one.rank === ranked[i - 1]!.rank)) {
    place.wrong("a level twice", "each once");
  }
  return ranked.map(({ level }) => level);
}

/** The levels of a module or an enclave, highest first. */
export function readIsvLevels(owner: JsonFields, possible: readonly TcbStatus[]): IsvLevel[] {
  const levels = owner.objects("tcbLevels", tcbLevelsMax).map((entry) => ({
    isvsvn: entry.object("tcb").number("isvsvn", u16Max),
    judgement: readJudgement(entry, possible),
  }));
  return sortLevels(levels, rankOfIsv, owner.place.at("tcbLevels"));
}

function readU64(fields: JsonFields, key: string): bigint {
  return new ByteReader(fields.hex(key, 8)).u64();
}

/** 48 bytes of signer, attributes, and a mask that is not asked about. */
function readSigner(module: JsonFields): { mrsigner: Uint8Array; attributes: bigint } {
  const signer = {
    mrsigner: module.hex("mrsigner", 48),
    attributes: readU64(module, "attributes"),
  };
  module.hex("attributesMask", 8);
  return signer;
}

function readModuleIdentity(entry: JsonFields): TdxModuleIdentity {
  const id = entry.text("id").slice(0, tdxModuleIdBytesMax);
  return {
    id: id.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
    ...readSigner(entry),
    levels: readIsvLevels(entry, ["UpToDate", "OutOfDate", "Revoked"]),
  };
}

function readModuleIdentities(document: JsonFields): TdxModuleIdentity[] {
  const key = "tdxModuleIdentities";
  if (!document.has(key)) return [];
  const place = document.place.at(key);
  const identities: TdxModuleIdentity[] = [];
  for (const [i, value] of document.arrayOrEmpty(key, tdxModuleIdentitiesMax).entries()) {
    const identity = readModuleIdentity(new JsonFields(value, place.at(i)));
    if (identities.some((other) => other.id === identity.id)) {
      place.wrong("an id twice", "each once");
    }
    identities.push(identity);
  }
  return identities;
}

/** Whose levels these are. */
function readTee(document: JsonFields, version: number): TeeType {
  if (version === 2) return "SGX";
  if (version !== 3) document.place.at("version").wrong(String(version), "2 or 3");
  const id = document.text("id");
  if (id === "SGX" || id === "TDX") return id;
  return document.place.at("id").wrong(quoteForeign(id), "SGX or TDX");
}

/**
 * Versions 3 (SGX, TDX) and 2 (SGX only). Error: `collateral_malformed`; also for a status that does
 * not exist, for two levels alike, and for a key that stands twice in an object.
 */
export function parseTcbInfo(text: string): TcbInfo {
  const document = readDocument(text, "TCB info");
  const head = readHead(document);
  const tee = readTee(document, head.version);
  const fmspc = document.hex("fmspc", 6);
  const pceid = document.hex("pceId", 2);
  // Other types would say that components are compared in another way.
  document.number("tcbType", 0);
  let module = { mrsigner: new Uint8Array(48) as Uint8Array, attributes: 0n };
  let moduleIdentities: TdxModuleIdentity[] = [];
  if (tee === "TDX") {
    module = readSigner(document.object("tdxModule"));
    moduleIdentities = readModuleIdentities(document);
  } else if (document.has("tdxModule") || document.has("tdxModuleIdentities")) {
    document.place.wrong("TDX modules", "none in TCB info for SGX");
  }
  const entries = document.objects("tcbLevels", tcbLevelsMax);
  const levels = entries.map((entry) => readTcbLevel(entry, head.version, tee));
  return {
    head,
    tee,
    fmspc,
    pceid,
    moduleMrsigner: module.mrsigner,
    moduleAttributes: module.attributes,
    moduleIdentities,
    levels: sortLevels(levels, rankOfTcb, document.place.at("tcbLevels")),
  };
}
