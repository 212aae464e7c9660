// SPDX-License-Identifier: Apache-2.0
import { ethText } from "./amounts";
import { countText } from "../ui/amounts";
import type { PoolView } from "./poolView";

/** Tokens that prices are told for. */
export const tokensPriced = 1000n;

interface Props {
  prices: PoolView["prices"];
  weiPerCredit: bigint | undefined;
}

/** For 1,000 tokens of prompts and of answers, in credits and in ETH. */
export function PoolPrice({ prices, weiPerCredit }: Props) {
  if (!prices) return <span className="text-sm">Free</span>;
  const rows = [
    ["prompt", prices.prompt * tokensPriced],
    ["answer", prices.completion * tokensPriced],
  ] as const;
  return (
    <dl className="grid grid-cols-[auto_auto_1fr] gap-x-2 text-sm tabular-nums">
      {rows.map(([name, credits]) => (
        <div key={name} className="contents">
          <dt className="text-faint">{name}</dt>
          <dd className="text-right whitespace-nowrap">
            {countText(credits)}
            <span className="sr-only"> credits</span>
          </dd>
          {/* Its place is kept until the price of a credit is known. */}
          <dd className="min-w-28 text-xs leading-5 whitespace-nowrap text-faint">
            {weiPerCredit === undefined ? "" : ethText(credits * weiPerCredit)}
          </dd>
        </div>
      ))}
    </dl>
  );
}
