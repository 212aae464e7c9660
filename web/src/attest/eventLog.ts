// SPDX-License-Identifier: Apache-2.0
// What a TD measured into its four runtime registers, as a log that the host could have changed: it
// proves something only once its registers are those of a verified quote. dstack's cc-eventlog;
// src/attest/event_log.hpp.
import { concat, equal, isZero, toHex, utf8 } from "../base/bytes";
import { fail } from "../base/error";
import {
  JsonNumber,
  isJsonArray,
  isJsonObject,
  parseJson,
  type JsonObject,
  type JsonValue,
} from "../base/json";
import { ByteWriter } from "../base/reader";
import { inContextAsync, inContext, quoteForeign, utf8Length } from "../base/text";
import { subtle } from "../base/webCrypto";
import { bytesOfHex } from "./jsonObject";
import {
  eventLogBytesMax,
  eventLogEventsMax,
  eventNameBytesMax,
  eventPayloadBytesMax,
  eventPreimageBytesMax,
} from "./limits";
import type { TdReport } from "./quote";

/** Where a dstack app gets its keys, with the provider's own identity. */
export interface KeyProvider {
  name: string;
  id: string;
}

/** What the guest measured of the app before it started it; absent where the log lacks it. */
export interface AppIdentity {
  appId?: Uint8Array;
  /** SHA-256 of the exact bytes of app-compose.json. */
  composeHash?: Uint8Array;
  instanceId?: Uint8Array;
  osImageHash?: Uint8Array;
  keyProvider?: KeyProvider;
  /** "system-ready" was measured; whatever follows it the app may have measured itself. */
  systemReady: boolean;
}

/** An event that the guest measured into RTMR3 while it ran. */
export interface RuntimeEvent {
  name: string;
  payload: Uint8Array;
  /** How its digest is computed: 1 or 2. */
  version: number;
}

export interface ReplayedLog {
  /** Four registers of 48 bytes. */
  rtmr: Uint8Array[];
  app: AppIdentity;
  /** Those of RTMR3, in order. */
  runtimeEvents: RuntimeEvent[];
  eventCount: number;
}

const runtimeEventType = 0x08000001;
const runtimeRtmr = 3;
const measurementBytes = 48;
const jsonDepthMax = 4;
const u32Max = 0xffffffff;

function malformed(component: string, have: string, need: string): never {
  return fail("event_log_malformed", `${component}: have ${have}, need ${need}`);
}

function mismatch(component: string, have: Uint8Array, need: Uint8Array): never {
  return fail("event_log_mismatch", `${component}: have ${toHex(have)}, need ${toHex(need)}`);
}

async function sha384(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await subtle().digest("SHA-384", new Uint8Array(bytes)));
}

interface Event extends RuntimeEvent {
  rtmr: number;
  type: number;
  /** Empty where the log leaves it to the reader. */
  digest: Uint8Array;
  preimage: Uint8Array | undefined;
}

function readNumber(value: JsonValue, key: string, valueMax: number): number {
  const whole = value instanceof JsonNumber ? value.whole() : undefined;
  if (whole === undefined || whole < 0n || whole > BigInt(valueMax)) {
    return malformed(key, "another value", `0 to ${valueMax}`);
  }
  return Number(whole);
}

function readText(value: JsonValue, key: string, bytesMax: number): string {
  if (typeof value !== "string") return malformed(key, "another type", "a string");
  const bytes = utf8Length(value);
  if (bytes > bytesMax) malformed(key, `${bytes} bytes`, `at most ${bytesMax}`);
  return value;
}

function readHex(value: JsonValue, key: string, bytesMax: number): Uint8Array {
  const bytes = bytesOfHex(readText(value, key, 2 * bytesMax));
  return bytes ?? malformed(key, "another text", "hex digits");
}

