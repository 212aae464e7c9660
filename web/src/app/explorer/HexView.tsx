// SPDX-License-Identifier: Apache-2.0
import { memo, useEffect, useMemo, useRef } from "react";
import { hexRows, type HexRow } from "./hexRows";
import type { FieldView } from "./views";

interface Props {
  bytes: Uint8Array;
  fields: readonly FieldView[];
  active: string | undefined;
  onActivate: (id: string) => void;
}

/** Raw bytes, in which the bytes of the active field stand out; pointing at bytes makes theirs active. */
export function HexView({ bytes, fields, active, onActivate }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const isOwn = useRef(false);
  const rows = useMemo(() => hexRows(bytes, fields), [bytes, fields]);
  useEffect(() => {
    // Pointing into the bytes must not move them away from under the pointer.
    if (isOwn.current || active === undefined) return;
    const mark = box.current?.querySelector<HTMLElement>(`[data-bytes="${CSS.escape(active)}"]`);
    if (box.current === null || !mark) return;
    const top = mark.offsetTop - box.current.clientHeight / 3;
    box.current.scrollTo({ top });
  }, [active]);
  return (
    <div
      ref={box}
      role="region"
      aria-label="Raw bytes"
      tabIndex={0}
      onPointerEnter={() => (isOwn.current = true)}
      onPointerLeave={() => (isOwn.current = false)}
      onPointerOver={(event) => {
        const id = (event.target as HTMLElement).dataset.bytes;
        if (id) onActivate(id);
      }}
      className="relative max-h-44 overflow-auto rounded-xl border border-line bg-sunken p-3 font-mono text-xs leading-5 lg:max-h-[calc(100dvh-8rem)]"
    >
      {rows.map((row) => (
        <Row
          key={row.offset}
          row={row}
          active={row.segments.some(({ field }) => field === active) ? active : undefined}
        />
      ))}
    </div>
  );
}

const Row = memo(function Row({ row, active }: { row: HexRow; active: string | undefined }) {
  const look = (field: string | undefined) =>
    field !== undefined && field === active ? "rounded-xs bg-ink text-paper" : "";
  return (
    <div className="flex w-max gap-4 whitespace-pre">
      <span className="text-faint select-none">{row.offset.toString(16).padStart(5, "0")}</span>
      <span data-column="hex" className="inline-block w-[47ch]">
        {row.segments.map(({ field, hex }, i) => (
          <span key={i}>
            {i === 0 ? "" : " "}
            <span data-bytes={field} className={look(field)}>
              {hex}
            </span>
          </span>
        ))}
      </span>
      <span aria-hidden="true" className="hidden sm:inline">
        {row.segments.map(({ field, ascii }, i) => (
          <span key={i} data-bytes={field} className={look(field) || "text-soft"}>
            {ascii}
          </span>
        ))}
      </span>
    </div>
  );
});
