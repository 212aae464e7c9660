// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense, useEffect, useState, useSyncExternalStore } from "react";
import { describePicture, outlinePicture, type NetworkPicture } from "../../scene/picture";
import type { NetworkTrust } from "../network/network";
import { ErrorBoundaryQuiet } from "../ui/ErrorBoundaryQuiet";
import { NetworkStill } from "./NetworkStill";

const NetworkScene = lazy(() => import("../../scene/NetworkScene"));

const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)");

function subscribeToMotion(listener: () => void): () => void {
  const query = reducedMotion();
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}

/** As browsers name what draws without a graphics processor: it would keep the whole page waiting. */
const softwareRenderer = /swiftshader|llvmpipe|softpipe|software|basic render/i;

function hasWebGl(): boolean {
  try {
    const canvas = document.createElement("canvas");
    const gl = canvas.getContext("webgl2", { failIfMajorPerformanceCaveat: true });
    if (!gl) return false;
    const names = gl.getExtension("WEBGL_debug_renderer_info");
    const renderer: unknown = gl.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER);
    return !softwareRenderer.test(String(renderer));
  } catch {
    return false;
  }
}

/** Whether the moving picture may load: after the page is there, and where it can be drawn. */
function useMotion(): boolean {
  const still = useSyncExternalStore(subscribeToMotion, () => reducedMotion().matches);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    const idle = window.requestIdleCallback ?? ((run: () => void) => window.setTimeout(run, 200));
    const cancel = window.cancelIdleCallback ?? window.clearTimeout;
    const handle = idle(() => setReady(hasWebGl()));
    return () => cancel(handle);
  }, []);
  return ready && !still;
}

interface Props {
  picture?: NetworkPicture | undefined;
  /** The route has the colour of what it is known to be, and none while that is open. */
  trust: NetworkTrust;
}

/**
 * The live network. Its box has its size from the start; the still picture stands in it until the
 * moving one is drawn, and for good where there is no graphics processor or motion is unwanted.
 */
export function NetworkView({ picture, trust }: Props) {
  const motion = useMotion();
  const [drawn, setDrawn] = useState(false);
  const isOutline = picture === undefined;
  const shown = picture ?? outlinePicture;
  const words = isOutline
    ? "Outline of a network: three shards as rings, three replicas on each, and one route through them. No network is connected."
    : describePicture(picture);
  const moving = motion && drawn;
  const tone = isOutline || !(trust === "verified" || trust === "simulated") ? "soft" : trust;
  return (
    <figure className="w-full">
      <div
        role="img"
        aria-label={words}
        data-picture={moving ? "moving" : "still"}
        className="relative mx-auto aspect-[12/13] w-full max-w-[30rem] overflow-hidden"
      >
        <div className={`size-full transition-opacity duration-500 ${moving ? "opacity-0" : ""}`}>
          <NetworkStill picture={shown} isOutline={isOutline} tone={tone} />
        </div>
        {motion ? (
          <div
            className={`absolute inset-0 transition-opacity duration-500 ${drawn ? "" : "opacity-0"}`}
          >
            <ErrorBoundaryQuiet onError={() => setDrawn(false)}>
              <Suspense fallback={null}>
                <NetworkScene
                  picture={shown}
                  isOutline={isOutline}
                  tone={tone}
                  onDrawn={() => setDrawn(true)}
                  onLost={() => setDrawn(false)}
                />
              </Suspense>
            </ErrorBoundaryQuiet>
          </div>
        ) : null}
      </div>
      <figcaption className="mt-2 text-center text-sm text-faint">
        {isOutline
          ? "Outline, not a live network: none is connected."
          : "The network as its entry reports it."}
      </figcaption>
    </figure>
  );
}
