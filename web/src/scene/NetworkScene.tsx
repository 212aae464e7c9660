// SPDX-License-Identifier: Apache-2.0
import { Canvas, useFrame } from "@react-three/fiber";
import { useEffect, useMemo, useRef, useState } from "react";
import {
  BufferGeometry,
  CatmullRomCurve3,
  Color,
  LineDashedMaterial,
  LineLoop,
  setConsoleFunction,
  Vector3,
  type Group,
  type Mesh,
} from "three";
import {
  placeRings,
  placeRoute,
  type NetworkPicture,
  type PictureTone,
  type PlacedRing,
} from "./picture";

// The libraries' advice to developers (react-three-fiber uses a clock that three has deprecated) is
// nothing for users: where a picture cannot be drawn, the still one stands.
setConsoleFunction(() => {});

interface Props {
  picture: NetworkPicture;
  /** Drawn with broken lines and without the route's colour. */
  isOutline: boolean;
  tone: PictureTone;
  /** Called once the first frame is drawn. */
  onDrawn: () => void;
  /** Called when the graphics processor is taken away. */
  onLost: () => void;
}

interface Colours {
  line: Color;
  node: Color;
  route: Color;
  ground: Color;
}

function readColours(tone: PictureTone): Colours {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => new Color(style.getPropertyValue(name).trim());
  return {
    line: colour("--line-strong"),
    node: colour("--soft"),
    route: colour(`--${tone}`),
    ground: colour("--paper"),
  };
}

/** The tokens of the style sheet, read anew when the theme changes. */
function useColours(tone: PictureTone): Colours {
  const [colours, setColours] = useState(() => readColours(tone));
  useEffect(() => {
    setColours(readColours(tone));
    const observer = new MutationObserver(() => setColours(readColours(tone)));
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  }, [tone]);
  return colours;
}

/** Whether anybody can see the element: in the window, and the window in front. */
function useSeen(element: React.RefObject<HTMLElement | null>): boolean {
  const [inView, setInView] = useState(true);
  const [inFront, setInFront] = useState(!document.hidden);
  useEffect(() => {
    const onVisibility = () => setInFront(!document.hidden);
    document.addEventListener("visibilitychange", onVisibility);
    const observer = new IntersectionObserver((entries) => {
      setInView(entries.at(-1)?.isIntersecting ?? true);
    });
    if (element.current !== null) observer.observe(element.current);
    return () => {
      document.removeEventListener("visibilitychange", onVisibility);
      observer.disconnect();
    };
  }, [element]);
  return inView && inFront;
}

function BrokenRing({ ring, colour }: { ring: PlacedRing; colour: Color }) {
  const line = useMemo(() => {
    const points = Array.from({ length: 128 }, (_, at) => {
      const angle = (at / 128) * 2 * Math.PI;
      return new Vector3(Math.cos(angle) * ring.radius, 0, Math.sin(angle) * ring.radius);
    });
    const loop = new LineLoop(
      new BufferGeometry().setFromPoints(points),
      new LineDashedMaterial({ dashSize: 0.03, gapSize: 0.04 }),
    );
    loop.computeLineDistances();
    return loop;
  }, [ring.radius]);
  useEffect(() => {
    line.material.color.copy(colour);
  }, [line, colour]);
  useEffect(
    () => () => {
      line.geometry.dispose();
      line.material.dispose();
    },
    [line],
  );
  return <primitive object={line} position={[0, ring.y, 0]} />;
}

function Ring({ ring, colours }: { ring: PlacedRing; colours: Colours }) {
  return (
    <mesh position={[0, ring.y, 0]} rotation={[Math.PI / 2, 0, 0]}>
      <torusGeometry args={[ring.radius, 0.008, 8, 128]} />
      <meshBasicMaterial color={colours.line} />
    </mesh>
  );
}

