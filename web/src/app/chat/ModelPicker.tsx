// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense, useEffect, useState } from "react";
import { fetchPools, type Pool } from "../../client/entries";
import { useConnection } from "../network/NetworkProvider";
import { countText } from "../ui/amounts";
import { hrefOf } from "../router/route";
import { Icon } from "../ui/Icon";
import { Sheet } from "../ui/Sheet";

const NetworkSheet = lazy(() => import("../network/NetworkSheet"));

/** The model that is asked; which others there are, and how to get to them. */
export function ModelPicker() {
  const { network } = useConnection();
  const [isOpen, setOpen] = useState(false);
  const [isNaming, setNaming] = useState(false);
  if (network === undefined) return null;
  return (
    <>
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
        className="btn btn-plain btn-small max-w-48 text-soft"
      >
        <span className="sr-only">Model: </span>
        <span className="truncate">{network.model.name}</span>
        <Icon name="chevron" className="size-4 rotate-90" />
      </button>
      <Sheet title="Model" side="centre" isOpen={isOpen} onClose={() => setOpen(false)}>
        <Choices
          onName={() => {
            setOpen(false);
            setNaming(true);
          }}
        />
      </Sheet>
      {isNaming ? (
        <Suspense>
          <NetworkSheet isOpen onClose={() => setNaming(false)} />
        </Suspense>
      ) : null}
    </>
  );
}

function usePools(url: string | undefined): readonly Pool[] | undefined {
  const [pools, setPools] = useState<readonly Pool[]>();
  useEffect(() => {
    if (url === undefined) return;
    const controller = new AbortController();
    fetchPools(url, { signal: controller.signal }).then(
      (list) => setPools(list.pools),
      () => setPools([]),
    );
    return () => controller.abort();
  }, [url]);
  return pools;
}

function Choices({ onName }: { onName: () => void }) {
  const { network, connection } = useConnection();
  const pools = usePools(connection?.entries.preferred);
  if (network === undefined) return null;
  const { model, chain } = network;
  const others = (pools ?? []).filter((pool) => pool.isOpen && pool.pool !== chain?.pool);
  return (
    <div className="space-y-4 text-sm">
      <div className="rounded-xl border border-ink p-3">
        <p className="font-medium">{model.name}</p>
        <p className="text-soft">
          {model.layers} layers in {model.shards.length}{" "}
          {model.shards.length === 1 ? "shard" : "shards"}
          {chain ? `, pool ${chain.pool}` : ", free"}
        </p>
      </div>
      {others.length === 0 ? (
        <p className="text-soft">
          {chain && pools === undefined
            ? "Looking for other pools."
            : "This entry knows of no other model."}
        </p>
      ) : (
        <ul className="max-h-64 space-y-2 overflow-y-auto">
          {others.map((pool) => (
            <li key={String(pool.pool)} className="rounded-xl border border-line p-3">
              <p className="font-medium">Pool {String(pool.pool)}</p>
              <p className="text-soft">
                {pool.slots.length} slots, {countText(pool.prices.prompt)} and{" "}
                {countText(pool.prices.completion)} credits a token
              </p>
            </li>
          ))}
        </ul>
      )}
      <p className="text-soft">
        An entry serves one model. To ask another one, connect to an entry of its pool.
      </p>
      <div className="flex flex-wrap gap-2">
        <button type="button" onClick={onName} className="btn btn-quiet">
          Connect to another entry
        </button>
        <a href={hrefOf("models")} className="btn btn-plain">
          All models
        </a>
      </div>
    </div>
  );
}
