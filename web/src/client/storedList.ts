// SPDX-License-Identifier: Apache-2.0

/** Of the browser, or what stands in its place. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** At most so many that `parse` takes; what is not as this page writes it counts as not there. */
export function readStoredList<T>(
  storage: TextStorage,
  key: string,
  max: number,
  parse: (value: unknown) => T | undefined,
): T[] {
  let value: unknown;
  try {
    value = JSON.parse(storage.getItem(key) ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, max)
    .map((one) => parse(one))
    .filter((one) => one !== undefined);
}

/** With big integers as texts of digits. Throws what the storage throws, where it is full or closed. */
export function writeStoredList(storage: TextStorage, key: string, list: readonly unknown[]): void {
  const text = (_: string, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value;
  storage.setItem(key, JSON.stringify(list, text));
}
