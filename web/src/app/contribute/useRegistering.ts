// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from "react";
import type { Hex } from "viem";
import { asError, type TeeTeeError } from "../../base/error";
import { tryCall } from "../../chain/calls";
import { type ChainReader, readIsLive, readNode, readNodeOfKey } from "../../chain/reads";
import type { ReadyRegistration } from "../../client/nodeProbe";
import type { AccountAndSend } from "../wallet/account";

/** A node as the contract has it after the transaction. */
export interface Registered {
  readonly node: bigint;
  /** Unix seconds. */
  readonly expiry: number;
  readonly isLive: boolean;
  readonly wasRenewed: boolean;
  readonly transaction: Hex;
}

export type Registering =
  | { readonly phase: "idle" }
  | { readonly phase: "trying" | "signing" }
  | { readonly phase: "mining"; readonly hash: Hex }
  | { readonly phase: "done"; readonly registered: Registered }
  | { readonly phase: "failed"; readonly error: TeeTeeError };

interface Sending {
  readonly reader: ChainReader;
  readonly account: AccountAndSend;
  readonly ready: ReadyRegistration;
}

async function register(
  { reader, account, ready }: Sending,
  onPhase: (state: Registering) => void,
): Promise<Registered> {
  const { address } = account;
  onPhase({ phase: "trying" });
  // What the contract would refuse by now costs nothing.
  if (address) await tryCall(reader.client, ready.call, address);
  const receipt = await account.send(ready.call, {
    onPhase: (phase, hash) => {
      if (phase === "mining" && hash) onPhase({ phase, hash });
      else onPhase({ phase: "signing" });
    },
  });
  const node = await readNodeOfKey(reader, ready.statement.receiptAddress);
  const [{ expiry }, isLive] = await Promise.all([
    readNode(reader, node),
    readIsLive(reader, node),
  ]);
  return {
    node,
    expiry,
    isLive,
    wasRenewed: ready.node !== undefined,
    transaction: receipt.transactionHash,
  };
}

/** Sends a registration that was found to be good, and looks at what came of it. */
export function useRegistering() {
  const [state, setState] = useState<Registering>({ phase: "idle" });
  const isGone = useRef(false);
  useEffect(() => {
    isGone.current = false;
    return () => {
      isGone.current = true;
    };
  }, []);
  const put = useCallback((next: Registering) => {
    if (!isGone.current) setState(next);
  }, []);
  const start = useCallback(
    async (sending: Sending) => {
      try {
        put({ phase: "done", registered: await register(sending, put) });
      } catch (thrown) {
        put({ phase: "failed", error: asError(thrown) });
      }
    },
    [put],
  );
  const reset = useCallback(() => put({ phase: "idle" }), [put]);
  return { state, start, reset };
}
