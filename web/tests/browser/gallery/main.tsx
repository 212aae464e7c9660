// SPDX-License-Identifier: Apache-2.0
import { Suspense, use, useMemo } from "react";
import { createRoot } from "react-dom/client";
import { AnswerFailed, ChatBackendContext, type ChatBackend } from "../../../src/app/chat/backend";
import { openChat } from "../../../src/app/chat/chatStore";
import { ChatView } from "../../../src/app/chat/ChatView";
import LandingPage from "../../../src/app/pages/LandingPage";
import { NetworkContext, type NetworkState } from "../../../src/app/network/network";
import { NodeBadge } from "../../../src/app/proof/NodeBadge";
import { ProofPanel } from "../../../src/app/proof/ProofPanel";
import { useRoute } from "../../../src/app/router/useRoute";
import { Header } from "../../../src/app/shell/Header";
import { startTheme } from "../../../src/app/shell/theme";
import { ToastRegion } from "../../../src/app/shell/Toasts";
import "./gallery.css";
import { longAnswer, picture, proofs } from "./samples";

let refusals = 0;

/** Streams an answer at 100 pieces a second; the words of the question choose which. */
const backend: ChatBackend = {
  isReady: true,
  words: "Sealed to a simulated entry.",
  model: "story",
  renderProof: () => <ProofPanel proof={proofs.simulated!} explorerHref="#/explorer" />,
  async ask(request, onText, signal) {
    const question = request.messages.at(-1)?.text ?? "";
    if (question.includes("fail")) throw new Error("the entry refused");
    if (question.includes("full") && refusals++ === 0) {
      const inAWhile = Math.ceil(Date.now() / 1000) + 3;
      throw new AnswerFailed("overloaded", "The network is full.", inAWhile);
    }
    if (question.includes("hardware") && !request.allowsSimulated) {
      throw new AnswerFailed("simulated_rejected", "They were told nothing.", undefined, true);
    }
    const text = question.includes("long") ? longAnswer() : `You said: **${question}**`;
    for (let at = 0; at < text.length; at += 4) {
      signal.throwIfAborted();
      onText(text.slice(at, at + 4));
      await new Promise((next) => setTimeout(next, 10));
    }
    return { receipts: ["r1"], usage: { promptTokens: 3, completionTokens: 9 }, cost: 51 };
  },
};

/** `?proofs` shows the panels; everything else is the page with a network that is made up. */
function Gallery() {
  const network = useMemo<NetworkState>(() => ({ trust: "simulated", picture }), []);
  if (location.search === "?proofs") {
    return (
      <ToastRegion>
        <main className="mx-auto max-w-2xl space-y-6 p-4">
          <h1 className="text-xl">Proofs</h1>
          {Object.entries(proofs).map(([name, proof]) => (
            <section key={name}>
              <h2 className="mb-2">{name}</h2>
              <ProofPanel proof={proof} onDownload={() => {}} explorerHref="#/explorer" />
            </section>
          ))}
          <h2 className="mb-2">attested</h2>
          <ProofPanel
            proof={proofs.verified!}
            yardstick={{ isOwn: false, words: "The pool is one that the entry names." }}
          />
          <h2>Nodes</h2>
          <p className="flex flex-wrap gap-2">
            {(["checking", "verified", "attested", "simulated", "failed", "unknown"] as const).map(
              (trust) => (
                <NodeBadge
                  key={trust}
                  node={"ab".repeat(32)}
                  layers={[0, 5]}
                  trust={trust}
                  isLive={trust !== "failed"}
                />
              ),
            )}
          </p>
        </main>
      </ToastRegion>
    );
  }
  return (
    <NetworkContext value={network}>
      <ChatBackendContext value={backend}>
        <ToastRegion>
          <Header />
          <main>
            <Suspense fallback={null}>
              <Page />
            </Suspense>
          </main>
        </ToastRegion>
      </ChatBackendContext>
    </NetworkContext>
  );
}

/** Pages that need nothing but what is made up above. */
function Page() {
  return useRoute().page === "chat" ? <ChatView chat={use(openChat())} /> : <LandingPage />;
}

startTheme();
createRoot(document.getElementById("root")!).render(<Gallery />);
