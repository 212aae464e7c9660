// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense, useState } from "react";
import { useNetwork, type NetworkTrust } from "../network/network";

const NetworkSheet = lazy(() => import("../network/NetworkSheet"));

const looks: Record<NetworkTrust, { label: string; words: string; look: string; dot: string }> = {
  offline: {
    label: "Offline",
    words: "No entry is connected.",
    look: "border-line text-soft",
    dot: "border border-current",
  },
  connecting: {
    label: "Checking",
    words: "The evidence of every node is being checked.",
    look: "border-line text-soft",
    dot: "bg-current motion-safe:animate-pulse",
  },
  verified: {
    label: "Verified",
    words: "This page has verified every node of the route against the pool that you have set.",
    look: "border-transparent bg-verified-soft text-verified",
    dot: "bg-current",
  },
  attested: {
    label: "Attested",
    words: "Every node shows its evidence. Which pool it is held against is the entry's own word.",
    look: "border-line text-ink",
    dot: "bg-current",
  },
  simulated: {
    label: "SIMULATED",
    words: "Every check passed, but the TEEs are simulated: they protect nothing.",
    look: "border-transparent bg-simulated-soft text-simulated font-semibold",
    dot: "bg-current",
  },
  refused: {
    label: "Refused",
    words: "A check failed. Nothing is sent to this network.",
    look: "border-transparent bg-failed-soft text-failed font-semibold",
    dot: "bg-current",
  },
};

/** What the page has found out about its network, in a word; who asks gets all of it. */
export function NetworkIndicator() {
  const network = useNetwork();
  const [isOpen, setOpen] = useState(false);
  const { label, words, look, dot } = looks[network.trust];
  return (
    <>
      <p role="status" className="sr-only">
        Network: {label}. {network.words ?? words}
      </p>
      <button
        type="button"
        aria-haspopup="dialog"
        title={network.words ?? words}
        onClick={() => setOpen(true)}
        className={`flex h-8 items-center gap-2 rounded-full border px-3 text-xs ${look}`}
      >
        <span className={`size-2 rounded-full ${dot}`} aria-hidden="true" />
        <span className="sr-only">Network: </span>
        {label}
      </button>
      {isOpen ? (
        <Suspense>
          <NetworkSheet isOpen onClose={() => setOpen(false)} />
        </Suspense>
      ) : null}
    </>
  );
}
