// SPDX-License-Identifier: Apache-2.0
import type { Network, NetworkNode } from "../../client/entries";
import type { NetworkPicture } from "../../scene/picture";

/** Of the last finished span of time; what is under way says too little. */
function tokensPerSecond(nodes: readonly NetworkNode[]): number {
  const entry = nodes.find((node) => node.isEntry && node.history);
  const { seconds, buckets } = entry?.history ?? { seconds: 1, buckets: [] };
  const last = buckets.at(-2) ?? buckets.at(-1);
  return last ? last.tokens / seconds : 0;
}

/** What an entry tells of its network, as it is drawn. */
export function pictureOf(network: Network): NetworkPicture {
  const { model, nodes, routes } = network;
  const onRoutes = new Set(routes.flat());
  const shards = model.shards.map(({ begin, end }) => ({
    layers: [begin, end - 1] as const,
    nodes: nodes
      .filter((node) => node.layers.begin === begin && node.layers.end === end)
      .map((node) => ({
        id: node.node,
        live: !node.isDraining && (onRoutes.has(node.node) || node.answeredAt !== undefined),
      })),
  }));
  const [route] = routes;
  return {
    shards,
    ...(route ? { route } : {}),
    tokensPerSecond: tokensPerSecond(nodes),
  };
}
