// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { nextStep, type StepFacts } from "./step";

const connected = { phase: "connected", hasChoices: true, isWrongChain: false } as const;

function step(change: Partial<StepFacts> = {}) {
  return nextStep({
    isFree: false,
    isConnected: true,
    wallet: connected,
    mode: "session",
    isChainAway: false,
    balance: 0n,
    eth: 10n ** 18n,
    isHost: false,
    left: undefined,
    isOpening: false,
    leastCost: 200n,
    ...change,
  });
}

describe("nextStep", () => {
  it("leads a newcomer from nothing to a paid answer", () => {
    expect(step({ isConnected: false })).toBe("waiting");
    expect(step({ wallet: { ...connected, phase: "disconnected", hasChoices: false } })).toBe(
      "noWallet",
    );
    expect(step({ wallet: { ...connected, phase: "disconnected" } })).toBe("connect");
    expect(step({ wallet: { ...connected, isWrongChain: true } })).toBe("switchChain");
    expect(step({ balance: undefined })).toBe("waiting");
    expect(step({ eth: 0n })).toBe("getEth");
    expect(step()).toBe("buy");
    expect(step({ balance: 20_000n })).toBe("openSession");
    expect(step({ balance: 20_000n, left: 5000n })).toBe("ready");
    expect(step({ balance: 20_000n, left: 199n })).toBe("sessionUsed");
  });

  it("asks for nothing where answers are free", () => {
    expect(step({ isFree: true, wallet: { ...connected, phase: "absent" } })).toBe("ready");
    expect(step({ isFree: true, isConnected: false })).toBe("waiting");
  });

  it("lets an open session be used while the chain is away or the wallet is on another", () => {
    expect(step({ left: 5000n, isChainAway: true, balance: undefined })).toBe("ready");
    expect(step({ left: 5000n, wallet: { ...connected, isWrongChain: true } })).toBe("ready");
    expect(step({ isChainAway: true })).toBe("chainAway");
  });

  it("says that a session is signed and not open, before another one is opened", () => {
    expect(step({ balance: 1000n, isOpening: true })).toBe("sessionOpening");
    expect(step({ balance: 1000n, isOpening: true, left: 900n })).toBe("ready");
    expect(step({ balance: 0n, isOpening: true })).toBe("buy");
  });

  it("knows hosts, and queries, which need ETH alone", () => {
    expect(step({ mode: "host", isHost: true })).toBe("ready");
    expect(step({ mode: "host" })).toBe("notHost");
    expect(step({ mode: "host", isHost: undefined })).toBe("waiting");
    expect(step({ mode: "query" })).toBe("ready");
    expect(step({ mode: "query", eth: 0n })).toBe("getEth");
    expect(step({ mode: "query", isChainAway: true })).toBe("chainAway");
  });
});
