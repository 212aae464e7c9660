// SPDX-License-Identifier: Apache-2.0
import { useConnection } from "../network/NetworkProvider";
import { chainWords } from "../network/yardstick";
import { CopyButton } from "../ui/CopyButton";

/** Nothing is paid and nothing is signed while it is not. */
export function useIsPayeeKnown(): boolean {
  return useConnection().connection?.chain !== undefined;
}

/** Where money goes, before it goes: the wallet shows an address, and this is whose it is. */
export function PaidTo() {
  const { connection, settings } = useConnection();
  const { chain } = connection ?? {};
  if (!chain) {
    return (
      <p role="status" className="rounded-xl bg-raised px-4 py-3 text-sm text-soft">
        Waiting for the network: what you would pay to is not known.
      </p>
    );
  }
  const { deployment, pool } = chain;
  return (
    <dl
      aria-label="Paid to"
      className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-1 rounded-xl bg-raised px-4 py-3 text-xs"
    >
      <dt className="text-faint">Contract</dt>
      <dd className="min-w-0 font-mono break-all">
        {deployment.contract}{" "}
        <CopyButton text={deployment.contract} label="Copy the contract's address" inLine />
      </dd>
      <dt className="text-faint">Chain</dt>
      <dd>{chainWords(chain)}</dd>
      <dt className="text-faint">Pool</dt>
      <dd>{pool.toString()}</dd>
      <dt className="text-faint">Named by</dt>
      <dd>
        {settings.pool
          ? "you, in the network's settings"
          : "the entry: compare it with a place that you trust, and set it behind the badge above"}
      </dd>
    </dl>
  );
}
