// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { CopyButton } from "../ui/CopyButton";
import { shortHex } from "../proof/proof";

/** A hash or an address, shortened for the eye, whole for copying. */
export function ShortValue({ value, what }: { value: string; what: string }) {
  return (
    <span className="inline-flex items-center gap-1 whitespace-nowrap">
      <code title={value} className="font-mono text-xs">
        {shortHex(value)}
      </code>
      <CopyButton text={value} label={`Copy ${what}`} />
    </span>
  );
}

/** A line of a list of values: its name and what stands for it. */
export function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid min-h-8 grid-cols-[7rem_1fr] items-center gap-x-3">
      <dt className="text-sm text-faint">{name}</dt>
      <dd className="min-w-0 text-sm break-words">{children}</dd>
    </div>
  );
}

/** A link that somebody else has written: followed only where it is of the web. */
export function ForeignLink({ uri }: { uri: string }) {
  if (uri === "") return <span className="text-faint">none named</span>;
  if (!/^https?:\/\/[^\s]+$/.test(uri)) return <span className="break-all">{uri}</span>;
  return (
    <a
      href={uri}
      rel="noreferrer noopener"
      target="_blank"
      className="break-all text-link underline underline-offset-2"
    >
      {uri}
    </a>
  );
}
