// SPDX-License-Identifier: Apache-2.0
import {
  placeRings,
  placeRoute,
  type NetworkPicture,
  type PictureTone,
  type Point,
} from "../../scene/picture";

const width = 480;
const height = 520;
const radius = 170;

const strokes = { soft: "stroke-soft", verified: "stroke-verified", simulated: "stroke-simulated" };
const fills = { soft: "fill-ink", verified: "fill-verified", simulated: "fill-simulated" };

/** Rings seen from a little above: depth becomes height. */
function project(point: Point): { x: number; y: number } {
  return {
    x: width / 2 + point.x * radius,
    y: height / 2 - point.y * 155 + point.z * radius * 0.34,
  };
}

/** The network as a still picture. An outline is drawn with broken lines. */
export function NetworkStill({
  picture,
  isOutline,
  tone,
}: {
  picture: NetworkPicture;
  isOutline: boolean;
  tone: PictureTone;
}) {
  const rings = placeRings(picture);
  const route = placeRoute(picture, rings).map(project);
  const nodes = rings.flatMap((ring) => ring.nodes);
  return (
    <svg viewBox={`0 0 ${width} ${height}`} className="size-full" aria-hidden="true">
      {rings.map((ring) => {
        const centre = project({ x: 0, y: ring.y, z: 0 });
        return (
          <ellipse
            key={ring.y}
            cx={centre.x}
            cy={centre.y}
            rx={radius}
            ry={radius * 0.34}
            fill="none"
            strokeWidth="1.5"
            strokeDasharray={isOutline ? "3 6" : undefined}
            className="stroke-line-strong"
          />
        );
      })}
      {route.length > 1 ? (
        <polygon
          points={route.map((point) => `${point.x},${point.y}`).join(" ")}
          fill="none"
          strokeWidth="2"
          strokeLinejoin="round"
          strokeDasharray={isOutline ? "3 6" : undefined}
          className={isOutline ? "stroke-faint" : strokes[tone]}
        />
      ) : null}
      {nodes.map((node) => {
        const at = project(node);
        const look = isOutline
          ? "fill-paper stroke-line-strong"
          : node.live
            ? node.onRoute
              ? `${fills[tone]} stroke-paper`
              : "fill-soft stroke-paper"
            : "fill-paper stroke-line-strong";
        return (
          <circle
            key={node.id}
            cx={at.x}
            cy={at.y}
            r={node.onRoute ? 9 : 7}
            strokeWidth="2"
            className={look}
          />
        );
      })}
    </svg>
  );
}
