// SPDX-License-Identifier: Apache-2.0
import type { Hex } from "viem";
import { readStoredList, type TextStorage, writeStoredList } from "../../client/storedList";

// Sessions of this browser: vouchers with the keys that spend them. Whoever reads this storage can
// spend what is left of them, and nothing else: so they end, and have a ceiling.

/** A voucher, of one payer for one pool. */
export interface Session {
  readonly chainId: number;
  readonly contract: `0x${string}`;
  readonly pool: bigint;
  readonly payer: `0x${string}`;
  readonly voucher: `0x${string}`;
  /** 32 bytes; undefined once it is ended, when nothing can be spent any more. */
  readonly sessionKey: `0x${string}` | undefined;
  readonly ceiling: bigint;
  /** Unix seconds. */
  readonly expiry: number;
  /** When it was signed, Unix seconds. */
  readonly since: number;
  /** The contract has it, as it was read last. */
  readonly isOpen: boolean;
  /**
   * What opens it: whoever has it can, once, until it expires. undefined of one that an older page
   * has signed.
   */
  readonly opening?: Opening;
  /** What entries had charged when they last said so, credits, by receipt key in lower case. */
  readonly charged: Readonly<Record<string, bigint>>;
}

/** With the rest of the session it is the voucher that the payer signed. */
export interface Opening {
  readonly salt: `0x${string}`;
  readonly signature: `0x${string}`;
}

/** Whose sessions: those of another chain, contract, pool or payer are none of theirs. */
export type SessionOwner = Pick<Session, "chainId" | "contract" | "pool" | "payer">;

const storageKey = "teetee.sessions";
const sessionsMax = 64;
const entriesMax = 64;
/** Wallets that are contracts sign at length. */
const signatureMax = 20_000;
/** After a voucher's end nobody may reclaim it for a week, in which entries still settle. */
export const reclaimAfterSeconds = 7 * 86_400;

function isHex(value: unknown, bytes: number): value is `0x${string}` {
  return typeof value === "string" && new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`).test(value);
}

function bigOf(value: unknown): bigint | undefined {
  return typeof value === "string" && /^\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}

function chargedOf(value: unknown): Record<string, bigint> {
  const out: Record<string, bigint> = {};
  if (typeof value !== "object" || value === null) return out;
  for (const [entry, text] of Object.entries(value).slice(0, entriesMax)) {
    const credits = bigOf(text);
    if (isHex(entry, 20) && credits !== undefined) out[entry] = credits;
  }
  return out;
}

function openingOf(value: unknown): Opening | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { salt, signature } = value as Record<string, unknown>;
  const isSignature =
    typeof signature === "string" &&
    signature.length <= signatureMax &&
    /^0x([0-9a-fA-F]{2})+$/.test(signature);
  return isHex(salt, 32) && isSignature ? { salt, signature: signature as Hex } : undefined;
}

/** undefined for what is no session: somebody else may have written it. */
function sessionOf(value: unknown): Session | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const from = value as Record<string, unknown>;
  const { chainId, contract, payer, voucher, sessionKey, expiry, since, isOpen } = from;
  const pool = bigOf(from["pool"]);
  const ceiling = bigOf(from["ceiling"]);
  const isWhole =
    Number.isSafeInteger(chainId) &&
    Number.isSafeInteger(expiry) &&
    Number.isSafeInteger(since) &&
    isHex(contract, 20) &&
    isHex(payer, 20) &&
    isHex(voucher, 32) &&
    (sessionKey === undefined || isHex(sessionKey, 32));
  if (!isWhole || pool === undefined || ceiling === undefined) return undefined;
  const opening = openingOf(from["opening"]);
  return {
    chainId: chainId as number,
    contract,
    pool,
    payer,
    voucher,
    sessionKey,
    ceiling,
    expiry: expiry as number,
    since: since as number,
    // Older pages kept those alone that were open.
    isOpen: isOpen !== false,
    ...(opening ? { opening } : {}),
    charged: chargedOf(from["charged"]),
  };
}

function isOf(session: Session, owner: SessionOwner): boolean {
  return (
    session.chainId === owner.chainId &&
    session.contract.toLowerCase() === owner.contract.toLowerCase() &&
    session.pool === owner.pool &&
    session.payer.toLowerCase() === owner.payer.toLowerCase()
  );
}

/** The sessions of this browser, newest first. */
export class SessionStorage {
  constructor(private readonly storage: TextStorage) {}

  private all(): Session[] {
    return readStoredList(this.storage, storageKey, sessionsMax, sessionOf);
  }

  private write(sessions: readonly Session[]): void {
    writeStoredList(this.storage, storageKey, sessions.slice(0, sessionsMax));
  }

  of(owner: SessionOwner): readonly Session[] {
    return this.all().filter((session) => isOf(session, owner));
  }

  /** Of every payer and pool, with keys that spend. */
  withKeys(): readonly Session[] {
    return this.all().filter((session) => session.sessionKey !== undefined);
  }

  /** Adds a session, or writes it in the place of the one with the same voucher. */
  keep(session: Session): void {
    const all = this.all();
    const at = all.findIndex((one) => one.voucher === session.voucher);
    if (at >= 0) all[at] = session;
    else all.unshift(session);
    this.write(all);
  }

  /** Of what is stored, not of what somebody has read before; nothing where it is not there. */
  change(voucher: string, change: (session: Session) => Session): void {
    const found = this.all().find((session) => session.voucher === voucher);
    const changed = found && change(found);
    if (changed && changed !== found) this.keep(changed);
  }

  drop(voucher: string): void {
    this.write(this.all().filter((session) => session.voucher !== voucher));
  }
}

/** One that can be spent from; `now` by the chain's clock, Unix seconds, undefined: not known yet. */
export function isUsable(session: Session, now: number | undefined): boolean {
  return session.isOpen && hasTime(session, now);
}

/** One that was signed, and that the contract does not have (yet). */
export function isOpening(session: Session, now: number | undefined): boolean {
  return !session.isOpen && hasTime(session, now);
}

function hasTime({ sessionKey, expiry }: Session, now: number | undefined): boolean {
  return sessionKey !== undefined && (now === undefined || now < expiry);
}

/** Nothing can be spent any more: what is kept is what it takes to reclaim the rest. */
export function withoutKey({ opening: _, ...session }: Session, expiry: number): Session {
  return { ...session, sessionKey: undefined, expiry };
}

/** That much of one entry, as it says now; what it has charged only rises. */
export function withCharge(session: Session, entry: string, charged: bigint): Session {
  const key = entry.toLowerCase();
  if ((session.charged[key] ?? 0n) >= charged) return session;
  return { ...session, charged: { ...session.charged, [key]: charged } };
}

/** How one entry says that a session stands, credits. */
export interface EntryStanding {
  readonly charged: bigint;
  readonly held: bigint;
  readonly claimable: bigint;
}

/**
 * Credits that are left of a session: the ceiling less what all entries have charged and hold, and no
 * more than any entry could still claim.
 */
export function leftOf(session: Session, standings: ReadonlyMap<string, EntryStanding>): bigint {
  let used = 0n;
  let bound = session.ceiling;
  const known = new Set([...Object.keys(session.charged), ...standings.keys()]);
  for (const entry of known) {
    const standing = standings.get(entry);
    used += standing ? standing.charged + standing.held : (session.charged[entry] ?? 0n);
    if (standing) {
      const left = standing.claimable - standing.charged - standing.held;
      if (left < bound) bound = left;
    }
  }
  const left = session.ceiling - used;
  const least = left < bound ? left : bound;
  return least > 0n ? least : 0n;
}
