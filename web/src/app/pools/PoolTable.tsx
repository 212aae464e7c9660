// SPDX-License-Identifier: Apache-2.0
import { Fragment, useId, type ReactNode } from "react";
import { Icon } from "../ui/Icon";
import { feeText, rateText } from "./amounts";
import { nextOrder, type PoolOrder, type SortKey } from "./poolOrder";
import { PoolDetails } from "./PoolDetails";
import { PoolPrice } from "./PoolPrice";
import { titleOf, type PoolView } from "./poolView";
import { ShortValue } from "./ShortValue";
import { SlotBars } from "./SlotBars";
import { ChainMark, TrustMark } from "./TrustMark";

interface Props {
  views: readonly PoolView[];
  order: PoolOrder;
  onOrder: (order: PoolOrder) => void;
  /** The key of the pool whose details are open. */
  open: string | undefined;
  onOpen: (key: string | undefined) => void;
  weiPerCredit: bigint | undefined;
}

const columns: readonly { key: SortKey; label: string; note: string }[] = [
  { key: "name", label: "Model", note: "" },
  { key: "price", label: "Price", note: "credits per 1,000 tokens" },
  { key: "slots", label: "Slots", note: "with live nodes" },
  { key: "speed", label: "Throughput", note: "tokens/s" },
  { key: "trust", label: "Trust", note: "" },
  { key: "fee", label: "Creator", note: "fee" },
];

/** What columns are called where there is no room for them. */
export const sortLabels: readonly { key: SortKey; label: string }[] = columns.map(
  ({ key, label }) => ({ key, label: key === "fee" ? "Fee" : label }),
);

/** The pools, a row each, sorted by the heads of its columns; a row opens to all that is known. */
export function PoolTable({ views, order, onOrder, open, onOpen, weiPerCredit }: Props) {
  return (
    <table className="w-full border-separate border-spacing-0 text-left">
      <caption className="sr-only">Models on offer; the heads of columns sort</caption>
      <thead>
        <tr>
          {columns.map(({ key, label, note }) => (
            <Head
              key={key}
              sortKey={key}
              label={label}
              note={note}
              order={order}
              onOrder={onOrder}
            />
          ))}
          <th scope="col" className="border-b border-line">
            <span className="sr-only">Details</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {views.map((view) => (
          <PoolRow
            key={view.key}
            view={view}
            isOpen={open === view.key}
            onOpen={onOpen}
            weiPerCredit={weiPerCredit}
          />
        ))}
      </tbody>
    </table>
  );
}

interface HeadProps {
  sortKey: SortKey;
  label: string;
  note: string;
  order: PoolOrder;
  onOrder: Props["onOrder"];
}

function Head({ sortKey, label, note, order, onOrder }: HeadProps) {
  const isSorted = order.key === sortKey;
  const direction = order.isDescending ? "descending" : "ascending";
  return (
    <th
      scope="col"
      aria-sort={isSorted ? direction : "none"}
      className="border-b border-line px-1 pb-1 align-bottom font-normal"
    >
      <button
        type="button"
        onClick={() => onOrder(nextOrder(order, sortKey))}
        className="flex items-end gap-1 rounded-lg px-2 py-1.5 text-left text-sm hover:bg-raised"
      >
        <span>
          <span className="font-medium">{label}</span>
          {note === "" ? null : <span className="block text-xs text-faint">{note}</span>}
        </span>
        <Icon
          name="arrowDown"
          className={`size-4 ${isSorted ? "" : "invisible"} ${
            isSorted && !order.isDescending ? "rotate-180" : ""
          }`}
        />
      </button>
    </th>
  );
}

interface RowProps {
  view: PoolView;
  isOpen: boolean;
  onOpen: Props["onOpen"];
  weiPerCredit: bigint | undefined;
}

