// SPDX-License-Identifier: Apache-2.0
import { startTransition, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { asError } from "../../base/error";
import { navigate, useRoute } from "../router/useRoute";
import { take } from "./handover";
import { judgeClient } from "./judgeClient";
import { unpackFromLink } from "./linkCodec";
import { openBytes, openFiles, openHandedOver, openText, type Opened } from "./opened";
import { DocumentError } from "./placedError";
import { useNetworkTerms } from "./useNetworkTerms";
import type { NetworkTermsInput, QuoteView, ReceiptView } from "./views";

/** What evidence is held against: the connected network, or itself alone. */
export type Against = "network" | "alone";

export type Judged =
  | { readonly kind: "receipt"; readonly view: ReceiptView }
  | { readonly kind: "quote"; readonly view: QuoteView };

export interface ExplorerState {
  readonly opened: Opened | undefined;
  /** Undefined while the checks run. */
  readonly judged: Judged | undefined;
  readonly isReading: boolean;
  readonly error: DocumentError | undefined;
  readonly against: Against;
  /** Which of a route's nodes is shown. */
  readonly node: number;
  readonly terms: NetworkTermsInput | undefined;
  readText(text: string): void;
  readFiles(files: readonly Blob[]): void;
  show(opened: Opened): void;
  close(): void;
  chooseNode(node: number): void;
  chooseAgainst(against: Against): void;
  judgeAt(time: number | undefined): void;
}

function documentError(thrown: unknown): DocumentError {
  if (thrown instanceof DocumentError) return thrown;
  const { code, detail } = asError(thrown);
  return new DocumentError(code, detail);
}

/** The document of the URL, where it names one: `d` holds it, `id` was handed over. */
async function fromRoute(linked: string | null, id: string | null): Promise<Opened | undefined> {
  if (linked !== null) return openBytes(await unpackFromLink(linked));
  if (id === null) return undefined;
  const item = await take(id);
  if (item !== undefined) return openHandedOver(item);
  const gone =
    "this browser does not have the receipt any more: open the file, or its answer in chat";
  throw new DocumentError("not_found", gone);
}

interface Choice {
  readonly against: Against;
  readonly node: number;
  readonly at: number | undefined;
}

const firstChoice: Choice = { against: "network", node: 0, at: undefined };

async function judge(
  opened: Opened,
  choice: Choice,
  network: NetworkTermsInput | undefined,
  signal: AbortSignal,
): Promise<Judged> {
  if (opened.kind === "receipt") {
    const { text, collateral, request, answer } = opened;
    const input = { text, collateral, request, answer, network };
    return { kind: "receipt", view: await judgeClient.judge("receipt", input, signal) };
  }
  const document = opened.nodes[choice.node] ?? opened.nodes[0];
  const input = {
    quote: document!.quote,
    statement: document!.statement,
    collateral: opened.collateral,
    eventLog: opened.eventLog,
    network,
    now: Math.floor(Date.now() / 1000),
    at: choice.at ?? opened.at,
  };
  return { kind: "quote", view: await judgeClient.judge("quote", input, signal) };
}

function useJudging(
  opened: Opened | undefined,
  choice: Choice,
  network: NetworkTermsInput | undefined,
  onJudged: (judged: Judged) => void,
  onError: (error: DocumentError) => void,
): void {
  useEffect(() => {
    if (opened === undefined) return;
    const controller = new AbortController();
    judge(opened, choice, network, controller.signal).then(
      // In slices: what is long is not rendered in one go.
      (next) => startTransition(() => onJudged(next)),
      (thrown: unknown) => {
        if (!controller.signal.aborted) onError(documentError(thrown));
      },
    );
    return () => controller.abort();
  }, [opened, choice, network, onJudged, onError]);
}

/** Reads what is opened, and judges it anew whenever what it is held against changes. */
export function useExplorer(): ExplorerState {
  const { query } = useRoute();
  const [opened, setOpened] = useState<Opened>();
  const [judged, setJudged] = useState<Judged>();
  const [error, setError] = useState<DocumentError>();
  const [isReading, setReading] = useState(false);
  const [choice, setChoice] = useState<Choice>(firstChoice);
  const { terms } = useNetworkTerms(opened !== undefined);
  const network = choice.against === "network" ? terms : undefined;
  const current = useRef(opened);
  current.current = opened;

  const show = useCallback((next: Opened | undefined) => {
    setOpened(next);
    setJudged(undefined);
    setError(undefined);
    setChoice(firstChoice);
  }, []);

  const read = useCallback(
    (reading: () => Opened | undefined | Promise<Opened | undefined>, forget = true) => {
      setReading(true);
      setError(undefined);
      void (async () => {
        try {
          const next = await reading();
          // The URL no longer says what is open.
          if (forget && location.hash.includes("?")) navigate("explorer", [], {}, true);
          show(next);
        } catch (thrown) {
          setError(documentError(thrown));
        } finally {
          setReading(false);
        }
      })();
    },
    [show],
  );

  const [linked, id] = [query.get("d"), query.get("id")];
  useEffect(() => {
    if (linked !== null || id !== null) read(() => fromRoute(linked, id), false);
  }, [linked, id, read]);

  useJudging(opened, choice, network, setJudged, setError);

  return useMemo(
    () => ({
      opened,
      judged,
      isReading,
      error,
      against: network === undefined ? "alone" : "network",
      node: choice.node,
      terms,
      readText: (text) => read(() => openText(current.current, text)),
      readFiles: (files) => read(() => openFiles(current.current, files)),
      show: (next) => read(() => next),
      close: () => read(() => undefined),
      chooseNode: (node) => {
        setJudged(undefined);
        setChoice({ ...choice, node });
      },
      chooseAgainst: (against) => setChoice({ ...choice, against }),
      judgeAt: (at) => setChoice({ ...choice, at }),
    }),
    [opened, judged, isReading, error, network, choice, terms, read],
  );
}