function readMember(event: Event, key: string, value: JsonValue): void {
  switch (key) {
    case "imr":
      event.rtmr = readNumber(value, key, 3);
      return;
    case "event_type":
      event.type = readNumber(value, key, u32Max);
      return;
    case "event":
      event.name = readText(value, key, eventNameBytesMax);
      return;
    case "event_payload":
      event.payload = readHex(value, key, eventPayloadBytesMax);
      return;
    case "digest":
      event.digest = readHex(value, key, measurementBytes);
      return;
    case "version":
      event.version = readNumber(value, key, 2);
      return;
    case "preimage":
      if (value !== null) event.preimage = readHex(value, key, eventPreimageBytesMax);
      return;
    default:
      malformed("key", quoteForeign(key), "a known one");
  }
}

function readEvent(value: JsonValue): Event {
  if (!isJsonObject(value)) return malformed("entry", "another type", "an object");
  const event: Event = {
    rtmr: 0,
    type: 0,
    name: "",
    payload: new Uint8Array(),
    digest: new Uint8Array(),
    version: 1,
    preimage: undefined,
  };
  for (const [key, member] of value) readMember(event, key, member);
  for (const key of ["imr", "event_type", "event", "event_payload"]) {
    if (!value.has(key)) malformed(key, "none", "one");
  }
  return event;
}

/**
 * Version 1: le32(event_type) ":" name ":" payload, the name without ':', or where it ends would be
 * open. Version 2: JCS {"name", "payload": hex, "type"} (RFC 8785).
 */
function preimageOf(event: Event): Uint8Array {
  if (event.version !== 1 && event.version !== 2) {
    malformed("version", String(event.version), "1 or 2");
  }
  if (event.version === 2) {
    const { name, payload, type } = event;
    return utf8(JSON.stringify({ name, payload: toHex(payload), type }));
  }
  if (event.name.includes(":")) {
    malformed("event", quoteForeign(event.name), "a name without ':'");
  }
  const name = utf8(`:${event.name}:`);
  return new ByteWriter().u32(event.type).bytes(name).bytes(event.payload).view();
}

async function runtimeDigest(event: Event): Promise<Uint8Array> {
  if (event.rtmr !== runtimeRtmr) malformed("imr of a runtime event", String(event.rtmr), "3");
  const preimage = preimageOf(event);
  if (event.preimage !== undefined && !equal(event.preimage, preimage)) {
    mismatch("preimage", await sha384(event.preimage), await sha384(preimage));
  }
  const digest = await sha384(preimage);
  if (event.digest.length > 0 && !equal(event.digest, digest)) {
    mismatch("digest", event.digest, digest);
  }
  return digest;
}

/** SHA-1 and SHA-256 digests are extended with zeros behind them. */
function bootDigest(event: Event): Uint8Array {
  // An opaque digest could stand for a runtime event that the log wants to hide.
  if (event.rtmr === runtimeRtmr) {
    malformed("event_type in RTMR3", String(event.type), String(runtimeEventType));
  }
  const bytes = event.digest.length;
  if (![20, 32, measurementBytes].includes(bytes)) {
    malformed("digest", `${bytes} bytes`, "20, 32 or 48");
  }
  return concat(event.digest, new Uint8Array(measurementBytes - bytes));
}