function PoolRow({ view, isOpen, onOpen, weiPerCredit }: RowProps) {
  const detailsId = useId();
  const cell = `px-3 py-3 align-top ${isOpen ? "" : "border-b border-line"}`;
  return (
    <Fragment>
      <tr>
        <th scope="row" className={`${cell} font-normal`}>
          <PoolName view={view} />
        </th>
        <td className={cell}>
          <PoolPrice prices={view.prices} weiPerCredit={weiPerCredit} />
        </td>
        <td className={cell}>
          <SlotBars slots={view.slots} filled={view.filled} />
        </td>
        <td className={`${cell} text-sm tabular-nums`}>
          <Speed view={view} />
        </td>
        <td className={cell}>
          <TrustMark trust={view.trust} />
        </td>
        <td className={`${cell} text-sm`}>
          <Creator view={view} />
        </td>
        <td className={`${cell} text-right`}>
          <DetailsButton view={view} isOpen={isOpen} onOpen={onOpen} controls={detailsId} />
        </td>
      </tr>
      {isOpen ? (
        <tr id={detailsId}>
          <td colSpan={columns.length + 1} className="border-b border-line">
            <div className="mb-4 rounded-2xl bg-sunken">
              <PoolDetails view={view} />
            </div>
          </td>
        </tr>
      ) : null}
    </Fragment>
  );
}

function PoolName({ view }: { view: PoolView }) {
  return (
    <div className="min-w-40">
      <span className="font-semibold break-words">{titleOf(view)}</span>
      <span className="mt-0.5 flex flex-wrap items-center gap-x-3 text-xs text-faint">
        {view.pool === undefined ? "no chain" : `pool ${view.pool}`}
        {view.isOpen ? null : <span className="font-medium text-soft">closed to new nodes</span>}
        {view.isConnected ? <span className="text-soft">connected</span> : null}
      </span>
      {view.check === undefined ? null : <ChainMark check={view.check} />}
    </div>
  );
}

function Speed({ view }: { view: PoolView }) {
  if (view.throughput === undefined) return <span className="text-faint">not measured</span>;
  return (
    <span title="All answers of this entry over the last minutes">
      {rateText(view.throughput.lately)}
      <span className="sr-only"> tokens a second</span>
    </span>
  );
}

function Creator({ view }: { view: PoolView }) {
  if (view.terms === undefined) return <span className="text-faint">none</span>;
  return (
    <>
      <ShortValue value={view.terms.creator} what="the creator's address" />
      <span className="block text-xs text-faint">{feeText(view.terms.feeBps)} fee</span>
    </>
  );
}

interface DetailsButtonProps {
  view: PoolView;
  isOpen: boolean;
  onOpen: Props["onOpen"];
  controls: string;
}

function DetailsButton({ view, isOpen, onOpen, controls }: DetailsButtonProps) {
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      aria-controls={isOpen ? controls : undefined}
      onClick={() => onOpen(isOpen ? undefined : view.key)}
      className="btn btn-quiet btn-small"
    >
      Details
      <span className="sr-only"> of {titleOf(view)}</span>
      <Icon
        name="chevron"
        className={`size-4 transition-transform ${isOpen ? "-rotate-90" : "rotate-90"}`}
      />
    </button>
  );
}

/** The same as cards, one below the other, for narrow windows. */
export function PoolCards({ views, open, onOpen, weiPerCredit }: Omit<Props, "order" | "onOrder">) {
  return (
    <ul className="space-y-4" aria-label="Models on offer">
      {views.map((view) => (
        <PoolCard
          key={view.key}
          view={view}
          isOpen={open === view.key}
          onOpen={onOpen}
          weiPerCredit={weiPerCredit}
        />
      ))}
    </ul>
  );
}

function PoolCard({ view, isOpen, onOpen, weiPerCredit }: RowProps) {
  const detailsId = useId();
  return (
    <li className="card overflow-hidden">
      <div className="space-y-4 p-4">
        <div className="flex items-start justify-between gap-3">
          <PoolName view={view} />
          <TrustMark trust={view.trust} />
        </div>
        <dl className="space-y-3">
          <CardLine name="Credits per 1,000 tokens">
            <PoolPrice prices={view.prices} weiPerCredit={weiPerCredit} />
          </CardLine>
          <CardLine name="Slots">
            <SlotBars slots={view.slots} filled={view.filled} />
          </CardLine>
          <CardLine name="Tokens/s">
            <Speed view={view} />
          </CardLine>
          <CardLine name="Creator, fee">
            <Creator view={view} />
          </CardLine>
        </dl>
        <DetailsButton view={view} isOpen={isOpen} onOpen={onOpen} controls={detailsId} />
      </div>
      {isOpen ? (
        <div id={detailsId} className="border-t border-line bg-sunken">
          <PoolDetails view={view} />
        </div>
      ) : null}
    </li>
  );
}

function CardLine({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[7rem_1fr] gap-x-3">
      <dt className="text-sm text-faint">{name}</dt>
      <dd className="min-w-0 text-sm">{children}</dd>
    </div>
  );
}
