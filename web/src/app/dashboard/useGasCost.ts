// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import type { Address } from "viem";
import { estimateGas, getGasPrice } from "viem/actions";
import type { ContractCall } from "../../chain/calls";
import type { ConnectedChain } from "../network/connection";

/**
 * What a transaction would cost now, wei, where the chain tells; without what rollups take for
 * publishing. `key` says when it is asked for anew; "" for never.
 */
export function useGasCost(
  chain: ConnectedChain,
  from: Address,
  key: string,
  call: () => ContractCall,
): bigint | undefined {
  const [cost, setCost] = useState<bigint>();
  useEffect(() => {
    setCost(undefined);
    if (key === "") return;
    let isGone = false;
    const { client } = chain.reader;
    const { to, data, value } = call();
    Promise.all([
      estimateGas(client, { account: from, to, data, value }),
      getGasPrice(client),
    ]).then(
      ([gas, price]) => {
        if (!isGone) setCost(gas * price);
      },
      () => {
        // The contract says why when it is tried.
      },
    );
    return () => {
      isGone = true;
    };
  }, [key, from]);
  return cost;
}
