// SPDX-License-Identifier: Apache-2.0
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
} from "react";
import { Icon } from "../ui/Icon";

export interface Toast {
  text: string;
  /** Errors interrupt a screen reader and stay until they are closed. */
  kind?: "note" | "error";
}

interface ShownToast extends Toast {
  id: number;
}

const ToastContext = createContext<(toast: Toast) => void>(() => {});

/** Shows a short text at the edge of the window. */
export function useToast(): (toast: Toast) => void {
  return useContext(ToastContext);
}

const shownMs = 6000;
const shownLimit = 4;

export function ToastRegion({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly ShownToast[]>([]);
  const lastId = useRef(0);
  const show = useCallback((toast: Toast) => {
    lastId.current += 1;
    const id = lastId.current;
    setToasts((before) => [...before, { ...toast, id }].slice(-shownLimit));
  }, []);
  const close = useCallback((id: number) => {
    setToasts((before) => before.filter((toast) => toast.id !== id));
  }, []);
  const notes = useMemo(() => toasts.filter((toast) => toast.kind !== "error"), [toasts]);
  const errors = useMemo(() => toasts.filter((toast) => toast.kind === "error"), [toasts]);
  return (
    <ToastContext value={show}>
      {children}
      <div className="pointer-events-none fixed inset-x-0 bottom-0 z-50 flex flex-col items-center gap-2 p-4 sm:items-end">
        <div aria-live="assertive" className="flex flex-col gap-2">
          {errors.map((toast) => (
            <ToastView key={toast.id} toast={toast} close={close} />
          ))}
        </div>
        <div aria-live="polite" className="flex flex-col gap-2">
          {notes.map((toast) => (
            <ToastView key={toast.id} toast={toast} close={close} />
          ))}
        </div>
      </div>
    </ToastContext>
  );
}

function ToastView({ toast, close }: { toast: ShownToast; close: (id: number) => void }) {
  const isError = toast.kind === "error";
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (isError || held) return;
    const timer = setTimeout(() => close(toast.id), shownMs);
    return () => clearTimeout(timer);
  }, [isError, held, close, toast.id]);
  return (
    <div
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className={`pointer-events-auto flex max-w-md items-start gap-3 rounded-xl border bg-surface px-4 py-3 text-sm shadow-lg ${
        isError ? "border-failed text-failed" : "border-line text-ink"
      }`}
    >
      <span className="min-w-0 break-words">{toast.text}</span>
      <button
        type="button"
        onClick={() => close(toast.id)}
        aria-label="Close this note"
        className="-my-1 -mr-2 grid size-7 shrink-0 place-items-center rounded-lg text-soft hover:text-ink"
      >
        <Icon name="close" className="size-4" />
      </button>
    </div>
  );
}
