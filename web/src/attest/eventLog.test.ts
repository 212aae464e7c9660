// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { hasSharedData, readManifest, readShared, readSharedText } from "../../tests/sharedData";
import { toHex, utf8 } from "../base/bytes";
import { checkMrconfigid, ensureRtmrs, replayEventLog } from "./eventLog";
import { parseQuote, type TdReport } from "./quote";

const longMs = 60_000;

interface LogEntry {
  imr: number;
  event_type: number;
  event: string;
  event_payload: string;
  digest: string;
}

function runtimeEvent(event: string, payload: string, digest = ""): LogEntry {
  return { imr: 3, event_type: 0x08000001, event, event_payload: payload, digest };
}

function reportOf(file: string): TdReport {
  const { report } = parseQuote(readShared(file));
  if (report.tee !== "TDX") throw new Error("not of a TD");
  return report;
}

async function isAccepted(log: readonly LogEntry[], report: TdReport): Promise<boolean> {
  try {
    ensureRtmrs((await replayEventLog(JSON.stringify(log))).rtmr, report);
    return true;
  } catch {
    return false;
  }
}

describe("event log", () => {
  it("takes events until the app can measure itself", async () => {
    const appId = "11".repeat(20);
    const log = await replayEventLog(
      JSON.stringify([
        runtimeEvent("app-id", appId),
        runtimeEvent("compose-hash", "22".repeat(32)),
        runtimeEvent("key-provider", toHex(utf8('{"name":"kms","id":"k"}'))),
        runtimeEvent("system-ready", ""),
        runtimeEvent("app-id", "33".repeat(20)),
      ]),
    );
    expect(toHex(log.app.appId!)).toBe(appId);
    expect(log.app.keyProvider).toEqual({ name: "kms", id: "k" });
    expect(log.app.systemReady).toBe(true);
    expect(log.runtimeEvents).toHaveLength(5);
    expect(toHex(log.rtmr[0]!)).toBe("00".repeat(48));
  });

  it.each([
    ["no list", "{}", "event_log_malformed"],
    ["nothing", "[]", "event_log_malformed"],
    ["no object", "[1]", "event_log_malformed"],
    ["unknown key", [{ ...runtimeEvent("a", ""), more: 1 }], "event_log_malformed"],
    ["register 4", [{ ...runtimeEvent("a", ""), imr: 4 }], "event_log_malformed"],
    ["runtime event of RTMR0", [{ ...runtimeEvent("a", ""), imr: 0 }], "event_log_malformed"],
    ["opaque event in RTMR3", [{ ...runtimeEvent("a", ""), event_type: 1 }], "event_log_malformed"],
    ["a name with a colon", [runtimeEvent("a:b", "")], "event_log_malformed"],
    ["version 3", [{ ...runtimeEvent("a", ""), version: 3 }], "event_log_malformed"],
    ["another digest", [runtimeEvent("a", "", "00".repeat(48))], "event_log_mismatch"],
    ["another preimage", [{ ...runtimeEvent("a", ""), preimage: "00" }], "event_log_mismatch"],
    [
      "app id twice",
      [1, 2].map(() => runtimeEvent("app-id", "11".repeat(20))),
      "event_log_malformed",
    ],
    ["short app id", [runtimeEvent("app-id", "11")], "event_log_malformed"],
    ["no key provider", [runtimeEvent("key-provider", "7b7d")], "event_log_malformed"],
  ])("refuses %s", async (_, log, code) => {
    const text = typeof log === "string" ? log : JSON.stringify(log);
    await expect(replayEventLog(text)).rejects.toMatchObject({ code });
  });
});

describe.skipIf(!hasSharedData)("real event logs", () => {
  it("replay to their quotes", async () => {
    const logs = readManifest().eventlogs;
    for (const entry of logs) {
      const log = await replayEventLog(readShared(entry.file));
      expect(log.rtmr.map(toHex), entry.file).toEqual(entry.expected_rtmr);
      const report = reportOf(entry.quote);
      ensureRtmrs(log.rtmr, report);
      checkMrconfigid(log.app, report);
      expect(toHex(log.app.appId!)).toBe(entry.payloads["app-id"]);
      expect(toHex(log.app.composeHash!)).toBe(entry.payloads["compose-hash"]);
      expect(log.app.keyProvider).toBeDefined();
      expect(log.app.systemReady).toBe(true);
    }
    expect(logs.length).toBeGreaterThanOrEqual(8);
  });

  // Each event of each log in turn: another payload, dropped, or in the place of the next one.
  it("are refused where changed", { timeout: longMs }, async () => {
    let count = 0;
    for (const entry of readManifest().eventlogs) {
      const log = JSON.parse(readSharedText(entry.file)) as LogEntry[];
      const report = reportOf(entry.quote);
      const expectRefused = async (changed: LogEntry[], at: number) => {
        expect(await isAccepted(changed, report), `${entry.file} event ${at}`).toBe(false);
        count++;
      };
      for (const [at, event] of log.entries()) {
        await expectRefused(log.toSpliced(at, 1), at);
        const next = log[at + 1];
        if (next !== undefined && next.imr === event.imr) {
          await expectRefused(log.toSpliced(at, 2, next, event), at);
        }
        if (event.imr !== 3) continue;
        const event_payload = `${event.event_payload}00`;
        await expectRefused(log.with(at, { ...event, event_payload }), at);
      }
    }
    expect(count).toBeGreaterThan(300);
  });
});
