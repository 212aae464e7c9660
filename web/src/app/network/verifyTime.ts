// SPDX-License-Identifier: Apache-2.0
import type { RouteVerifier, VerifiedRoute } from "../../client/routeVerifier";

const times = new WeakMap<VerifiedRoute, number>();
/** In the browser's own timeline, for whoever measures. */
export const verifyMeasure = "teetee.verifyRoute";

/** The same verifier, of which is known how long it took over a route. */
export function timed(verifier: RouteVerifier): RouteVerifier {
  return {
    ...verifier,
    async verifyRoute(evidence) {
      const start = performance.now();
      const route = await verifier.verifyRoute(evidence);
      const end = performance.now();
      times.set(route, end - start);
      performance.measure(verifyMeasure, { start, end });
      return route;
    },
  };
}

/** Milliseconds that this page took to verify a route; undefined where another verifier did. */
export function verifyTimeMs(route: VerifiedRoute): number | undefined {
  return times.get(route);
}
