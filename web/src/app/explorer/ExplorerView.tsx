// SPDX-License-Identifier: Apache-2.0
import { useConnection } from "../network/NetworkProvider";
import { hrefOf } from "../router/route";
import { downloadFile } from "../ui/downloadFile";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { OpenBox } from "./OpenBox";
import type { Opened } from "./opened";
import type { DocumentError } from "./placedError";
import { QuotePanel } from "./QuotePanel";
import { ReceiptPanel } from "./ReceiptPanel";
import { ShareBox } from "./ShareBox";
import { VerdictBanner } from "./VerdictBanner";
import { helpFor } from "./words";
import { useExplorer, type ExplorerState } from "./useExplorer";

/** The explorer: what is open, what it is held against, and every check. */
export function ExplorerView() {
  const explorer = useExplorer();
  const { opened, error, isReading } = explorer;
  return (
    <div className="space-y-8">
      <OpenBox isBusy={isReading} onText={explorer.readText} onFiles={explorer.readFiles}>
        {opened === undefined ? null : (
          <button type="button" onClick={explorer.close} className="btn btn-plain">
            Close what is open
          </button>
        )}
      </OpenBox>
      {error === undefined ? null : <Problem error={error} />}
      {opened === undefined ? (
        error === undefined && !isReading ? (
          <Nothing />
        ) : null
      ) : (
        <Open explorer={explorer} />
      )}
    </div>
  );
}

function Nothing() {
  return (
    <EmptyState
      icon="search"
      title="Nothing is open"
      actions={
        <a href={hrefOf("chat")} className="btn btn-quiet">
          Go to chat
        </a>
      }
    >
      Each answer in chat has a receipt. Open one from its proof to see who computed which layers,
      with which code and weights.
    </EmptyState>
  );
}

/** What is wrong with a document, and where. */
function Problem({ error }: { error: DocumentError }) {
  const { place, detail, code } = error;
  const help = helpFor(code);
  return (
    <div role="alert" data-error={code} className="rounded-2xl bg-failed-soft p-5 text-failed">
      <h2 className="font-semibold">This cannot be read</h2>
      <p className="break-words">{detail}</p>
      {place === undefined ? null : (
        <>
          <p className="mt-2">
            Line {place.line}, character {place.column}:
          </p>
          <pre
            tabIndex={0}
            aria-label="The text around the place"
            className="mt-1 overflow-x-auto rounded-lg bg-surface p-2 font-mono text-xs text-ink"
          >
            {place.excerpt}
            {"\n"}
            {" ".repeat(place.before)}^
          </pre>
        </>
      )}
      {help === undefined ? null : <p className="mt-2">{help}</p>}
    </div>
  );
}

function Open({ explorer }: { explorer: ExplorerState }) {
  const { opened, judged, error } = explorer;
  if (opened === undefined) return null;
  return (
    <div className="space-y-6">
      <Against explorer={explorer} />
      {opened.kind === "quote" && opened.nodes.length > 1 ? <Nodes explorer={explorer} /> : null}
      <div className="flex flex-wrap items-start gap-2">
        {opened.kind === "receipt" ? (
          <button
            type="button"
            onClick={() => downloadFile("receipt.json", opened.text)}
            className="btn btn-quiet btn-small"
          >
            <Icon name="download" className="size-4" />
            Download the receipt
          </button>
        ) : null}
        {opened.kind === "quote" && opened.within !== undefined ? (
          <BackButton explorer={explorer} to={opened.within} />
        ) : null}
        <ShareBox opened={opened} node={explorer.node} />
      </div>
      {judged === undefined ? (
        error === undefined ? (
          <VerdictBanner verdict={undefined} title="Checking">
            <p>Signatures, hashes and counts are being checked in this page.</p>
          </VerdictBanner>
        ) : null
      ) : judged.kind === "receipt" && opened.kind === "receipt" ? (
        <ReceiptPanel
          view={judged.view}
          text={opened.text}
          onOpenQuote={({ statement }, quote) =>
            explorer.show({
              kind: "quote",
              nodes: [{ kind: "quote", quote, statement }],
              collateral: opened.collateral,
              at: judged.view.finishedAt,
              within: opened,
            })
          }
        />
      ) : judged.kind === "quote" && opened.kind === "quote" ? (
        <QuotePanel
          view={judged.view}
          bytes={(opened.nodes[explorer.node] ?? opened.nodes[0]!).quote}
          onJudgeAt={explorer.judgeAt}
        />
      ) : null}
    </div>
  );
}

function BackButton({ explorer, to }: { explorer: ExplorerState; to: Opened }) {
  return (
    <button type="button" onClick={() => explorer.show(to)} className="btn btn-quiet btn-small">
      Back to the receipt
    </button>
  );
}

/** What it is held against, in words and by choice. */
function Against({ explorer }: { explorer: ExplorerState }) {
  const { phase, error } = useConnection();
  const { against, terms, chooseAgainst } = explorer;
  const why =
    phase === "connecting"
      ? "The page is still connecting to a network; it will be held against that."
      : phase === "failed"
        ? `No network is connected (${error?.message ?? ""}), so only what can be checked alone is checked.`
        : "Only what can be checked without a network is checked.";
  return (
    <div className="flex min-h-10 flex-wrap items-center gap-x-4 gap-y-2 text-sm">
      <p className="min-w-0 break-words">
        {against === "network"
          ? `Held against the policy, the manifest and Intel's documents of ${terms?.name}.`
          : why}
      </p>
      {terms === undefined ? null : (
        <button
          type="button"
          onClick={() => chooseAgainst(against === "network" ? "alone" : "network")}
          className="btn btn-quiet btn-small"
        >
          {against === "network" ? "Check it alone" : `Hold it against ${terms.name}`}
        </button>
      )}
    </div>
  );
}

function Nodes({ explorer }: { explorer: ExplorerState }) {
  const { opened, node, chooseNode } = explorer;
  if (opened?.kind !== "quote") return null;
  return (
    <div role="group" aria-label="Nodes of the route" className="flex flex-wrap gap-2">
      {opened.nodes.map((_, i) => (
        <button
          key={i}
          type="button"
          aria-pressed={i === node}
          onClick={() => chooseNode(i)}
          className={`btn btn-small ${i === node ? "btn-solid" : "btn-quiet"}`}
        >
          Node {i + 1}
          {i === 0 ? ", the entry" : ""}
        </button>
      ))}
    </div>
  );
}
