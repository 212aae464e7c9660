// SPDX-License-Identifier: Apache-2.0
import { useId, useState, type ReactNode } from "react";
import { navigate, useRoute } from "../router/useRoute";
import { hrefOf } from "../router/route";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { PageFrame } from "../ui/PageFrame";
import {
  nextOrder,
  type PoolOrder,
  type PoolSearch,
  searchPools,
  type SortKey,
  sortPools,
} from "../pools/poolOrder";
import { PoolCards, PoolTable, sortLabels } from "../pools/PoolTable";
import type { PoolView } from "../pools/poolView";
import { useIsWide } from "../pools/useIsWide";
import { type PoolsState, usePools } from "../pools/usePools";

export default function ModelsPage() {
  const state = usePools();
  return (
    <PageFrame
      title="Models"
      intro="Every model that is offered, what its tokens cost, and how well each of its shards is served."
    >
      <ModelsContent state={state} />
    </PageFrame>
  );
}

function ModelsContent({ state }: { state: PoolsState }) {
  const { views, error, retry } = state;
  if (views === undefined && error) {
    return (
      <EmptyState
        icon="alert"
        title="The models are not known"
        actions={
          <button type="button" onClick={retry} className="btn btn-solid">
            <Icon name="retry" className="size-4" />
            Try again
          </button>
        }
      >
        No entry could tell of them: {error.detail}. Is the entry running, and this device online?
      </EmptyState>
    );
  }
  if (views === undefined) return <Loading />;
  if (views.length === 0) {
    return (
      <EmptyState icon="list" title="There are no pools yet">
        The contract of this network has no pool. A model owner makes one with{" "}
        <code className="font-mono">teetee pool create</code>.
      </EmptyState>
    );
  }
  return <ModelsList state={state} views={views} />;
}

/** Rows of about the height that they will have. */
function Loading() {
  return (
    <div role="status">
      <span className="sr-only">Asking the entry for its models</span>
      <div aria-hidden="true" className="space-y-3 motion-safe:animate-pulse">
        <div className="h-10 max-w-xs rounded-xl bg-raised" />
        {[0, 1].map((row) => (
          <div key={row} className="h-24 rounded-xl bg-raised" />
        ))}
      </div>
    </div>
  );
}

function ModelsList({ state, views }: { state: PoolsState; views: readonly PoolView[] }) {
  const { rest } = useRoute();
  const isWide = useIsWide("60rem");
  const [search, setSearch] = useState<PoolSearch>({ words: "", isOpenOnly: false });
  const [order, setOrder] = useState<PoolOrder>({ key: "slots", isDescending: true });
  const shown = sortPools(searchPools(views, search), order);
  const open = rest[0];
  const list = {
    views: shown,
    open,
    onOpen: (key: string | undefined) => navigate("models", key ? [key] : [], {}, true),
    weiPerCredit: state.weiPerCredit,
  };
  return (
    <>
      <Controls search={search} onSearch={setSearch}>
        {isWide ? null : <SortSelect order={order} onOrder={setOrder} />}
      </Controls>
      <Standing state={state} shown={shown.length} all={views.length} />
      {shown.length === 0 ? (
        <EmptyState icon="search" title="No model is like that">
          Names, model roots, creators and numbers of pools are searched. Try fewer words.
        </EmptyState>
      ) : isWide ? (
        <PoolTable {...list} order={order} onOrder={setOrder} />
      ) : (
        <PoolCards {...list} />
      )}
      <p className="mt-8 text-sm text-faint">
        You can earn with a TEE of yours:{" "}
        <a href={hrefOf("contribute")} className="text-link underline underline-offset-2">
          host a shard
        </a>
        .
      </p>
    </>
  );
}

interface ControlsProps {
  search: PoolSearch;
  onSearch: (search: PoolSearch) => void;
  children: ReactNode;
}

function Controls({ search, onSearch, children }: ControlsProps) {
  const id = useId();
  return (
    <div role="search" className="flex flex-wrap items-center gap-x-4 gap-y-3">
      <label htmlFor={id} className="sr-only">
        Search models
      </label>
      <input
        id={id}
        type="search"
        value={search.words}
        placeholder="Search models"
        autoComplete="off"
        onChange={(event) => onSearch({ ...search, words: event.target.value })}
        className="field max-w-xs"
      />
      <label className="flex min-h-10 cursor-pointer items-center gap-2 text-sm">
        <input
          type="checkbox"
          checked={search.isOpenOnly}
          onChange={(event) => onSearch({ ...search, isOpenOnly: event.target.checked })}
          className="size-4 accent-current"
        />
        Only those open to new nodes
      </label>
      {children}
    </div>
  );
}

interface SortProps {
  order: PoolOrder;
  onOrder: (order: PoolOrder) => void;
}

function SortSelect({ order, onOrder }: SortProps) {
  const id = useId();
  return (
    <div className="flex items-center gap-2 text-sm">
      <label htmlFor={id}>Sort by</label>
      <select
        id={id}
        value={order.key}
        onChange={(event) => {
          const key = event.target.value as SortKey;
          if (key !== order.key) onOrder(nextOrder(order, key));
        }}
        className="field w-auto"
      >
        {sortLabels.map(({ key, label }) => (
          <option key={key} value={key}>
            {label}
          </option>
        ))}
      </select>
      <button
        type="button"
        onClick={() => onOrder(nextOrder(order, order.key))}
        className="btn btn-icon"
      >
        <Icon name="arrowDown" className={order.isDescending ? "" : "rotate-180"} />
        <span className="sr-only">
          {order.isDescending ? "Highest first; turn round" : "Lowest first; turn round"}
        </span>
      </button>
    </div>
  );
}

/** How many are shown, and how far they are checked; one line that is always there. */
function Standing({ state, shown, all }: { state: PoolsState; shown: number; all: number }) {
  const { done, calls, error } = state;
  const isChecking = done < calls;
  return (
    <div className="mt-3 mb-2 flex min-h-8 flex-wrap items-center gap-x-4 text-sm text-soft">
      <p role="status">
        {shown === all ? `${all} ${all === 1 ? "model" : "models"}` : `${shown} of ${all} models`}
        {calls > 0 && !isChecking ? ", each held against the contract" : ""}
      </p>
      {isChecking ? (
        <label className="flex items-center gap-2">
          <progress max={calls} value={done} className="h-1.5 w-28" />
          <span className="tabular-nums">
            {done} of {calls} calls to the contract
          </span>
        </label>
      ) : null}
      {error ? (
        <p className="text-failed">
          Not up to date: {error.detail}{" "}
          <button
            type="button"
            onClick={state.retry}
            className="font-medium underline underline-offset-2"
          >
            Try again
          </button>
        </p>
      ) : null}
    </div>
  );
}
