// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { asError, type TeeTeeError } from "../../base/error";
import { type ChainReader, readWeiPerCredit } from "../../chain/reads";
import { fetchPools, type Pool } from "../../client/entries";
import { useConnection } from "../network/NetworkProvider";
import { useNetwork } from "../network/network";
import { servingEntry } from "../network/settings";
import { checkPool, type PoolCheck, readsOf, Turnstile, waitingCheck } from "./chainCheck";
import { freeView, poolView, type PoolView } from "./poolView";

/** How often the entry is asked for its pools, and after how many times all are checked anew. */
const listEveryMs = 15_000;
const roundsBetweenChecks = 4;
const callsAtOnceMax = 6;

export interface PoolsState {
  /** undefined until something is known. */
  readonly views: readonly PoolView[] | undefined;
  /** Calls to the contract that are answered, and all that there are; 0 where there is no chain. */
  readonly done: number;
  readonly calls: number;
  /** Why there is nothing, or nothing newer. */
  readonly error: TeeTeeError | undefined;
  readonly weiPerCredit: bigint | undefined;
  retry(): void;
}

interface Listed {
  readonly pools: readonly Pool[] | undefined;
  readonly error: TeeTeeError | undefined;
  /** Counts up when all is to be checked anew. */
  readonly round: number;
}

function textOf(pools: readonly Pool[]): string {
  return JSON.stringify(pools, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}

/** What the entry lists; asked for again as long as somebody looks. */
function useListedPools(url: string | undefined) {
  const [attempt, setAttempt] = useState(0);
  const [listed, setListed] = useState<Listed>({ pools: undefined, error: undefined, round: 0 });
  useEffect(() => {
    if (url === undefined) return;
    const controller = new AbortController();
    const { signal } = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let times = 0;
    let before = "";
    const list = async () => {
      try {
        const { pools } = await fetchPools(url, { signal });
        if (signal.aborted) return;
        const text = textOf(pools);
        const isDue = times++ % roundsBetweenChecks === 0;
        setListed((known) => ({
          pools: text === before && known.pools ? known.pools : pools,
          error: undefined,
          round: known.round + (isDue ? 1 : 0),
        }));
        before = text;
      } catch (thrown) {
        if (signal.aborted) return;
        setListed((known) => ({ ...known, error: asError(thrown) }));
      }
      timer = setTimeout(() => void list(), listEveryMs);
    };
    void list();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [url, attempt]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  return { listed, retry };
}

interface Progress {
  readonly done: number;
  readonly calls: number;
}

/** Checks of the pools, by their numbers; ended when nobody looks any more. */
function usePoolChecks(
  pools: readonly Pool[] | undefined,
  round: number,
  reader: ChainReader | undefined,
  first: bigint | undefined,
) {
  const [checks, setChecks] = useState<ReadonlyMap<bigint, PoolCheck>>(new Map());
  const [progress, setProgress] = useState<Progress>({ done: 0, calls: 0 });
  const firstPool = useRef(first);
  firstPool.current = first;
  useEffect(() => {
    if (!pools || !reader) return;
    const controller = new AbortController();
    const { signal } = controller;
    const reads = readsOf(reader);
    const turnstile = new Turnstile(callsAtOnceMax);
    const inOrder = [...pools].sort((a, b) => {
      const rank = (pool: Pool) => (pool.pool === firstPool.current ? 0 : 1);
      return rank(a) - rank(b);
    });
    const calls = pools.reduce((sum, pool) => sum + waitingCheck(pool).calls, 0);
    let done = 0;
    let frame = 0;
    const tell = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setProgress({ done, calls }));
    };
    tell();
    for (const pool of inOrder) {
      let before = 0;
      const onProgress = (count: number) => {
        done += count - before;
        before = count;
        tell();
      };
      void checkPool(pool, { reads, turnstile, signal, onProgress }).then((check) => {
        if (signal.aborted) return;
        done += check.calls - before;
        setChecks((known) => new Map(known).set(pool.pool, check));
        tell();
      });
    }
    return () => {
      controller.abort();
      cancelAnimationFrame(frame);
    };
  }, [pools, round, reader]);
  return { checks, progress };
}

export function useWeiPerCredit(reader: ChainReader | undefined): bigint | undefined {
  const [weiPerCredit, setWeiPerCredit] = useState<bigint>();
  useEffect(() => {
    if (!reader) return;
    let isOver = false;
    readWeiPerCredit(reader).then(
      (wei) => {
        if (!isOver) setWeiPerCredit(wei);
      },
      // Prices then stand in credits alone; the checks of the pools say what is wrong.
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [reader]);
  return weiPerCredit;
}

const noChecks: Progress = { done: 0, calls: 0 };

/** The pools that the connected entry tells of, held against the contract as long as somebody looks. */
export function usePools(): PoolsState {
  const { network, connection, settings, error, retry: connectAgain } = useConnection();
  const { trust } = useNetwork();
  const hasChain = network?.chain !== undefined;
  const entryUrl =
    connection?.entries.preferred ?? settings.entryUrl ?? servingEntry(window.location);
  const { listed, retry: listAgain } = useListedPools(hasChain ? entryUrl : undefined);
  const reader = connection?.chain?.reader;
  const { checks, progress } = usePoolChecks(
    listed.pools,
    listed.round,
    reader,
    network?.chain?.pool,
  );
  const weiPerCredit = useWeiPerCredit(reader);
  const views = useMemo(() => {
    if (!network) return undefined;
    const around = { network, trust, now: Math.floor(Date.now() / 1000) };
    if (!network.chain) return [freeView(around)];
    return listed.pools?.map((pool) =>
      poolView(pool, checks.get(pool.pool) ?? waitingCheck(pool), around),
    );
  }, [network, trust, listed.pools, checks]);
  const retry = useCallback(() => {
    if (error) connectAgain();
    listAgain();
  }, [error, connectAgain, listAgain]);
  return {
    views,
    ...(reader ? progress : noChecks),
    error: listed.error ?? error,
    weiPerCredit,
    retry,
  };
}