function exactPayload(event: Event, byteCount: number): Uint8Array {
  if (event.payload.length !== byteCount) {
    malformed(`${event.name} payload`, `${event.payload.length} bytes`, String(byteCount));
  }
  return event.payload;
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const limits = { bytesMax: eventPayloadBytesMax, depthMax: jsonDepthMax };
    const value = parseJson(bytes, limits);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readKeyProvider(event: Event): KeyProvider {
  const object = parseObject(event.payload);
  const name = object?.get("name");
  const id = object?.get("id");
  if (typeof name !== "string" || typeof id !== "string") {
    const need = 'JSON with "name" and "id"';
    return malformed("key-provider payload", "something else", need);
  }
  return { name, id };
}

/** Collects what the guest measured of the app, until the app itself can measure. */
function noteIdentity(app: AppIdentity, seen: Set<string>, event: Event): void {
  if (app.systemReady) return;
  if (event.name === "app-id") app.appId = exactPayload(event, 20);
  else if (event.name === "compose-hash") app.composeHash = exactPayload(event, 32);
  else if (event.name === "instance-id") {
    // Empty for an app without one.
    if (event.payload.length > 0) app.instanceId = exactPayload(event, 20);
  } else if (event.name === "os-image-hash") app.osImageHash = exactPayload(event, 32);
  else if (event.name === "key-provider") app.keyProvider = readKeyProvider(event);
  else {
    app.systemReady = event.name === "system-ready";
    return;
  }
  if (seen.has(event.name)) malformed(event.name, "two", "one");
  seen.add(event.name);
}

/**
 * Replays a dstack event log. Digests of runtime events, which alone fill RTMR3, are computed from
 * name and payload, and one that the log gives must be equal. Boot events count by their digests.
 * Errors: `event_log_malformed`; `event_log_mismatch` (a digest or preimage that is not its
 * event's); each with the event's index, what it has and what it needs.
 */
export async function replayEventLog(source: string | Uint8Array): Promise<ReplayedLog> {
  const limits = { bytesMax: eventLogBytesMax, depthMax: jsonDepthMax };
  const entries = inContext("", () => parseJson(source, limits), "event_log_malformed");
  if (!isJsonArray(entries)) return malformed("event log", "another type", "a list of events");
  if (entries.length === 0 || entries.length > eventLogEventsMax) {
    malformed("event log", `${entries.length} events`, `1 to ${eventLogEventsMax}`);
  }
  const log: ReplayedLog = {
    rtmr: Array.from({ length: 4 }, () => new Uint8Array(measurementBytes)),
    app: { systemReady: false },
    runtimeEvents: [],
    eventCount: 0,
  };
  const seen = new Set<string>();
  for (const [i, entry] of entries.entries()) {
    await inContextAsync(`event ${i}`, async () => {
      const event = readEvent(entry);
      const isRuntime = event.type === runtimeEventType;
      const digest = isRuntime ? await runtimeDigest(event) : bootDigest(event);
      log.rtmr[event.rtmr] = await sha384(concat(log.rtmr[event.rtmr]!, digest));
      if (!isRuntime) return;
      const { name, payload, version } = event;
      log.runtimeEvents.push({ name, payload, version });
      noteIdentity(log.app, seen, event);
    });
    log.eventCount++;
  }
  return log;
}

/** The log's registers are the quote's. Error: `event_log_mismatch`, with the register. */
export function ensureRtmrs(rtmr: readonly Uint8Array[], report: TdReport): void {
  for (const [i, register] of rtmr.entries()) {
    if (!equal(register, report.rtmr[i]!)) {
      mismatch(`RTMR${i} of the log`, register, report.rtmr[i]!);
    }
  }
}

/** MRCONFIGID of an app whose app-compose.json has this hash: 0x01, the hash, zeros. */
export function mrconfigidOf(composeHash: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(1), composeHash, new Uint8Array(15));
}

/**
 * MRCONFIGID, where the host set it, is that of the compose hash (dstack since 0.5.1); false where
 * it is zero and binds nothing. Error: `compose_hash_mismatch`.
 */
export function checkMrconfigid(app: AppIdentity, report: TdReport): boolean {
  const have = report.mrconfigid;
  if (isZero(have)) return false;
  const bound = app.composeHash === undefined ? undefined : mrconfigidOf(app.composeHash);
  if (bound !== undefined && equal(have, bound)) return true;
  const need = bound === undefined ? "zero, for a log without a compose hash" : toHex(bound);
  return fail("compose_hash_mismatch", `MRCONFIGID: have ${toHex(have)}, need ${need}`);
}
