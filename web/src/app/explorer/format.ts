// SPDX-License-Identifier: Apache-2.0

/** A hash, short enough for a line; with 0x or without. */
export function shorten(hex: string): string {
  return hex.length <= 22 ? hex : `${hex.slice(0, 12)}…${hex.slice(-6)}`;
}

/** "512 bytes", "12.4 kB", "3.1 MB"; of 1000 each. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`;
}

/** Seconds of 1970 as the reader's clock has them, and UTC behind it. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${date.toLocaleString()} (${date.toISOString().slice(0, 16).replace("T", " ")} UTC)`;
}
