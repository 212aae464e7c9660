// SPDX-License-Identifier: Apache-2.0
// Receipts that other pages hand to the explorer (`#/explorer?id=..`), without a trace in the URL but
// the id. They are kept in this browser for a day, so that a reload or another tab shows the same; they
// hold prompts, so they go with the conversations that they are of.
import { randomId } from "./randomId";

/** What is handed over; beside the receipt what is at hand of its request. */
export interface HandedOver {
  /** As it came from the entry. */
  readonly receipt: Uint8Array<ArrayBuffer>;
  /** As the conversation has it, with which it goes. */
  readonly receiptId?: string;
  /** Bodies, for their hashes: the request as it was sent, the answer's text in UTF-8. */
  readonly request?: Uint8Array<ArrayBuffer>;
  readonly answer?: Uint8Array<ArrayBuffer>;
  /** Where it came from, whose anchor is asked for there. */
  readonly entryUrl?: string;
}

interface Kept extends HandedOver {
  readonly id: string;
  /** Unix milliseconds. */
  readonly putAt: number;
}

const databaseName = "teetee-explorer";
const storeName = "documents";
/** So many are kept, for so long. */
const keptMax = 24;
const keptForMs = 24 * 3600 * 1000;
const clockSlackMs = 60_000;

/** Where the browser keeps nothing, they are gone with the page. */
const memory = new Map<string, Kept>();

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error("browser storage"));
  });
}

async function withStore<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => Promise<T>,
): Promise<T | undefined> {
  try {
    const opening = indexedDB.open(databaseName, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore(storeName, { keyPath: "id" });
    };
    const database = await result(opening);
    try {
      return await work(database.transaction(storeName, mode).objectStore(storeName));
    } finally {
      database.close();
    }
  } catch {
    return undefined;
  }
}

/** What is of a later time than now, by a clock that was set back, has no end: it has ended. */
function isFresh({ putAt }: Kept, now: number): boolean {
  return putAt <= now + clockSlackMs && now - putAt < keptForMs;
}

async function readAll(store: IDBObjectStore): Promise<Kept[]> {
  return result(store.getAll() as IDBRequest<Kept[]>);
}

/** Deletes all that is not to stay; resolves when that is done. */
async function keepOnly(store: IDBObjectStore, stays: (one: Kept) => boolean): Promise<void> {
  const gone = (await readAll(store)).filter((one) => !stays(one));
  await Promise.all(gone.map(({ id }) => result(store.delete(id))));
}

/** Hands something over; the id under which `take` finds it. Never fails: memory is the last resort. */
export async function put(item: HandedOver): Promise<string> {
  const id = randomId();
  const now = Date.now();
  const kept = { ...item, id, putAt: now } satisfies Kept;
  const isKept = await withStore("readwrite", async (store) => {
    const fresh = (await readAll(store))
      .filter((one) => isFresh(one, now))
      .sort((a, b) => b.putAt - a.putAt)
      .slice(0, keptMax - 1);
    const stays = new Set(fresh.map((one) => one.id));
    await keepOnly(store, (one) => stays.has(one.id));
    await result(store.put(kept));
    return true;
  });
  if (!isKept) {
    memory.set(id, kept);
    for (const oldest of memory.keys()) if (memory.size > keptMax) memory.delete(oldest);
  }
  return id;
}

/** What was put under the id; undefined where it is gone, or a day old. It stays, for a reload. */
export async function take(id: string): Promise<HandedOver | undefined> {
  const kept =
    memory.get(id) ??
    (await withStore("readonly", (store) => result(store.get(id) as IDBRequest<Kept | undefined>)));
  return kept !== undefined && isFresh(kept, Date.now()) ? kept : undefined;
}

async function forget(stays: (one: Kept) => boolean): Promise<void> {
  for (const [id, one] of memory) if (!stays(one)) memory.delete(id);
  await withStore("readwrite", (store) => keepOnly(store, stays));
}

/** Drops what has had its time; for the page's start. */
export function sweep(): Promise<void> {
  const now = Date.now();
  return forget((one) => isFresh(one, now));
}

/** Drops what was handed over of answers that are deleted, by the ids of their receipts. */
export async function forgetReceipts(receiptIds: readonly string[]): Promise<void> {
  if (receiptIds.length === 0) return;
  await forget(({ receiptId }) => receiptId === undefined || !receiptIds.includes(receiptId));
}

/** Drops everything. */
export function forgetAll(): Promise<void> {
  return forget(() => false);
}
