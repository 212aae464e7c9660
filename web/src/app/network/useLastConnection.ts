// SPDX-License-Identifier: Apache-2.0
import { useRef } from "react";
import type { Connection } from "./connection";
import { useConnection } from "./NetworkProvider";
import type { NetworkSettings } from "./settings";

/**
 * The connection, also while the entry is away for a moment: what somebody is in the middle of is
 * not taken from the screen for it. undefined before the first one, and after other settings.
 */
export function useLastConnection(): Connection | undefined {
  const { connection, settings } = useConnection();
  const last = useRef<{ connection: Connection; settings: NetworkSettings }>(undefined);
  if (connection) last.current = { connection, settings };
  return last.current?.settings === settings ? last.current.connection : undefined;
}
