// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext } from "react";
import type { NetworkPicture } from "../../scene/picture";

/**
 * What this page itself has found out about the network that it talks to:
 * `offline` no entry is connected; `connecting` evidence is being checked; `verified` every node of
 * the route passed against a production root and what the user has set; `attested` likewise, against
 * what the entry itself names; `simulated` all passed, but a TEE is simulated;
 * `refused` something failed, and nothing is sent.
 */
export type NetworkTrust =
  "offline" | "connecting" | "verified" | "attested" | "simulated" | "refused";

export interface NetworkState {
  trust: NetworkTrust;
  /** One sentence on why, for people. */
  words?: string;
  /** Absent until an entry has told of its network. */
  picture?: NetworkPicture;
}

export const NetworkContext = createContext<NetworkState>({ trust: "offline" });

export function useNetwork(): NetworkState {
  return useContext(NetworkContext);
}
