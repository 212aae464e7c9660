// SPDX-License-Identifier: Apache-2.0
import type { Network, NodeHistory } from "../../client/entries";

/** Tokens a second, as an entry has counted them. */
export interface Throughput {
  /** Of the span that is under way and the one before it. */
  readonly lately: number;
  /** Of the busiest finished span. */
  readonly busiest: number;
  /** Length of a span. */
  readonly spanSeconds: number;
}

function throughputOf(history: NodeHistory, now: number): Throughput | undefined {
  const { seconds, from, buckets } = history;
  const current = buckets.at(-1);
  if (!current) return undefined;
  const before = buckets.at(-2);
  const begun = from + (buckets.length - 1) * seconds;
  // Another clock than the entry's: a span is neither empty nor longer than it is.
  const elapsed = Math.min(Math.max(now - begun, 1), seconds);
  const tokens = current.tokens + (before?.tokens ?? 0);
  const finished = buckets.slice(0, -1).map((bucket) => bucket.tokens / seconds);
  return {
    lately: tokens / (elapsed + (before ? seconds : 0)),
    busiest: Math.max(0, ...finished),
    spanSeconds: seconds,
  };
}

/**
 * Of all answers that the entry has seen: every token goes through a node of the first shard, so that
 * the busiest of these has what the entry itself has served. undefined where nothing was counted.
 */
export function networkThroughput(network: Network, now: number): Throughput | undefined {
  let most: Throughput | undefined;
  for (const node of network.nodes) {
    const one = node.isEntry && node.history ? throughputOf(node.history, now) : undefined;
    if (one && (!most || one.lately > most.lately)) most = one;
  }
  return most;
}
