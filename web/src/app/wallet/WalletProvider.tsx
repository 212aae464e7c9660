// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { fail } from "../../base/error";
import type { ConnectedChain } from "../network/connection";
import { useConnection } from "../network/NetworkProvider";
import { WalletContext, type Wallet, type WalletActions, type WalletState } from "./wallet";
import type { WagmiWallet } from "./wagmiWallet";

const WalletSheet = lazy(() => import("./WalletSheet"));

const nothing: WalletState = { phase: "absent", choices: [], isWrongChain: false };

/** The chain of the network, kept while the network is away for a moment. */
function useChain(): ConnectedChain | undefined {
  const { connection, network } = useConnection();
  const known = useRef<ConnectedChain>(undefined);
  if (connection) known.current = connection.chain;
  else if (network && !network.chain) known.current = undefined;
  return known.current;
}

/** What the wallet depends on; a chain that was read anew is the same one. */
function keyOf(chain: ConnectedChain | undefined): string {
  if (!chain) return "";
  return [chain.deployment.chainId, chain.deployment.contract, ...chain.rpcUrls].join(" ");
}

export function WalletProvider({ children }: { children: ReactNode }) {
  const chain = useChain();
  const key = keyOf(chain);
  const [state, setState] = useState<WalletState>(nothing);
  const [isOpen, setOpen] = useState(false);
  const running = useRef<WagmiWallet>(undefined);
  useEffect(() => {
    if (!chain) return setState(nothing);
    setState({ ...nothing, phase: "loading" });
    let isOver = false;
    void import("./wagmiWallet").then(async ({ WagmiWallet }) => {
      const made = await WagmiWallet.make(chain, setState);
      if (isOver) return made.stop();
      running.current = made;
      await made.start();
    });
    return () => {
      isOver = true;
      running.current?.stop();
      running.current = undefined;
    };
    // Another object of the same chain changes nothing.
  }, [key]);
  const actions = useMemo((): WalletActions & Pick<Wallet, "open"> => {
    const wallet = () => running.current ?? fail("not_ready", "the wallet is not ready yet");
    return {
      connect: async (id) => wallet().connect(id),
      disconnect: async () => wallet().disconnect(),
      switchChain: async () => wallet().switchChain(),
      send: async (call, options) => wallet().send(call, options),
      signVoucher: async (typed) => wallet().signVoucher(typed),
      signMessage: async (message, from) => wallet().signMessage(message, from),
      open: () => setOpen(true),
    };
  }, []);
  const value = useMemo(() => ({ ...state, ...actions }), [state, actions]);
  return (
    <WalletContext value={value}>
      {children}
      {state.phase === "absent" ? null : (
        <Suspense>
          <WalletSheet isOpen={isOpen} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </WalletContext>
  );
}