function Nodes({
  rings,
  colours,
  isOutline,
}: {
  rings: PlacedRing[];
  colours: Colours;
  isOutline: boolean;
}) {
  return rings.flatMap((ring) =>
    ring.nodes.map((node) => {
      const filled = node.live && !isOutline;
      const colour =
        node.onRoute && !isOutline ? colours.route : node.live ? colours.node : colours.line;
      const size = node.onRoute ? 0.07 : 0.052;
      return (
        <group key={node.id} position={[node.x, node.y, node.z]}>
          <mesh>
            <sphereGeometry args={[size, 24, 16]} />
            <meshBasicMaterial color={colour} />
          </mesh>
          {filled ? null : (
            // A core of the ground's colour that is always in front makes the sphere hollow.
            <mesh renderOrder={1}>
              <sphereGeometry args={[size * 0.72, 24, 16]} />
              <meshBasicMaterial color={colours.ground} depthTest={false} />
            </mesh>
          )}
        </group>
      );
    }),
  );
}

/** Tokens on their way: through the nodes of the route in order, and from the tail to the entry. */
function Tokens({
  picture,
  rings,
  colours,
  isOutline,
}: {
  picture: NetworkPicture;
  rings: PlacedRing[];
  colours: Colours;
  isOutline: boolean;
}) {
  const curve = useMemo(() => {
    const points = placeRoute(picture, rings).map((node) => new Vector3(node.x, node.y, node.z));
    return points.length < 2 ? undefined : new CatmullRomCurve3(points, true, "centripetal");
  }, [picture, rings]);
  const tokens = useRef<(Mesh | null)[]>([]);
  const at = useRef(0);
  const rate = picture.tokensPerSecond ?? (isOutline ? 4 : 0);
  const count = rate <= 0 ? 0 : Math.min(24, 3 + Math.round(rate / 8));
  useFrame((_, seconds) => {
    if (curve === undefined) return;
    at.current = (at.current + Math.min(seconds, 0.1) * 0.12) % 1;
    tokens.current.forEach((token, index) => {
      if (token !== null) curve.getPointAt((at.current + index / count) % 1, token.position);
    });
  });
  const path = useMemo(
    () =>
      curve === undefined ? undefined : new BufferGeometry().setFromPoints(curve.getPoints(160)),
    [curve],
  );
  useEffect(() => () => path?.dispose(), [path]);
  if (curve === undefined || path === undefined) return null;
  const colour = isOutline ? colours.node : colours.route;
  return (
    <>
      <lineLoop geometry={path}>
        <lineBasicMaterial color={colour} transparent opacity={0.45} />
      </lineLoop>
      {Array.from({ length: count }, (_, index) => (
        <mesh
          key={index}
          ref={(mesh) => {
            tokens.current[index] = mesh;
          }}
        >
          <sphereGeometry args={[0.028, 12, 8]} />
          <meshBasicMaterial color={colour} />
        </mesh>
      ))}
    </>
  );
}

function Turning({ picture, isOutline, tone, onDrawn }: Omit<Props, "onLost">) {
  const colours = useColours(tone);
  const group = useRef<Group>(null);
  const drawn = useRef(false);
  const rings = useMemo(() => placeRings(picture), [picture]);
  useFrame((_, seconds) => {
    if (group.current !== null) group.current.rotation.y += Math.min(seconds, 0.1) * 0.14;
    if (drawn.current) return;
    drawn.current = true;
    onDrawn();
  });
  return (
    <group ref={group}>
      {rings.map((ring) =>
        isOutline ? (
          <BrokenRing key={ring.y} ring={ring} colour={colours.line} />
        ) : (
          <Ring key={ring.y} ring={ring} colours={colours} />
        ),
      )}
      <Nodes rings={rings} colours={colours} isOutline={isOutline} />
      <Tokens picture={picture} rings={rings} colours={colours} isOutline={isOutline} />
    </group>
  );
}

/** The network in three dimensions; costs nothing while nobody sees it. */
export default function NetworkScene({ picture, isOutline, tone, onDrawn, onLost }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const seen = useSeen(box);
  return (
    <div ref={box} className="size-full" data-running={seen}>
      <Canvas
        flat
        dpr={[1, 2]}
        frameloop={seen ? "always" : "never"}
        camera={{ position: [0, 2.1, 4.6], fov: 36 }}
        gl={{ antialias: true, alpha: true, powerPreference: "low-power" }}
        onCreated={({ gl }) => gl.domElement.addEventListener("webglcontextlost", onLost)}
      >
        <Turning picture={picture} isOutline={isOutline} tone={tone} onDrawn={onDrawn} />
      </Canvas>
    </div>
  );
}
