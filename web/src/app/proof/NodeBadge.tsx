// SPDX-License-Identifier: Apache-2.0
import { shortHex, type ShownTrust } from "./proof";

const looks: Record<ShownTrust, { look: string; label: string; sign: string }> = {
  checking: { look: "border-line text-soft", label: "checking", sign: "…" },
  verified: {
    look: "border-transparent bg-verified-soft text-verified",
    label: "verified",
    sign: "✓",
  },
  attested: { look: "border-line text-ink", label: "attested", sign: "✓" },
  simulated: {
    look: "border-transparent bg-simulated-soft text-simulated",
    label: "SIMULATED",
    sign: "S",
  },
  failed: { look: "border-transparent bg-failed-soft text-failed", label: "failed", sign: "✕" },
  unknown: { look: "border-line text-soft border-dashed", label: "not checked", sign: "?" },
};

interface Props {
  /** The node's id, hex. */
  node: string;
  layers?: readonly [number, number];
  trust: ShownTrust;
  /** False: it does not answer now. */
  isLive?: boolean;
}

/** A node in a line: what is known of it, its id, its layers. Says by words what it says by colour. */
export function NodeBadge({ node, layers, trust, isLive = true }: Props) {
  const { look, label, sign } = looks[trust];
  return (
    <span
      title={node}
      className={`inline-flex max-w-full items-center gap-1.5 rounded-full border px-2.5 py-0.5 text-xs ${look}`}
    >
      <span aria-hidden="true" className="font-semibold">
        {sign}
      </span>
      <span className="truncate font-mono">{shortHex(node)}</span>
      {layers === undefined ? null : (
        <span className="whitespace-nowrap tabular-nums">
          <span className="sr-only">layers </span>
          {layers[0]}–{layers[1]}
        </span>
      )}
      <span className={trust === "simulated" ? "font-semibold" : "sr-only"}>{label}</span>
      {isLive ? null : <span className="text-soft">away</span>}
    </span>
  );
}
