// SPDX-License-Identifier: Apache-2.0
import { useState } from "react";

const pageCharacters = 4096;

/** The exact text, a page at a time: a document of one long line would hold up the browser. */
export function RawText({ text }: { text: string }) {
  const [page, setPage] = useState(0);
  const pages = Math.max(1, Math.ceil(text.length / pageCharacters));
  const begin = page * pageCharacters;
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2 text-sm">
        <button
          type="button"
          disabled={page === 0}
          onClick={() => setPage(page - 1)}
          className="btn btn-quiet btn-small"
        >
          Before
        </button>
        <button
          type="button"
          disabled={page + 1 >= pages}
          onClick={() => setPage(page + 1)}
          className="btn btn-quiet btn-small"
        >
          Behind
        </button>
        <span role="status" className="text-soft tabular-nums">
          Part {page + 1} of {pages}, {text.length.toLocaleString("en")} characters in all
        </span>
      </div>
      <pre
        tabIndex={0}
        aria-label="The exact text"
        className="mt-2 h-64 overflow-auto rounded-xl border border-line bg-sunken p-3 font-mono text-xs break-all whitespace-pre-wrap"
      >
        {text.slice(begin, begin + pageCharacters)}
      </pre>
    </div>
  );
}
