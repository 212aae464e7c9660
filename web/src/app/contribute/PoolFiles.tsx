// SPDX-License-Identifier: Apache-2.0
import { useId, useState } from "react";
import { manifestBytesMax, policyBytesMax } from "../../client/limits";
import type { PoolTerms } from "../pools/poolView";
import { ForeignLink } from "../pools/ShortValue";

/** What a pool's nodes are held against. */
export interface PoolDocuments {
  readonly manifest: Uint8Array;
  readonly policy: Uint8Array;
}

interface Props {
  title: string;
  terms: PoolTerms | undefined;
  known: Partial<PoolDocuments>;
  onOpen: (part: Partial<PoolDocuments>) => void;
}

/**
 * For a pool of which no entry is connected: its two files, from wherever they are had. The contract
 * has the hashes of both, and the page asks no server that a stranger has named.
 */
export function PoolFiles({ title, terms, known, onOpen }: Props) {
  return (
    <div className="space-y-3 rounded-xl border border-line p-4 text-sm">
      <p className="text-soft">
        No entry of {title} is connected. Open one of its entries in the settings of the network, or
        open the pool's manifest and policy here; both are held against the contract.
      </p>
      <FileField
        label="Manifest"
        uri={terms?.manifestUri ?? ""}
        bytesMax={manifestBytesMax}
        isThere={known.manifest !== undefined}
        onBytes={(manifest) => onOpen({ manifest })}
      />
      <FileField
        label="Policy"
        uri={terms?.policyUri ?? ""}
        bytesMax={policyBytesMax}
        isThere={known.policy !== undefined}
        onBytes={(policy) => onOpen({ policy })}
      />
    </div>
  );
}

interface FileFieldProps {
  label: string;
  uri: string;
  bytesMax: number;
  isThere: boolean;
  onBytes: (bytes: Uint8Array) => void;
}

function FileField({ label, uri, bytesMax, isThere, onBytes }: FileFieldProps) {
  const id = useId();
  const [error, setError] = useState<string>();
  const read = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > bytesMax) {
      setError(`${label}: have ${file.size} bytes, need at most ${bytesMax}`);
      return;
    }
    setError(undefined);
    onBytes(new Uint8Array(await file.arrayBuffer()));
  };
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <label htmlFor={id} className="w-20 font-medium">
        {label}
      </label>
      <input
        id={id}
        type="file"
        accept="application/json,.json"
        onChange={(event) => void read(event.target.files?.[0])}
        className="max-w-full"
      />
      <span className={error === undefined ? "text-faint" : "text-failed"}>
        {error ?? (isThere ? "opened" : <ForeignLink uri={uri} />)}
      </span>
    </div>
  );
}
