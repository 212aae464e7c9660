// SPDX-License-Identifier: Apache-2.0
import type { OpenPhase } from "./payment";

/** How far the opening of a session is. */
export const openWords: Readonly<Record<OpenPhase, string>> = {
  signing: "Sign in your wallet. It is a signature, and costs no gas.",
  opening: "The entry is sending it to the contract. This takes a few blocks.",
  sending: "Confirm in your wallet, which sends it to the contract.",
};
