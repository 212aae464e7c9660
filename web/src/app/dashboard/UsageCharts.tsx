// SPDX-License-Identifier: Apache-2.0
import type { Network, NodeHistory } from "../../client/entries";
import { shareText, spanText } from "./amounts";
import { countText } from "../ui/amounts";
import { BarChart } from "./BarChart";
import type { HostNode } from "./load";
import { seenOf } from "./NodeCards";
import { usageSeries } from "./series";

interface Props {
  nodes: readonly HostNode[];
  network: Network | undefined;
}

/** "14:05" of the reader's clock. */
function clockText(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** Tokens and uptime of all the host's nodes that this entry sees. */
export function UsageCharts({ nodes, network }: Props) {
  const histories = nodes
    .map((node) => seenOf(network, node)?.history)
    .filter((one): one is NodeHistory => one !== undefined);
  const usage = usageSeries(histories);
  if (usage === undefined) {
    return (
      <p className="card p-4 text-sm text-soft">
        The entry that this page is connected to has not seen these nodes, so it has measured
        nothing of them. Connect to an entry of their pool in the settings.
      </p>
    );
  }
  const span = spanText(usage.measuredSeconds);
  const tokens = `${countText(usage.tokensInAll)} tokens in ${span}`;
  const uptime = `${shareText(usage.answered, usage.probes)}: ${countText(usage.answered)} of ${countText(usage.probes)} probes were answered`;
  return (
    <div>
      <div className="grid gap-4 lg:grid-cols-2">
        <BarChart
          title="Tokens"
          points={usage.tokens}
          unit="tokens"
          valueText={(value) => `${countText(value)} tokens`}
          timeText={clockText}
          summary={tokens}
        />
        <BarChart
          title="Uptime"
          points={usage.uptime}
          unit="answered"
          valueText={(value) => `${value.toFixed(1)}% of probes answered`}
          timeText={clockText}
          summary={uptime}
          most={100}
        />
      </div>
      <p className="mt-2 text-sm text-soft">
        Measured by the connected entry itself, {spanText(usage.seconds)} a bar, since its start and
        for a day at most. Other entries may have seen more or less. A node of the entry itself
        answers to itself.
      </p>
    </div>
  );
}
