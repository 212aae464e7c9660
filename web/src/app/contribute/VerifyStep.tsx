// SPDX-License-Identifier: Apache-2.0
import { type Ref, useId, useState } from "react";
import { Icon } from "../ui/Icon";
import { problemOfNodeUrl } from "./advice";
import { CheckSteps } from "./CheckSteps";
import { waitingSteps, type NodeQuestion } from "./nodeChecks";
import { TextField } from "./TextField";
import type { Inspection } from "./useInspection";

export type NodeSource = NodeQuestion["source"];

interface Props {
  url: string;
  onUrl: (url: string) => void;
  /** Where the node will be, as its gateway names it. */
  proposedUrl: string | undefined;
  urlField: Ref<HTMLInputElement>;
  inspection: Inspection;
  onStart: (source: NodeSource) => void;
  /** Why nothing can be checked yet. */
  obstacle: string | undefined;
}

/** The node's address, and every check of what it shows there. */
export function VerifyStep(props: Props) {
  const { url, onUrl, proposedUrl, urlField, inspection, onStart, obstacle } = props;
  const { findings, isRunning, cancel } = inspection;
  const [wasTried, setTried] = useState(false);
  const problem = problemOfNodeUrl(url, window.location);
  const start = () => {
    setTried(true);
    if (problem === undefined && obstacle === undefined) onStart({ url: url.trim() });
  };
  return (
    <>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
        className="space-y-3"
      >
        <TextField
          label="The node's URL"
          note="Its status address, port 5001. This page fetches what the node signs there, and believes nothing of it before it is verified."
          example={proposedUrl ?? "https://..-5001.gateway.example"}
          isCode
          type="url"
          input={urlField}
          value={url}
          error={wasTried && url !== "" ? problem : undefined}
          onChange={onUrl}
        />
        <div className="flex flex-wrap items-center gap-2">
          {isRunning ? (
            // Keys: one button that turned into the other within its click would do both.
            <button key="cancel" type="button" onClick={cancel} className="btn btn-quiet min-w-36">
              <Icon name="stop" className="size-4" />
              Cancel
            </button>
          ) : (
            <button
              key="check"
              type="submit"
              disabled={url === ""}
              className="btn btn-solid min-w-36"
            >
              <Icon name="shield" className="size-4" />
              Check the node
            </button>
          )}
          {url === "" && proposedUrl !== undefined ? (
            <button
              type="button"
              onClick={() => onUrl(proposedUrl)}
              className="btn btn-quiet btn-small"
            >
              Take the gateway's address
            </button>
          ) : null}
        </div>
      </form>
      {obstacle === undefined ? null : <p className="text-sm text-failed">{obstacle}</p>}
      <Pasting isDisabled={isRunning || obstacle !== undefined} onStart={onStart} />
      <div aria-live="polite" aria-busy={isRunning}>
        <CheckSteps steps={findings?.steps ?? waitingSteps} />
        {findings?.problem === undefined ? null : (
          <p className="mt-2 text-sm text-failed">{findings.problem}</p>
        )}
      </div>
      <p className="text-sm text-faint">
        What a page cannot look at is the address for other nodes: they dial it by an attested
        certificate. They do so as soon as the node is registered, and its log says if they cannot.
      </p>
    </>
  );
}

interface PastingProps {
  isDisabled: boolean;
  onStart: (source: NodeSource) => void;
}

/** For nodes that the browser may not ask: what they show is signed, whatever way it comes. */
function Pasting({ isDisabled, onStart }: PastingProps) {
  const [text, setText] = useState("");
  const id = useId();
  return (
    <details>
      <summary className="rounded-lg text-sm font-medium">
        The page cannot reach the node? Paste its registration
      </summary>
      <div className="mt-2 space-y-2">
        <label htmlFor={id} className="block text-sm text-soft">
          What <code className="font-mono">/registration</code> of its port 5001 shows, or the file
          of <code className="font-mono">--registration</code>
        </label>
        <textarea
          id={id}
          rows={4}
          value={text}
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
          className="field font-mono text-xs"
        />
        <button
          type="button"
          disabled={isDisabled || text.trim() === ""}
          onClick={() => onStart({ text })}
          className="btn btn-quiet btn-small"
        >
          Check this registration
        </button>
      </div>
    </details>
  );
}
