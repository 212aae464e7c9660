// SPDX-License-Identifier: Apache-2.0
import type { Client } from "viem";

/** Ids that anvil is run with: its own, and that of a Base on one's own machine. */
const devIds = new Set([31337, 84532]);

/**
 * Whether a chain is one of somebody's own machine, whose ETH is worth nothing and given for the
 * asking. Many endpoints do not say what they are; those are none.
 */
export async function isDevChain(client: Client): Promise<boolean> {
  if (!client.chain || !devIds.has(client.chain.id)) return false;
  try {
    const version = await client.request({ method: "web3_clientVersion" });
    return version.startsWith("anvil/");
  } catch {
    return false;
  }
}
