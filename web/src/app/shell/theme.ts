// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore } from "react";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const key = "teetee.theme";
const listeners = new Set<() => void>();
const systemDark = () => matchMedia("(prefers-color-scheme: dark)");

function remembered(): Theme {
  try {
    const text = localStorage.getItem(key);
    return themes.find((theme) => theme === text) ?? "system";
  } catch {
    return "system";
  }
}

let current: Theme | undefined;

function theme(): Theme {
  current ??= remembered();
  return current;
}

/** Puts the theme on the document, as public/theme.js did before the first paint. */
function apply(): void {
  const dark = theme() === "dark" || (theme() === "system" && systemDark().matches);
  const root = document.documentElement;
  root.dataset.theme = dark ? "dark" : "light";
  root.classList.toggle("dark", dark);
  document
    .querySelector('meta[name="theme-color"]')
    ?.setAttribute("content", getComputedStyle(root).getPropertyValue("--paper").trim());
}

/** Call once: follows the system from then on, while the user has not chosen. */
export function startTheme(): void {
  apply();
  systemDark().addEventListener("change", apply);
}

export function setTheme(next: Theme): void {
  current = next;
  try {
    localStorage.setItem(key, next);
  } catch {
    // Not remembered where storage is closed; it holds for this visit.
  }
  apply();
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, theme);
}
