// SPDX-License-Identifier: Apache-2.0
import { ensureBaseUrl } from "../../client/fields";
import { asError } from "../../base/error";

/** Whom this page talks to; what is absent is taken from the entry that serves the page. */
export interface NetworkSettings {
  /** The entry that is asked first. */
  readonly entryUrl?: string;
  /** Where the chain is read, in the place of what the entry names. */
  readonly rpcUrls?: readonly string[];
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
  const { entryUrl, rpcUrls } = (value ?? {}) as { entryUrl?: unknown; rpcUrls?: unknown };
  const urls = Array.isArray(rpcUrls) ? rpcUrls.slice(0, rpcUrlsMax).filter(isUrl) : [];
  return {
    ...(isUrl(entryUrl) ? { entryUrl } : {}),
    ...(urls.length > 0 ? { rpcUrls: urls } : {}),
  };
}

function isUrl(value: unknown): value is string {
  return typeof value === "string" && problemOfUrl(value) === undefined;
}

/** Why a text is no base URL, in words; undefined where it is one. */
export function problemOfUrl(text: string): string | undefined {
  try {
    ensureBaseUrl(text);
    return undefined;
  } catch (thrown) {
    return asError(thrown).detail;
  }
}

export function loadSettings(): NetworkSettings {
  return parseSettings(localStorage.getItem(settingsKey));
}

export function saveSettings(settings: NetworkSettings): void {
  localStorage.setItem(settingsKey, JSON.stringify(settings));
}
