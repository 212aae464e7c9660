// SPDX-License-Identifier: Apache-2.0
// Receipts that other pages hand to the explorer (`#/explorer?id=..`), without a trace in the URL but
// the id. They are kept in this browser, so that a reload or another tab shows the same.
import { randomId } from "./randomId";

/** What is handed over; beside the receipt what is at hand of its request. */
export interface HandedOver {
  /** As it came from the entry. */
  readonly receipt: Uint8Array<ArrayBuffer>;
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

/** Where the browser keeps nothing, they are gone with the page. */
const memory = new Map<string, HandedOver>();

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

/** Hands something over; the id under which `take` finds it. Never fails: memory is the last resort. */
export async function put(item: HandedOver): Promise<string> {
  const id = randomId();
  memory.set(id, item);
  const now = Date.now();
  await withStore("readwrite", async (store) => {
    const kept = await result(store.getAll() as IDBRequest<Kept[]>);
    const fresh = kept
      .filter((one) => now - one.putAt < keptForMs)
      .sort((a, b) => b.putAt - a.putAt)
      .slice(0, keptMax - 1);
    const stays = new Set(fresh.map((one) => one.id));
    for (const one of kept) if (!stays.has(one.id)) store.delete(one.id);
    await result(store.put({ ...item, id, putAt: now } satisfies Kept));
  });
  return id;
}

/** What was put under the id; undefined where it is gone. It stays, for a reload. */
export async function take(id: string): Promise<HandedOver | undefined> {
  const known = memory.get(id);
  if (known !== undefined) return known;
  return withStore("readonly", (store) => result(store.get(id) as IDBRequest<Kept | undefined>));
}
