// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useState } from "react";
import { CopyButton } from "../ui/CopyButton";
import { ConfirmSheet } from "../ui/Sheet";
import { useToast } from "../shell/Toasts";
import type { Opened } from "./opened";
import { linkTo, type Shared } from "./share";

/** Makes a link to what is open; to a receipt only after asking, since it holds the prompt. */
export function ShareBox({ opened, node }: { opened: Opened; node: number }) {
  const [shared, setShared] = useState<Shared>();
  const [isAsking, setAsking] = useState(false);
  const toast = useToast();
  useEffect(() => setShared(undefined), [opened, node]);
  const make = () => {
    const base = location.href.replace(/#.*$/, "");
    linkTo(opened, node, base).then(setShared, () =>
      toast({ text: "The browser could not pack the link. Send the file.", kind: "error" }),
    );
  };
  const isReceipt = opened.kind === "receipt";
  return (
    <div className="w-full">
      <button
        type="button"
        onClick={isReceipt ? () => setAsking(true) : make}
        className="btn btn-quiet btn-small"
      >
        {isReceipt ? "Link with the prompt's tokens" : "Link to this quote"}
      </button>
      <Made shared={shared} isReceipt={isReceipt} />
      <ConfirmSheet
        title="The link will hold the prompt"
        action="Make the link"
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={make}
      >
        <p>
          A receipt is signed as a whole, with the tokens of prompt and answer: without them nobody
          could check it. So whoever gets this link can read both. It stands behind the #, and is
          sent to no server.
        </p>
        <p className="mt-2">
          Cutting the tokens out would not hide them: the hashes of the request and of the answer
          have no salt, so whoever sees these can test guesses of a short or well-known question.
        </p>
        <p className="mt-2">
          To show who computed it without the prompt, open the quote of a stage and link to that.
        </p>
      </ConfirmSheet>
    </div>
  );
}

function Made({ shared, isReceipt }: { shared: Shared | undefined; isReceipt: boolean }) {
  const id = useId();
  if (shared === undefined) return null;
  if (shared.kind === "tooLarge") {
    return (
      <p role="status" className="mt-2 text-sm">
        It is too large for a link (64 kB is the most): send the file, and open it here.
      </p>
    );
  }
  return (
    <div role="status" className="mt-2 text-sm">
      <label htmlFor={id} className={isReceipt ? "text-failed" : "text-soft"}>
        {isReceipt
          ? "This link contains the prompt's tokens: send it to nobody who may not read the prompt."
          : "This link contains the quote alone, nothing of any prompt."}
        {shared.leftOut === undefined ? "" : ` Left out for its length: ${shared.leftOut}.`}
      </label>
      <div className="mt-1 flex items-center gap-1">
        <input
          id={id}
          readOnly
          value={shared.href}
          onFocus={(event) => event.target.select()}
          className="field font-mono text-xs"
        />
        <CopyButton text={shared.href} label="Copy the link" />
      </div>
    </div>
  );
}
