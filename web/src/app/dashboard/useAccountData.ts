// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useRef, useState } from "react";
import type { Address } from "viem";
import { asError, type TeeTeeError } from "../../base/error";
import type { Connection } from "../network/connection";
import { loadAccount, type AccountState } from "./load";

const refreshMs = 10_000;

export interface AccountData {
  /** As it was last; undefined until it was read once. */
  readonly account: AccountState | undefined;
  readonly error: TeeTeeError | undefined;
  /** Reads anew; resolves when that is done. */
  reload(): Promise<void>;
}

/** What the contract says of a wallet, looked at every ten seconds. */
export function useAccountData(
  connection: Connection | undefined,
  address: Address | undefined,
): AccountData {
  const [account, setAccount] = useState<AccountState>();
  const [error, setError] = useState<TeeTeeError>();
  const latest = useRef(connection);
  latest.current = connection;
  const contract = connection?.chain?.deployment.contract;
  const reload = useCallback(
    async (signal = new AbortController().signal) => {
      const now = latest.current;
      if (!now?.chain || address === undefined) return;
      try {
        const next = await loadAccount(now.entry.url, now.chain, address, signal);
        if (signal.aborted) return;
        setAccount(next);
        setError(undefined);
      } catch (thrown) {
        if (!signal.aborted) setError(asError(thrown));
      }
    },
    [address],
  );
  useEffect(() => {
    setAccount(undefined);
    setError(undefined);
    if (contract === undefined || address === undefined) return;
    const controller = new AbortController();
    const look = () => void reload(controller.signal);
    look();
    const timer = setInterval(look, refreshMs);
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [contract, address, reload]);
  return { account, error, reload };
}
