// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";

/**
 * Unix seconds that go on from the chain's clock, which decides what expires; undefined time: the
 * browser's.
 */
export function useNow(chainNow: number | undefined, everySeconds = 1): number {
  const [browserNow, setBrowserNow] = useState(() => Math.floor(Date.now() / 1000));
  const [ahead, setAhead] = useState(0);
  useEffect(() => {
    if (chainNow !== undefined) setAhead(chainNow - Math.floor(Date.now() / 1000));
  }, [chainNow]);
  useEffect(() => {
    const tick = () => setBrowserNow(Math.floor(Date.now() / 1000));
    const timer = setInterval(tick, everySeconds * 1000);
    return () => clearInterval(timer);
  }, [everySeconds]);
  // A chain stands between its blocks, and a dev chain may stand for long: it is never behind.
  return browserNow + Math.max(0, ahead);
}
