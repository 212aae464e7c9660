// SPDX-License-Identifier: Apache-2.0
import { TeeTeeError } from "../../base/error";
import { MemoryStorage, summarise, type ConversationStorage } from "./storage";
import type { Conversation, ConversationSummary } from "./types";

const databaseName = "teetee";
const version = 1;

function storageError(error: DOMException | null): TeeTeeError {
  return new TeeTeeError("io_failed", `browser storage: have ${error?.name ?? "no answer"}`);
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(storageError(request.error));
  });
}

/** Commits at once: a page that is going waits for no requests. */
function finished(transaction: IDBTransaction): Promise<void> {
  transaction.commit();
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(storageError(transaction.error));
  });
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseName, version);
  request.onupgradeneeded = () => {
    // The list is read at every start, the texts only when they are opened: two stores.
    request.result.createObjectStore("conversations", { keyPath: "id" });
    request.result.createObjectStore("summaries", { keyPath: "id" });
  };
  return result(request);
}

const both = ["conversations", "summaries"];

class IndexedDbStorage implements ConversationStorage {
  readonly isKept = true;

  constructor(private readonly database: IDBDatabase) {
    // Another tab with a newer page wants to upgrade: let it.
    database.onversionchange = () => database.close();
  }

  summaries(): Promise<ConversationSummary[]> {
    const store = this.database.transaction("summaries").objectStore("summaries");
    return result(store.getAll() as IDBRequest<ConversationSummary[]>);
  }

  get(id: string): Promise<Conversation | undefined> {
    const store = this.database.transaction("conversations").objectStore("conversations");
    return result(store.get(id) as IDBRequest<Conversation | undefined>);
  }

  async put(conversation: Conversation): Promise<void> {
    const transaction = this.database.transaction(both, "readwrite");
    transaction.objectStore("conversations").put(conversation);
    transaction.objectStore("summaries").put(summarise(conversation));
    await finished(transaction);
  }

  async remove(id: string): Promise<void> {
    const transaction = this.database.transaction(both, "readwrite");
    for (const name of both) transaction.objectStore(name).delete(id);
    await finished(transaction);
  }

  async clear(): Promise<void> {
    const transaction = this.database.transaction(both, "readwrite");
    for (const name of both) transaction.objectStore(name).clear();
    await finished(transaction);
  }
}

/** The browser's storage; where it gives the page none, one that is gone with the page. */
export async function openStorage(): Promise<ConversationStorage> {
  try {
    return new IndexedDbStorage(await openDatabase());
  } catch {
    return new MemoryStorage();
  }
}
