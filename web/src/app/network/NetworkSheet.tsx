// SPDX-License-Identifier: Apache-2.0
import { useId, useState } from "react";
import { RoutePanel } from "../proof/RoutePanel";
import { Sheet } from "../ui/Sheet";
import { formatPool, parsePool } from "../../chain/deployment";
import { NetworkChanged } from "./knownNetworks";
import { useConnection } from "./NetworkProvider";
import { problemOfPool, problemOfUrl, servingEntry } from "./settings";

interface Props {
  isOpen: boolean;
  onClose: () => void;
}

/** Who is talked to, what was found of them, and where to change it. */
export default function NetworkSheet({ isOpen, onClose }: Props) {
  return (
    <Sheet title="Network" isOpen={isOpen} onClose={onClose}>
      <div className="min-h-0 flex-1 space-y-6 overflow-y-auto p-1">
        <RoutePanel />
        <ChangeButton />
        <NetworkForm onDone={onClose} />
        <p className="text-xs text-faint">
          The page itself you have from {location.host || "a file"}. Whoever serves it decides what
          it checks: for secrets and money open it from a place that you trust.
        </p>
      </div>
    </Sheet>
  );
}

/** Only the user can say that another pool than before is right. */
function ChangeButton() {
  const { error, acceptChange } = useConnection();
  if (!(error instanceof NetworkChanged)) return null;
  return (
    <button type="button" onClick={() => acceptChange(error)} className="btn btn-quiet">
      Use the new one
    </button>
  );
}

function linesOf(text: string): string[] {
  return text
    .split(/\s+/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function NetworkForm({ onDone }: { onDone: () => void }) {
  const { settings, changeSettings, retry, network, error } = useConnection();
  const [entry, setEntry] = useState(settings.entryUrl ?? "");
  const [rpc, setRpc] = useState((settings.rpcUrls ?? []).join("\n"));
  const [pool, setPool] = useState(settings.pool ? formatPool(settings.pool) : "");
  const serving = servingEntry(location);
  const entryProblem = entry.trim() === "" ? undefined : problemOfUrl(entry);
  const rpcProblem = linesOf(rpc)
    .map(problemOfUrl)
    .find((problem) => problem !== undefined);
  const poolText = pool.trim();
  const poolProblem = poolText === "" ? undefined : problemOfPool(poolText);
  const named = network?.chain?.rpcUrls ?? [];
  const isBad = [entryProblem, rpcProblem, poolProblem].some((problem) => problem !== undefined);
  const save = () => {
    if (isBad) return;
    const urls = linesOf(rpc);
    changeSettings({
      ...(entry.trim() === "" ? {} : { entryUrl: entry.trim() }),
      ...(urls.length === 0 ? {} : { rpcUrls: urls }),
      ...(poolText === "" ? {} : { pool: parsePool(poolText) }),
    });
    onDone();
  };
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <TextField
        label="Entry"
        value={entry}
        onChange={setEntry}
        placeholder={serving ?? "https://"}
        problem={entryProblem}
        note={
          serving === undefined
            ? "The URL of the API of an entry."
            : "Empty: the entry that serves this page. The page verifies whomever you name."
        }
      />
      <TextField
        label="Pool"
        value={pool}
        onChange={setPool}
        placeholder={network?.chain ? formatPool(network.chain) : "chain:contract:pool"}
        problem={poolProblem}
        note="Empty: the one that the entry names, and from then on no other. Set it from a place that you trust, as chain:contract:pool."
      />
      <TextField
        label="RPC endpoints of the chain"
        value={rpc}
        onChange={setRpc}
        placeholder={named.join("\n") || "https://"}
        problem={rpcProblem}
        rows={3}
        note={
          named.length > 0
            ? "Empty: those that the entry names. With your own, and a pool that you have set, the entry's word counts for nothing."
            : "One a line. The entry names none, so without one the contract cannot be read."
        }
      />
      <div className="flex flex-wrap gap-2">
        <button type="submit" disabled={isBad} className="btn btn-solid">
          Save and connect
        </button>
        {error === undefined ? null : (
          <button type="button" onClick={retry} className="btn btn-quiet">
            Try again now
          </button>
        )}
      </div>
    </form>
  );
}

interface FieldProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
  placeholder: string;
  problem: string | undefined;
  note: string;
  rows?: number;
}

function TextField({ label, value, onChange, placeholder, problem, note, rows = 1 }: FieldProps) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <textarea
        id={id}
        value={value}
        rows={rows}
        spellCheck={false}
        autoComplete="off"
        placeholder={placeholder}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}note`}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || rows > 1) return;
          event.preventDefault();
          event.currentTarget.form?.requestSubmit();
        }}
        className={`field resize-none font-mono text-sm ${problem === undefined ? "" : "border-failed"}`}
      />
      <p
        id={`${id}note`}
        className={`mt-1 text-xs ${problem === undefined ? "text-faint" : "text-failed"}`}
      >
        {problem ?? note}
      </p>
    </div>
  );
}
