// SPDX-License-Identifier: Apache-2.0
import { asError } from "../../base/error";
import { formatPool, parsePool, type PoolOnChain } from "../../chain/deployment";
import { ensureBaseUrl } from "../../client/fields";

/** Whom this page talks to; what is absent is taken from the entry that serves the page. */
export interface NetworkSettings {
  /** The entry that is asked first. */
  readonly entryUrl?: string;
  /** Where the chain is read, in the place of what the entry names. */
  readonly rpcUrls?: readonly string[];
  /** The pool that the entry must serve, whatever it says. */
  readonly pool?: PoolOnChain;
}

const settingsKey = "teetee.network";
const rpcUrlsMax = 8;

/** Entries serve this page themselves; of a copy elsewhere the user says whom to ask. */
export function servingEntry(location: Pick<Location, "protocol" | "origin">): string | undefined {
  return /^https?:$/.test(location.protocol) ? location.origin : undefined;
}

/** What is no URL is left out: somebody else may have written it. */
export function parseSettings(text: string | null): NetworkSettings {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "{}");
  } catch {
    return {};
  }
  const { entryUrl, rpcUrls, pool } = (value ?? {}) as Record<string, unknown>;
  const urls = Array.isArray(rpcUrls) ? rpcUrls.slice(0, rpcUrlsMax).filter(isUrl) : [];
  return {
    ...(isUrl(entryUrl) ? { entryUrl } : {}),
    ...(urls.length > 0 ? { rpcUrls: urls } : {}),
    ...(typeof pool === "string" && problemOfPool(pool) === undefined
      ? { pool: parsePool(pool) }
      : {}),
  };
}

function isUrl(value: unknown): value is string {
  return typeof value === "string" && problemOfUrl(value) === undefined;
}

function problemOf(parse: () => unknown): string | undefined {
  try {
    parse();
    return undefined;
  } catch (thrown) {
    return asError(thrown).detail;
  }
}

/** Why a text is no base URL, in words; undefined where it is one. */
export function problemOfUrl(text: string): string | undefined {
  return problemOf(() => ensureBaseUrl(text));
}

/** Likewise for CHAIN:CONTRACT:POOL. */
export function problemOfPool(text: string): string | undefined {
  return problemOf(() => parsePool(text));
}

export function loadSettings(): NetworkSettings {
  return parseSettings(localStorage.getItem(settingsKey));
}

export function saveSettings(settings: NetworkSettings): void {
  const { pool, ...urls } = settings;
  const written = pool === undefined ? urls : { ...urls, pool: formatPool(pool) };
  localStorage.setItem(settingsKey, JSON.stringify(written));
}
