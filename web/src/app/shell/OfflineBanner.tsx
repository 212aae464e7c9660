// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore } from "react";

function subscribe(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

/** Lies over the page, so that nothing below it moves when it comes and goes. */
export function OfflineBanner() {
  const online = useSyncExternalStore(subscribe, () => navigator.onLine);
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-0 top-16 z-40 flex justify-center px-4"
    >
      {online ? null : (
        <p className="rounded-full bg-ink px-4 py-2 text-center text-sm text-paper shadow-lg">
          This device is offline. What you have written is kept.
        </p>
      )}
    </div>
  );
}
