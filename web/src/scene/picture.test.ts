// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import {
  describePicture,
  outlinePicture,
  placeRings,
  placeRoute,
  type NetworkPicture,
} from "./picture";

const shard = (from: number, to: number, count: number) => ({
  layers: [from, to] as const,
  nodes: Array.from({ length: count }, (_, at) => ({ id: `${from}-${at}`, live: at > 0 })),
});

const picture: NetworkPicture = {
  shards: [shard(0, 5, 3), shard(6, 11, 2)],
  route: ["0-1", "6-1"],
  tokensPerSecond: 41.6,
};

describe("placeRings", () => {
  it("puts the first shard on top, about the origin, and every node on its ring", () => {
    const rings = placeRings(picture);
    expect(rings[0]!.y).toBeGreaterThan(rings[1]!.y);
    expect(rings[0]!.y).toBeCloseTo(-rings[1]!.y);
    for (const ring of rings) {
      for (const node of ring.nodes) {
        expect(Math.hypot(node.x, node.z)).toBeCloseTo(ring.radius);
        expect(node.y).toBe(ring.y);
      }
    }
    expect(
      rings.flatMap(({ nodes }) => nodes.filter((node) => node.onRoute).map(({ id }) => id)),
    ).toEqual(["0-1", "6-1"]);
  });

  it("stays within its space for one shard, for many, and for more than it draws", () => {
    for (const count of [0, 1, 24, 1000]) {
      const shards = Array.from({ length: count }, (_, at) => shard(at, at, count));
      const rings = placeRings({ shards });
      expect(rings.length).toBeLessThanOrEqual(24);
      for (const ring of rings) {
        expect(Math.abs(ring.y)).toBeLessThanOrEqual(1.2);
        expect(ring.nodes.length).toBeLessThanOrEqual(48);
      }
    }
  });
});

describe("placeRoute", () => {
  it("follows the route's order and leaves out what is not drawn", () => {
    const turned = { ...picture, route: ["6-1", "nobody", "0-1"] };
    expect(placeRoute(turned, placeRings(turned)).map(({ id }) => id)).toEqual(["6-1", "0-1"]);
    expect(placeRoute(outlinePicture, placeRings(outlinePicture))).toHaveLength(3);
  });
});

it("describes itself", () => {
  expect(describePicture(picture)).toBe(
    "2 shards. layers 0 to 5: 2 of 3 nodes live; layers 6 to 11: 1 of 2 nodes live; 42 tokens a second.",
  );
});
