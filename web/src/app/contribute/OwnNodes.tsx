// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import type { Address } from "viem";
import {
  type ChainReader,
  type NodeInfo,
  readHostNodes,
  readIsLive,
  readNode,
} from "../../chain/reads";
import { whenText } from "../pools/amounts";
import { timeText } from "../ui/amounts";

interface OwnNode extends NodeInfo {
  readonly node: bigint;
  readonly isLive: boolean;
}

const shownMax = 16;

async function readOwn(reader: ChainReader, pool: bigint, host: Address): Promise<OwnNode[]> {
  const numbers = await readHostNodes(reader, pool, host);
  const newest = numbers.slice(-shownMax);
  const nodes = await Promise.all(
    newest.map(async (node) => {
      const [info, isLive] = await Promise.all([readNode(reader, node), readIsLive(reader, node)]);
      return { ...info, node, isLive };
    }),
  );
  return nodes.filter((node) => !node.left).reverse();
}

interface Props {
  reader: ChainReader;
  pool: bigint;
  host: Address;
  /** Counts up when they are to be read anew. */
  round: number;
  onRenew: (slot: number) => void;
}

/** The wallet's nodes in this pool, with how long their evidence lasts. */
export function OwnNodes({ reader, pool, host, round, onRenew }: Props) {
  const [nodes, setNodes] = useState<readonly OwnNode[]>([]);
  useEffect(() => {
    let isOver = false;
    readOwn(reader, pool, host).then(
      (read) => {
        if (!isOver) setNodes(read);
      },
      // Registering does not depend on it, and says itself what is wrong with the chain.
      () => {
        if (!isOver) setNodes([]);
      },
    );
    return () => {
      isOver = true;
    };
  }, [reader, pool, host, round]);
  if (nodes.length === 0) return null;
  const now = Math.floor(Date.now() / 1000);
  return (
    <section aria-label="Your nodes in this pool" className="rounded-xl border border-line">
      <h3 className="px-4 pt-3 text-sm font-semibold">Your nodes in this pool</h3>
      <ul className="divide-y divide-line">
        {nodes.map(({ node, slot, expiry, isLive }) => (
          <li
            key={node.toString()}
            className="flex flex-wrap items-center gap-x-3 px-4 py-2 text-sm"
          >
            <span className="font-medium">Node {node.toString()}</span>
            <span className="text-soft">slot {slot}</span>
            <span className={isLive ? "text-soft" : "text-failed"}>
              {isLive ? "live" : "not live"}
            </span>
            <span className="text-soft" title={timeText(expiry)}>
              evidence {expiry > now ? "ends" : "ended"} {whenText(expiry, now)}
            </span>
            <button
              type="button"
              onClick={() => onRenew(slot)}
              className="btn btn-plain btn-small ml-auto text-link"
            >
              Renew
              <span className="sr-only"> node {node.toString()}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
