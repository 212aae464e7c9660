// SPDX-License-Identifier: Apache-2.0
import type { ConnectedChain, Connection } from "./connection";

/**
 * What the nodes are held against, and who named it. Evidence proves which code runs; that it is the
 * right code says the policy of a pool, read from a chain: whoever names pool and endpoint decides.
 */
export interface Yardstick {
  /** The user has named the pool, and where the chain is read. */
  readonly isOwn: boolean;
  /** For people, whole sentences. */
  readonly words: string;
}

/** "Base (chain 8453)": the name is what people know the id by, and its endpoint claims the id. */
export function chainWords({ definition }: Pick<ConnectedChain, "definition">): string {
  const number = `chain ${definition.id}`;
  return definition.name.toLowerCase() === number ? number : `${definition.name} (${number})`;
}

export function yardstickOf({
  chain,
  settings,
}: Pick<Connection, "chain" | "settings">): Yardstick {
  if (!chain) {
    return {
      isOwn: false,
      words: "There is no contract: policy and model are the entry's own word.",
    };
  }
  const pool = `Held against pool ${chain.pool} of contract ${chain.deployment.contract} on ${chainWords(chain)}`;
  if (settings.pool && settings.rpcUrls) {
    return { isOwn: true, words: `${pool}, which you have set, read where you have set.` };
  }
  const poolBy = settings.pool ? "which you have set" : "which the entry names";
  const readBy = settings.rpcUrls ? "read where you have set" : "read where the entry says";
  return { isOwn: false, words: `${pool}, ${poolBy}, ${readBy}.` };
}
