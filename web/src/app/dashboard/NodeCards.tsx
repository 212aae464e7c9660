// SPDX-License-Identifier: Apache-2.0
import { isSameAddress, type Deployment } from "../../chain/deployment";
import { leaveNodeCall } from "../../chain/calls";
import type { Network, NetworkNode } from "../../client/entries";
import { hrefOf } from "../router/route";
import { CopyButton } from "../ui/CopyButton";
import { shareText, whenText } from "./amounts";
import { countText, timeText } from "../ui/amounts";
import type { HostNode } from "./load";
import { usageSeries } from "./series";
import { TransactionButton } from "./TransactionButton";

/** What this entry has seen of a node that the contract has. */
export function seenOf(network: Network | undefined, node: HostNode): NetworkNode | undefined {
  const key = node.receiptKey.toLowerCase();
  return network?.nodes.find(
    (one) =>
      (one.receiptKey !== undefined && isSameAddress(one.receiptKey, key)) ||
      `0x${one.node.toLowerCase()}` === key,
  );
}

interface Props {
  nodes: readonly HostNode[];
  network: Network | undefined;
  deployment: Deployment;
  now: number;
  /** Its wallet is connected. */
  isOwn: boolean;
  onChange: () => Promise<void>;
}

export function NodeCards({ nodes, network, deployment, now, isOwn, onChange }: Props) {
  return (
    <ul className="grid gap-4 md:grid-cols-2">
      {nodes.map((node) => (
        <NodeCard
          key={String(node.id)}
          node={node}
          seen={seenOf(network, node)}
          deployment={deployment}
          now={now}
          isOwn={isOwn}
          onChange={onChange}
        />
      ))}
    </ul>
  );
}

interface CardProps extends Omit<Props, "nodes" | "network"> {
  node: HostNode;
  seen: NetworkNode | undefined;
}

/** Nodes renew their evidence, which as a rule holds for a day, at half of its life. */
const soonSeconds = 6 * 3600;

function stateOf(node: HostNode, now: number): { look: string; words: string } {
  if (node.left) return { look: "bg-raised text-soft", words: "has left" };
  if (node.expiry <= now)
    return { look: "bg-failed-soft text-failed", words: "evidence has expired" };
  if (!node.isLive) return { look: "bg-failed-soft text-failed", words: "its code was revoked" };
  if (node.expiry - now < soonSeconds) {
    return { look: "bg-simulated-soft text-simulated", words: "live, evidence ends soon" };
  }
  return { look: "bg-verified-soft text-verified", words: "live" };
}

function NodeCard({ node, seen, deployment, now, isOwn, onChange }: CardProps) {
  const { look, words } = stateOf(node, now);
  const usage = seen?.history && usageSeries([seen.history]);
  return (
    <li data-node={String(node.id)} className="card min-w-0 p-4">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="font-semibold">Node {String(node.id)}</h3>
        <span className={`rounded-full px-2.5 py-0.5 text-xs font-medium ${look}`}>{words}</span>
      </div>
      <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-sm">
        <dt className="text-soft">pool, slot</dt>
        <dd>
          <a href={hrefOf("models")} className="text-link underline">
            {String(node.pool)}
          </a>
          , {node.slot}
          {node.layers === undefined ? "" : ` (layers ${node.layers[0]} to ${node.layers[1]})`}
        </dd>
        <dt className="text-soft">evidence</dt>
        <dd>
          until {timeText(node.expiry)},{" "}
          <span className="tabular-nums">{whenText(node.expiry, now)}</span>
        </dd>
        <dt className="text-soft">receipt key</dt>
        <dd className="flex min-w-0 items-center gap-1">
          <code className="truncate text-xs">{node.receiptKey}</code>
          <CopyButton text={node.receiptKey} label={`Copy the receipt key of node ${node.id}`} />
        </dd>
        {node.endpoint === "" ? null : (
          <>
            <dt className="text-soft">endpoint</dt>
            <dd className="break-all">{node.endpoint}</dd>
          </>
        )}
        <dt className="text-soft">uptime</dt>
        <dd>
          {usage === undefined || usage.probes === 0
            ? "this entry has not measured it"
            : `${shareText(usage.answered, usage.probes)}, ${countText(usage.answered)} of ${countText(usage.probes)} probes`}
        </dd>
        <dt className="text-soft">tokens</dt>
        <dd>{usage === undefined ? "none seen by this entry" : countText(usage.tokensInAll)}</dd>
      </dl>
      {isOwn && !node.left ? (
        <div className="mt-3">
          <TransactionButton
            label={`Let node ${node.id} leave`}
            call={() => leaveNodeCall(deployment, node.id)}
            onDone={onChange}
            confirm={
              <p>
                A node that left does not come back: its key is spent. It takes no more prompts;
                what it has computed can still be settled for a week.
              </p>
            }
          />
        </div>
      ) : null}
    </li>
  );
}
