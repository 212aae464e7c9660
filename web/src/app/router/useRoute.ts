// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore } from "react";
import { hrefOf, parseRoute, type Page, type Route } from "./route";

let current: Route = parseRoute(globalThis.location?.hash ?? "");
let navigations = 0;
const listeners = new Set<() => void>();

function onHashChange(): void {
  const before = current;
  current = parseRoute(location.hash);
  if (before.page !== current.page) {
    navigations += 1;
    window.scrollTo(0, 0);
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("hashchange", onHashChange);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener("hashchange", onHashChange);
  };
}

/** Where the page is; renders anew when that changes. */
export function useRoute(): Route {
  return useSyncExternalStore(subscribe, () => current);
}

/** How often another page was gone to: 0 until the first, so that loading moves no focus. */
export function navigationCount(): number {
  return navigations;
}

/** Goes to a page; `replace` leaves no step behind for the back button. */
export function navigate(
  page: Page,
  rest: readonly string[] = [],
  query: Readonly<Record<string, string>> = {},
  replace = false,
): void {
  const href = hrefOf(page, rest, query);
  if (!replace) {
    location.hash = href;
    return;
  }
  history.replaceState(null, "", href);
  onHashChange();
}
