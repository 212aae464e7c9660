// SPDX-License-Identifier: Apache-2.0

/** What is drawn of a network: a ring for each shard, a node on it for each replica. */
export interface NetworkPicture {
  shards: readonly PictureShard[];
  /** Ids of the nodes of a route, first shard first; tokens flow along it. */
  route?: readonly string[];
  tokensPerSecond?: number;
}

export interface PictureShard {
  /** First and last layer. */
  layers: readonly [number, number];
  nodes: readonly { id: string; live: boolean }[];
}

/** Colour of the route: a token of the style sheet. */
export type PictureTone = "soft" | "verified" | "simulated";

/** The form of a network where none is known: drawn as an outline, and said to be one. */
export const outlinePicture: NetworkPicture = {
  shards: [
    { layers: [0, 0], nodes: outlineNodes("a") },
    { layers: [0, 0], nodes: outlineNodes("b") },
    { layers: [0, 0], nodes: outlineNodes("c") },
  ],
  route: ["a0", "b1", "c2"],
};

function outlineNodes(shard: string) {
  return [0, 1, 2].map((at) => ({ id: `${shard}${at}`, live: true }));
}

export interface Point {
  x: number;
  y: number;
  z: number;
}

export interface PlacedNode extends Point {
  id: string;
  live: boolean;
  onRoute: boolean;
}

export interface PlacedRing {
  y: number;
  radius: number;
  nodes: PlacedNode[];
}

/** More are not drawn: beyond it, a ring shows no single node any more. */
const shardLimit = 24;
const nodeLimit = 48;

/**
 * Places rings from top to bottom about the origin, 1 unit of radius, first shard on top. Node 0 of
 * each ring is turned a little further than that of the ring above, so that routes do not fall
 * together.
 */
export function placeRings(picture: NetworkPicture): PlacedRing[] {
  const shards = picture.shards.slice(0, shardLimit);
  const onRoute = new Set(picture.route ?? []);
  const gap = shards.length < 2 ? 0 : Math.min(0.95, 2.2 / (shards.length - 1));
  return shards.map((shard, at) => {
    const y = ((shards.length - 1) / 2 - at) * gap;
    const nodes = shard.nodes.slice(0, nodeLimit);
    return {
      y,
      radius: 1,
      nodes: nodes.map((node, index) => {
        const angle = (index / nodes.length) * 2 * Math.PI + at * 0.7 + 0.5;
        return {
          id: node.id,
          live: node.live,
          onRoute: onRoute.has(node.id),
          x: Math.cos(angle),
          y,
          z: Math.sin(angle),
        };
      }),
    };
  });
}

/** The nodes of the route as they are placed, in order; those that are not drawn are left out. */
export function placeRoute(picture: NetworkPicture, rings: readonly PlacedRing[]): PlacedNode[] {
  const byId = new Map(rings.flatMap((ring) => ring.nodes.map((node) => [node.id, node])));
  return (picture.route ?? []).flatMap((id) => byId.get(id) ?? []);
}

/** The picture in words, for whoever does not see it. */
export function describePicture(picture: NetworkPicture): string {
  const parts = picture.shards.map((shard) => {
    const live = shard.nodes.filter((node) => node.live).length;
    return `layers ${shard.layers[0]} to ${shard.layers[1]}: ${live} of ${shard.nodes.length} nodes live`;
  });
  const speed =
    picture.tokensPerSecond === undefined
      ? ""
      : `; ${Math.round(picture.tokensPerSecond)} tokens a second`;
  return `${picture.shards.length} shards. ${parts.join("; ")}${speed}.`;
}
