// SPDX-License-Identifier: Apache-2.0
import { useMemo } from "react";
import type { Address, Hex, TransactionReceipt } from "viem";
import { fail } from "../../base/error";
import type { ContractCall } from "../../chain/calls";
import { useWallet, type SendOptions, type WalletChoice } from "./wallet";

/** What pages need of the user's wallet that send transactions. */
export interface AccountAndSend {
  /** undefined until a wallet is connected. */
  readonly address: Address | undefined;
  /** Those that the browser has. */
  readonly wallets: readonly WalletChoice[];
  /** Of one wallet, or the first. Errors: `not_found`, `cancelled`. */
  connect(walletId?: string): Promise<void>;
  /**
   * Has the wallet sign and send a transaction on the network's chain, to which it is switched; its
   * receipt when it is in a block. Errors: those of explainChainError, `call_reverted`.
   */
  send(call: ContractCall, options?: SendOptions): Promise<TransactionReceipt>;
  /** The wallet's signature over a text (EIP-191). Errors: those of explainChainError. */
  signMessage(message: string): Promise<Hex>;
}

const noWalletWords =
  "this browser has no wallet: install one that is an extension (EIP-6963), and load the page again";

export function useAccountAndSend(): AccountAndSend {
  const wallet = useWallet();
  return useMemo(
    () => ({
      address: wallet.address,
      wallets: wallet.choices,
      connect: async (id) =>
        wallet.connect(id ?? wallet.choices[0]?.id ?? fail("not_found", noWalletWords)),
      send: async (call, options) => {
        if (wallet.isWrongChain) await wallet.switchChain();
        return wallet.send(call, options);
      },
      signMessage: (message) => wallet.signMessage(message),
    }),
    [wallet],
  );
}
