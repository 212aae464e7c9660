// SPDX-License-Identifier: Apache-2.0
import { useId, useState, type KeyboardEvent } from "react";
import { heightScale, shortCount, ticksFor } from "./scale";
import type { Point } from "./series";

interface Props {
  title: string;
  points: readonly Point[];
  /** "tokens", "credits". */
  unit: string;
  valueText: (value: number) => string;
  timeText: (from: number) => string;
  /** What the bars have in common, in words: for whoever does not see them. */
  summary: string;
  /** The top of the scale, where the values do not decide it. */
  most?: number;
}

const width = 640;
const height = 180;
const left = 44;
const bottom = 22;
const top = 8;

/** Bars over time: a picture with a line that says what the chosen bar is, and the same as a table. */
export function BarChart({ title, points, unit, valueText, timeText, summary, most }: Props) {
  const [chosen, setChosen] = useState<number>();
  const [isTable, setTable] = useState(false);
  const id = useId();
  const point = chosen === undefined ? undefined : points[chosen];
  const textOf = ({ value }: Point) => (value === undefined ? "not measured" : valueText(value));
  return (
    <figure className="card min-w-0 p-4" aria-labelledby={id}>
      <figcaption className="flex flex-wrap items-center justify-between gap-2">
        <span id={id} className="font-medium">
          {title}
        </span>
        <button
          type="button"
          aria-pressed={isTable}
          onClick={() => setTable(!isTable)}
          className="btn btn-plain btn-small text-soft"
        >
          As a table<span className="sr-only">: {title}</span>
        </button>
      </figcaption>
      {isTable ? (
        <Table title={title} unit={unit} points={points} timeText={timeText} textOf={textOf} />
      ) : (
        <Picture
          points={points}
          most={most}
          label={`${title}. ${summary}`}
          chosen={chosen}
          onChoose={setChosen}
          timeText={timeText}
        />
      )}
      <p role="status" className="min-h-6 text-sm text-soft tabular-nums">
        {isTable || point === undefined ? summary : `${timeText(point.from)}: ${textOf(point)}`}
      </p>
    </figure>
  );
}

interface PictureProps {
  points: readonly Point[];
  most: number | undefined;
  label: string;
  chosen: number | undefined;
  onChoose: (index: number | undefined) => void;
  timeText: (from: number) => string;
}

function Picture({ points, most, label, chosen, onChoose, timeText }: PictureProps) {
  const highest = Math.max(0, ...points.map(({ value }) => value ?? 0));
  const ticks = ticksFor(most ?? highest);
  const scale = heightScale(ticks.at(-1) ?? 1, height - top - bottom);
  const step = (width - left) / Math.max(1, points.length);
  const onKey = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };
    const move = moves[event.key];
    if (move === undefined || points.length === 0) return;
    event.preventDefault();
    const from = chosen ?? (move > 0 ? -1 : points.length);
    onChoose(Math.min(points.length - 1, Math.max(0, from + move)));
  };
  const first = points[0];
  const last = points.at(-1);
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${label} Arrow keys go through the bars.`}
      tabIndex={0}
      onKeyDown={onKey}
      onBlur={() => onChoose(undefined)}
      onPointerLeave={() => onChoose(undefined)}
      className="mt-2 block aspect-[640/180] w-full rounded"
    >
      {ticks.map((tick) => (
        <g key={tick} transform={`translate(0 ${top + scale(tick)})`}>
          <line x1={left} x2={width} className="stroke-line" />
          <text x={left - 6} dy="0.32em" textAnchor="end" fontSize="11" className="fill-faint">
            {shortCount(tick)}
          </text>
        </g>
      ))}
      {points.map((point, i) => (
        <Bar
          key={point.from}
          index={i}
          x={left + i * step}
          step={step}
          value={point.value}
          barTop={scale(point.value ?? 0)}
          isChosen={i === chosen}
          onChoose={onChoose}
        />
      ))}
      <g fontSize="11" className="fill-faint">
        <text x={left} y={height - 6}>
          {first === undefined ? "" : timeText(first.from)}
        </text>
        {last === undefined || points.length < 2 ? null : (
          <text x={width} y={height - 6} textAnchor="end">
            {timeText(last.from)}
          </text>
        )}
      </g>
    </svg>
  );
}

interface BarProps {
  index: number;
  x: number;
  step: number;
  value: number | undefined;
  barTop: number;
  isChosen: boolean;
  onChoose: (index: number) => void;
}

/** One bar, and the whole column as what can be pointed at. */
function Bar({ index, x, step, value, barTop, isChosen, onChoose }: BarProps) {
  const full = height - top - bottom;
  const gap = Math.min(2, step / 4);
  const place = { x: x + gap, width: Math.max(1, step - 2 * gap) };
  return (
    <g onPointerEnter={() => onChoose(index)}>
      <rect x={x} y={top} width={step} height={full} fill="transparent" />
      {value === undefined ? (
        <rect {...place} y={top + full - 2} height={2} className="fill-line-strong opacity-50" />
      ) : (
        <rect
          {...place}
          data-bar={index}
          y={top + barTop}
          height={Math.max(value > 0 ? 1 : 0, full - barTop)}
          rx={Math.min(2, step / 4)}
          className={isChosen ? "fill-link" : "fill-ink"}
        />
      )}
    </g>
  );
}

interface TableProps extends Pick<Props, "title" | "unit" | "points" | "timeText"> {
  textOf: (point: Point) => string;
}

function Table({ title, unit, points, timeText, textOf }: TableProps) {
  return (
    <div
      role="region"
      aria-label={`Table of ${title}`}
      tabIndex={0}
      className="mt-2 aspect-[640/180] min-h-40 w-full overflow-y-auto"
    >
      <table className="w-full text-left text-sm tabular-nums">
        <thead>
          <tr className="text-soft">
            <th scope="col" className="py-1 font-medium">
              from
            </th>
            <th scope="col" className="py-1 text-right font-medium">
              {unit}
            </th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={point.from} className="border-t border-line">
              <th scope="row" className="py-1 font-normal">
                {timeText(point.from)}
              </th>
              <td className="py-1 text-right">{textOf(point)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
