// SPDX-License-Identifier: Apache-2.0
import { TeeTeeError } from "../base/error";
import { fetchEntryList, fetchHealth } from "./entries";
import { codeOf, ensureBaseUrl } from "./fields";
import { entriesMax } from "./limits";
import type { RouteVerifier } from "./routeVerifier";
import { type NetworkTerms, VerifiedEntry } from "./verifiedEntry";

/** How old what is known of other entries may be when it is needed. */
const listAgeMaxMs = 60_000;
/** How long one that could not be verified is not learned again. */
const droppedForMs = 60_000;
const verifiedForDefaultMs = 10 * 60_000;

export interface EntryPoolOptions {
  /** At least one; the one to be asked first in front. Others are learned from them. */
  readonly urls: readonly string[];
  readonly terms: NetworkTerms;
  readonly verifier: RouteVerifier;
  readonly silenceMs?: number;
  /** How long a route that was verified counts as that, if its statements last as long. */
  readonly verifiedForMs?: number;
}

/**
 * All entries that the page knows, and what it has verified of them. A route is verified once,
 * however many ask, and again when it is old, when a statement ends, or when it was forgotten.
 */
export class EntryPool {
  private readonly named: readonly string[];
  private known: string[];
  private preferredUrl: string;
  private readonly opened = new Map<string, VerifiedEntry>();
  private readonly opening = new Map<string, Promise<VerifiedEntry>>();
  private readonly dropped = new Map<string, number>();
  private learnedAtMs = 0;

  /** Errors: `address_invalid`, `invalid_argument`. */
  constructor(private readonly options: EntryPoolOptions) {
    this.named = [...new Set(options.urls.map(ensureBaseUrl))];
    const first = this.named[0];
    if (first === undefined) {
      throw new TeeTeeError("invalid_argument", "entries: need the URL of one");
    }
    this.known = [...this.named];
    this.preferredUrl = first;
  }

  get terms(): NetworkTerms {
    return this.options.terms;
  }

  get verifier(): RouteVerifier {
    return this.options.verifier;
  }

  /** Those that were named, and those that were learned and could be verified, or were not tried. */
  get urls(): readonly string[] {
    return this.known;
  }

  /** The one that answered last; at first the one in front. */
  get preferred(): string {
    return this.preferredUrl;
  }

  prefer(url: string): void {
    this.preferredUrl = url;
  }

  /** By the options, and not learned from another entry. */
  isNamed(url: string): boolean {
    return this.named.includes(url);
  }

  /** What is known of an entry; undefined where it is to be verified before it is asked. */
  verified(url: string): VerifiedEntry | undefined {
    const entry = this.opened.get(url);
    if (!entry) return undefined;
    const now = Date.now();
    const age = now - entry.verifiedAtMs;
    const isFresh = age >= 0 && age < (this.options.verifiedForMs ?? verifiedForDefaultMs);
    return isFresh && now < entry.expiresAtMs ? entry : undefined;
  }

  /** As it was verified, or verifies it. Errors: those of VerifiedEntry.open. */
  async open(url: string): Promise<VerifiedEntry> {
    const known = this.verified(url);
    if (known) return known;
    const under = this.opening.get(url);
    if (under) return under;
    // Not by whoever asks alone: others wait for it, too.
    const opening = this.verify(url).finally(() => this.opening.delete(url));
    this.opening.set(url, opening);
    return opening;
  }

  private async verify(url: string): Promise<VerifiedEntry> {
    const { terms, verifier, silenceMs } = this.options;
    try {
      const options = { url, terms, verifier };
      const entry = await VerifiedEntry.open(
        silenceMs === undefined ? options : { ...options, silenceMs },
      );
      this.opened.set(url, entry);
      if (this.dropped.delete(url) && !this.known.includes(url)) this.known.push(url);
      return entry;
    } catch (thrown) {
      this.opened.delete(url);
      this.drop(url);
      throw thrown;
    }
  }

  /** One that was learned and is none, or is gone: it is not to be waited for again and again. */
  private drop(url: string): void {
    if (this.isNamed(url)) return;
    this.known = this.known.filter((one) => one !== url);
    this.dropped.set(url, Date.now());
  }

  /**
   * Does something with a verified entry, and verifies it once more where what was known of it is no
   * longer so: it was started again, or its statement is another one. Errors: of open and `use`.
   */
  async use<T>(url: string, use: (entry: VerifiedEntry) => Promise<T>): Promise<T> {
    const entry = await this.open(url);
    try {
      return await use(entry);
    } catch (thrown) {
      if (codeOf(thrown) !== "channel_unbound") throw thrown;
      this.forget(entry);
      return use(await this.open(url));
    }
  }

  /** It is to be verified anew, unless that has been done since. */
  forget(entry: VerifiedEntry): void {
    if (this.opened.get(entry.url) === entry) this.opened.delete(entry.url);
  }

  /**
   * Whether the route of an entry is still made of the nodes that were verified, as far as the entry
   * says; if not it is forgotten. Errors: those of fetching /health.
   */
  async isUnchanged(entry: VerifiedEntry, signal?: AbortSignal): Promise<boolean> {
    const health = await fetchHealth(entry.url, { signal });
    const have = new Set(health.route.map((hop) => idOf(hop.node)));
    const verified = new Set(entry.route.nodes.map((node) => idOf(node.receiptKey)));
    const isSame = have.size === verified.size && [...have].every((node) => verified.has(node));
    if (!isSame) this.forget(entry);
    return isSame;
  }

  /** Asks for other entries, where that was not done for a while. Nothing fails by it. */
  async learn(entry: VerifiedEntry): Promise<void> {
    if (Date.now() - this.learnedAtMs < listAgeMaxMs) return;
    this.learnedAtMs = Date.now();
    try {
      const list = await fetchEntryList(entry.url);
      for (const { apiUrl } of list.entries) this.add(apiUrl);
    } catch {
      // Another one may know.
      this.learnedAtMs = 0;
    }
  }

  private add(url: string | undefined): void {
    if (!url || this.known.length >= entriesMax || this.known.includes(url)) return;
    const droppedAt = this.dropped.get(url);
    if (droppedAt !== undefined && Date.now() - droppedAt < droppedForMs) return;
    this.known.push(url);
  }
}

/** Of a node, as adverts and addresses write it. */
function idOf(text: string): string {
  return text.toLowerCase().replace(/^0x/, "");
}
