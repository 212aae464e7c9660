// SPDX-License-Identifier: Apache-2.0
// Times in seconds since 1970, and the one form of ISO 8601 that Intel's documents use.
import { fail } from "./error";
import { quoteForeign } from "./text";

/** Seconds since 1970, UTC. */
export type UnixSeconds = number;

/** The end of the year 9999: the last time that X.509 can write. */
export const unixSecondsMax: UnixSeconds = 253402300799;

/** Seconds of a date that exists, from 1950 to 9999; undefined for one that does not. */
export function secondsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): UnixSeconds | undefined {
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1) return undefined;
  if (date.getUTCDate() !== day) return undefined;
  return date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
}

/** "2026-01-12T16:27:21Z", years 1970 to 9999. Error: `invalid_argument`. */
export function parseUtc(text: string): UnixSeconds {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z$/.exec(text);
  const [year, month, day, hour, minute, second] = (parts ?? []).slice(1).map(Number);
  const seconds =
    parts === null || text.length !== 20
      ? undefined
      : secondsOf(year!, month!, day!, hour!, minute!, second!);
  if (seconds === undefined || seconds < 0) {
    fail("invalid_argument", `time: have ${quoteForeign(text)}, need YYYY-MM-DDThh:mm:ssZ`);
  }
  return seconds;
}

/** The same form; a time that it cannot write comes as its number. */
export function formatUtc(time: UnixSeconds): string {
  if (time < 0 || time > unixSecondsMax) return String(time);
  return new Date(time * 1000).toISOString().replace(".000Z", "Z");
}

/** "1768235241 (2026-01-12T16:27:21Z)", for error texts. */
export function describeTime(time: UnixSeconds): string {
  return `${time} (${formatUtc(time)})`;
}
