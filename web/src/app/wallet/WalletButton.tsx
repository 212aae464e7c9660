// SPDX-License-Identifier: Apache-2.0
import { Icon } from "../ui/Icon";
import { shortAddress, useWallet } from "./wallet";

/** In the header: connects a wallet, or says which one is connected and whether its chain is right. */
export function WalletButton() {
  const { phase, address, isWrongChain, open } = useWallet();
  if (phase === "absent") return null;
  const isBusy = phase === "loading" || phase === "connecting";
  const look = isWrongChain ? "border-failed text-failed" : "";
  return (
    <button
      type="button"
      onClick={open}
      aria-haspopup="dialog"
      aria-busy={isBusy}
      className={`btn btn-quiet btn-small min-w-36 ${look}`}
    >
      <Icon name={isWrongChain ? "alert" : "wallet"} className="size-4" />
      {address === undefined ? (
        isBusy ? (
          "Connecting"
        ) : (
          "Connect wallet"
        )
      ) : (
        <span>
          <span className="sr-only">{isWrongChain ? "Wrong network. " : ""}Wallet </span>
          <span className="font-mono">{shortAddress(address)}</span>
        </span>
      )}
    </button>
  );
}
