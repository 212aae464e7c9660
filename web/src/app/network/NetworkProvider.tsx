// SPDX-License-Identifier: Apache-2.0
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
} from "react";
import { asError, type TeeTeeError } from "../../base/error";
import { fetchNetwork, type Network } from "../../client/entries";
import type { Connection, Reached } from "./connection";
import { NetworkContext, type NetworkState, type NetworkTrust } from "./network";
import { pictureOf } from "./picture";
import { timed } from "./verifyTime";
import { KnownNetworks, type NetworkChanged } from "./knownNetworks";
import { loadSettings, saveSettings, type NetworkSettings } from "./settings";
import { yardstickOf } from "./yardstick";

/** How often what the entry says of its network is asked for again. */
const refreshMs = 10_000;
/** After a failure; doubled each time. */
const retryFirstMs = 2_000;
const retryMostMs = 30_000;

/** What pages know of the connection, beyond what the header shows. */
export interface ConnectionState {
  readonly phase: "connecting" | "connected" | "failed";
  /** What the entry says of its network; nothing of it is verified. */
  readonly network: Network | undefined;
  /** Only while every node of the entry's route stands verified. */
  readonly connection: Connection | undefined;
  readonly error: TeeTeeError | undefined;
  readonly settings: NetworkSettings;
  /** Connects anew with these, and remembers them. */
  changeSettings(settings: NetworkSettings): void;
  /** Connects anew. */
  retry(): void;
  /** Connects anew, and takes an entry's pool that was another one before. */
  acceptChange(change: NetworkChanged): void;
}

const ConnectionContext = createContext<ConnectionState | undefined>(undefined);

export function useConnection(): ConnectionState {
  const state = useContext(ConnectionContext);
  if (state === undefined) throw new Error("no NetworkProvider");
  return state;
}

interface Progress {
  readonly reached?: Reached;
  readonly network?: Network;
  readonly connection?: Connection;
  readonly error?: TeeTeeError;
}

/** Nobody answered, which is no judgement on anybody. */
const unreachable = new Set([
  "connect_failed",
  "timed_out",
  "http_malformed",
  "connection_closed",
  "config_invalid",
  "not_ready",
  "route_unavailable",
  "rpc_unavailable",
]);

function trustOf({ network, connection, error }: Progress): NetworkTrust {
  if (error?.code === "statement_mismatch") return "refused";
  // Whoever does not even say what network it is of was not judged.
  if (error) return unreachable.has(error.code) || !network ? "offline" : "refused";
  if (!connection) return "connecting";
  if (connection.entry.route.isSimulated) return "simulated";
  return yardstickOf(connection).isOwn ? "verified" : "attested";
}

/** Reaches and verifies; its parts are fetched when they are needed, behind the first paint. */
async function connect(
  settings: NetworkSettings,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<Progress> {
  const { reach, saidPoolOf, verify } = await import("./connection");
  const known = new KnownNetworks(localStorage);
  const reached = await reach(settings, known, signal);
  onProgress({ reached, network: reached.network });
  const { attestVerifier } = await import("../../client/attestVerifier");
  const connection = await verify(reached, timed(attestVerifier));
  known.keep(reached.url, saidPoolOf(reached.network));
  return { reached, network: connection.network, connection };
}

/** Connects, tries again while nobody answers, and looks at intervals whether all is as it was. */
class Connector {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retryMs = retryFirstMs;
  private progress: Progress = {};

  constructor(
    private readonly settings: NetworkSettings,
    private readonly onProgress: (progress: Progress) => void,
  ) {}

  start(): void {
    void this.connect();
  }

  stop(): void {
    this.controller.abort();
    clearTimeout(this.timer);
  }

  private tell(progress: Progress): void {
    if (this.controller.signal.aborted) return;
    this.progress = progress;
    this.onProgress(progress);
  }

  private after(milliseconds: number, run: () => Promise<void>): void {
    if (this.controller.signal.aborted) return;
    this.timer = setTimeout(() => void run(), milliseconds);
  }

  private async connect(): Promise<void> {
    try {
      const { signal } = this.controller;
      this.tell(await connect(this.settings, signal, (progress) => this.tell(progress)));
      this.retryMs = retryFirstMs;
      this.after(refreshMs, () => this.refresh());
    } catch (thrown) {
      const { connection: _, ...known } = this.progress;
      this.tell({ ...known, error: asError(thrown) });
      this.after(this.retryMs, () => this.connect());
      this.retryMs = Math.min(2 * this.retryMs, retryMostMs);
    }
  }

  /** The entry in use, which after a failure is another one than at first, and its network. */
  private async refresh(): Promise<void> {
    const { connection } = this.progress;
    if (!connection) return this.connect();
    const { entries } = connection;
    try {
      const { heldAgainst } = await import("./connection");
      const url = entries.preferred;
      const [opened, said] = await Promise.all([
        entries.open(url),
        fetchNetwork(url, { signal: this.controller.signal }),
      ]);
      const entry = (await entries.isUnchanged(opened)) ? opened : await entries.open(url);
      const network = heldAgainst(said, entry, connection.chain);
      this.tell({ ...this.progress, network, connection: { ...connection, network, entry } });
      this.after(refreshMs, () => this.refresh());
    } catch (thrown) {
      // Another entry may go on; whoever is left is found by connecting anew.
      const next = entries.urls.find((url) => url !== entries.preferred);
      if (next !== undefined) entries.prefer(next);
      // One that names another network now is not gone on with, though its nodes are as they were.
      else if (asError(thrown).code === "statement_mismatch") return this.connect();
      try {
        const entry = await entries.open(entries.preferred);
        this.tell({ ...this.progress, connection: { ...connection, entry } });
        this.after(retryFirstMs, () => this.refresh());
      } catch {
        await this.connect();
      }
    }
  }
}

export function NetworkProvider({ children }: { children: ReactNode }) {
  const [settings, setSettings] = useState(loadSettings);
  const [attempt, setAttempt] = useState(0);
  const [progress, setProgress] = useState<Progress>({});
  const running = useRef<Connector>(undefined);
  useEffect(() => {
    setProgress({});
    const connector = new Connector(settings, setProgress);
    running.current = connector;
    connector.start();
    return () => connector.stop();
  }, [settings, attempt]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  const acceptChange = useCallback(
    ({ url, now }: NetworkChanged) => {
      new KnownNetworks(localStorage).keep(url, now);
      retry();
    },
    [retry],
  );
  const changeSettings = useCallback((changed: NetworkSettings) => {
    saveSettings(changed);
    setSettings(changed);
  }, []);
  const state = useMemo<ConnectionState>(
    () => ({
      phase: progress.error ? "failed" : progress.connection ? "connected" : "connecting",
      network: progress.network,
      connection: progress.connection,
      error: progress.error,
      settings,
      changeSettings,
      retry,
      acceptChange,
    }),
    [progress, settings, changeSettings, retry, acceptChange],
  );
  const shown = useMemo<NetworkState>(
    () => ({
      trust: trustOf(progress),
      ...(progress.error ? { words: progress.error.message } : {}),
      ...(progress.network ? { picture: pictureOf(progress.network) } : {}),
    }),
    [progress],
  );
  return (
    <ConnectionContext value={state}>
      <NetworkContext value={shown}>{children}</NetworkContext>
    </ConnectionContext>
  );
}
