// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useRef, useSyncExternalStore, type ReactNode } from "react";
import { put } from "../explorer/handover";
import { useConnection, type ConnectionState } from "../network/NetworkProvider";
import type { Connection } from "../network/connection";
import { yardstickOf } from "../network/yardstick";
import { useNetwork, type NetworkTrust } from "../network/network";
import { usePayment, type Payment } from "../payment/payment";
import { PaymentLine, PaymentStep } from "../payment/PaymentStep";
import { shownVerdict, type ShownVerdict } from "../proof/proof";
import { ProofPanel } from "../proof/ProofPanel";
import { proofShelf, type HeldProof } from "../proof/proofShelf";
import { RoutePanel } from "../proof/RoutePanel";
import { openInExplorer } from "../explorer/openInExplorer";
import { downloadBytes } from "../ui/downloadFile";
import { ChatBackendContext, noBackend, type ChatBackend } from "./backend";
import { keptParts } from "./keptParts";
import { liveAnswers } from "./liveAnswer";
import { ModelPicker } from "./ModelPicker";
import type { Message } from "./types";

/** How often a proof that is shown looks whether its anchor has come. */
const anchorLookMs = 10_000;

function useHeld(receipts: readonly string[]): HeldProof | undefined {
  return useSyncExternalStore(proofShelf.subscribe, () => proofShelf.get(receipts));
}

const none: readonly string[] = [];

/** Checks an answer of an earlier visit: its receipts are known of it, and hashes of what was sent. */
async function checkKept(
  connection: Connection,
  message: Message,
  wasOnHardware: boolean,
): Promise<void> {
  const { startProof } = await import("./askNetwork");
  const { entries, chain } = connection;
  const parts = keptParts(message, wasOnHardware);
  startProof(message.receipts ?? [], { entries, chain, yardstick: yardstickOf(connection), parts });
}

interface AnswerProofProps {
  message: Message;
  wasOnHardware: boolean;
}

function AnswerProof({ message, wasOnHardware }: AnswerProofProps) {
  const receipts = message.receipts ?? none;
  const held = useHeld(receipts);
  const { connection } = useConnection();
  const isKnown = held !== undefined;
  const isPending = held?.proof.anchor?.state === "pending";
  useEffect(() => {
    if (!isKnown && connection) void checkKept(connection, message, wasOnHardware);
  }, [isKnown, connection, message, wasOnHardware]);
  useEffect(() => {
    if (!isPending) return;
    const timer = setInterval(() => void proofShelf.look(receipts), anchorLookMs);
    return () => clearInterval(timer);
  }, [isPending, receipts]);
  if (held === undefined) {
    return (
      <p role="status" className="card p-4 text-sm text-soft">
        {connection
          ? "Fetching the receipt"
          : "The proof is checked once the network is connected."}
      </p>
    );
  }
  const [last] = held.receipts.slice(-1);
  return (
    <ProofPanel
      proof={held.proof}
      yardstick={held.yardstick}
      {...(last === undefined
        ? {}
        : {
            onDownload: () => {
              for (const { id, bytes } of held.receipts) {
                downloadBytes(`teetee-receipt-${id}.json`, bytes);
              }
            },
            onExplore: () =>
              void put({ receipt: last.bytes, receiptId: last.id }).then(openInExplorer),
          })}
    />
  );
}

const verdictLooks: Record<ShownVerdict, { words: string; look: string }> = {
  verifying: { words: "Checking", look: "text-soft" },
  verified: { words: "Verified", look: "text-verified" },
  attested: { words: "Attested", look: "text-soft" },
  simulated: { words: "SIMULATED", look: "text-simulated" },
  partial: { words: "Proved in part", look: "text-soft" },
  failed: { words: "Does not hold", look: "text-failed font-semibold" },
  unknown: { words: "Proof", look: "text-soft" },
};

function Verdict({ message }: { message: Message }) {
  const held = useHeld(message.receipts ?? none);
  const { words, look } =
    verdictLooks[held ? shownVerdict(held.proof, held.yardstick.isOwn) : "unknown"];
  return (
    <span className={look}>
      {words === "Proof" ? null : <span className="sr-only">Proof: </span>}
      {words}
    </span>
  );
}

function LiveLine() {
  const live = useSyncExternalStore(liveAnswers.subscribe, liveAnswers.latest);
  return (
    <>
      {live?.note ? (
        <span role="status" className="font-medium text-soft">
          {live.note}
        </span>
      ) : null}
      <PaymentLine upTo={live?.upTo} />
    </>
  );
}

function wordsOf(
  { connection, error }: ConnectionState,
  payment: Payment,
  trust: NetworkTrust,
): string {
  if (trust === "offline") return noBackend.words;
  if (error) return "A check failed, so nothing is sent. What you write is kept.";
  if (!connection) return "The route is being verified. What you write is kept.";
  const { route } = connection.entry;
  if (payment.step !== "ready") return "What you write is kept until it can be paid for.";
  const count = route.nodes.length;
  return route.isSimulated
    ? `SIMULATED: ${count} nodes, whose TEEs protect nothing.`
    : `Encrypted to ${count} attested ${count === 1 ? "node" : "nodes"}.`;
}

/** Chat's way to the network: asks with payment, proves answers, and says what is to be done before. */
export function NetworkBackend({ children }: { children: ReactNode }) {
  const state = useConnection();
  const payment = usePayment();
  const latest = useRef({ connection: state.connection, payment });
  latest.current = { connection: state.connection, payment };
  const isReady = state.connection !== undefined && payment.step === "ready";
  const words = wordsOf(state, payment, useNetwork().trust);
  const model = state.network?.model.name;
  const isHardware = state.connection?.entry.route.isSimulated === false;
  const backend = useMemo(
    (): ChatBackend => ({
      isReady,
      words,
      isHardware,
      ...(model === undefined ? {} : { model }),
      ask: async (request, onText, signal, tell) => {
        const { connection, payment: paying } = latest.current;
        if (!connection) throw new Error("the network went away: try again");
        const { askNetwork } = await import("./askNetwork");
        const payer = await paying.payer();
        const { entries, chain, entry } = connection;
        const { isSimulated } = entry.route;
        const onPaid = () => void paying.refresh();
        const yardstick = yardstickOf(connection);
        const tools = { entries, chain, yardstick, payer, isSimulated, onPaid };
        return askNetwork(tools, request, onText, signal, tell);
      },
      renderProof: (message, wasOnHardware) => (
        <AnswerProof message={message} wasOnHardware={wasOnHardware} />
      ),
      renderVerdict: (message) => <Verdict message={message} />,
      head: <ModelPicker />,
      welcome: <RoutePanel />,
      step: <PaymentStep />,
      aside: <LiveLine />,
    }),
    [isReady, words, isHardware, model],
  );
  return <ChatBackendContext value={backend}>{children}</ChatBackendContext>;
}
