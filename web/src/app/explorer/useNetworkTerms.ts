// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import { asError, type TeeTeeError } from "../../base/error";
import type { Connection } from "../network/connection";
import { useConnection } from "../network/NetworkProvider";
import { yardstickOf } from "../network/yardstick";
import type { NetworkTermsInput } from "./views";

export interface TermsState {
  readonly terms: NetworkTermsInput | undefined;
  readonly error: TeeTeeError | undefined;
}

async function fetchTerms(connection: Connection, signal: AbortSignal): Promise<NetworkTermsInput> {
  const [{ fetchBytes }, { collateralBytesMax }, { fromHex }] = await Promise.all([
    import("../../client/fetchJson"),
    import("../../client/limits"),
    import("../../base/bytes"),
  ]);
  const { terms, network, chain, entry } = connection;
  const url = `${entry.url}/v1/collateral`;
  const answer = await fetchBytes(url, collateralBytesMax, { signal });
  const deployment = chain?.deployment;
  const yardstick = yardstickOf(connection);
  return {
    name: network.model.name || "the connected network",
    manifest: terms.manifest,
    policy: terms.policy,
    // An entry that hands out none may do well without: the checks say what they lack.
    collateral: answer.status === 200 ? answer.bytes : new Uint8Array(0),
    chainId: BigInt(deployment?.chainId ?? 0),
    contract: deployment ? fromHex(deployment.contract.slice(2)) : new Uint8Array(20),
    pool: chain?.pool ?? 0n,
    unpinned: yardstick.isOwn ? "" : yardstick.words,
  };
}

/** What the connected network holds evidence against; fetched once `isWanted`. */
export function useNetworkTerms(isWanted: boolean): TermsState {
  const { connection } = useConnection();
  const [state, setState] = useState<TermsState>({ terms: undefined, error: undefined });
  const key = connection?.terms;
  useEffect(() => {
    if (connection === undefined || !isWanted) return;
    const controller = new AbortController();
    const load = () =>
      fetchTerms(connection, controller.signal).then(
        (terms) => setState({ terms, error: undefined }),
        (thrown: unknown) => {
          if (!controller.signal.aborted) setState({ terms: undefined, error: asError(thrown) });
        },
      );
    void load();
    return () => controller.abort();
    // The connection is another object each time that the network is looked at; its terms are not.
  }, [key, isWanted]);
  return state;
}
