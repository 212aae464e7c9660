// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { hrefOf, type Page } from "../router/route";
import { useRoute } from "../router/useRoute";
import { Icon } from "../ui/Icon";
import { Mark } from "../ui/Mark";
import { NetworkIndicator } from "./NetworkIndicator";
import { ThemeSwitch } from "./ThemeSwitch";

const links: readonly { page: Page; label: string }[] = [
  { page: "chat", label: "Chat" },
  { page: "models", label: "Models" },
  { page: "contribute", label: "Contribute" },
  { page: "dashboard", label: "Dashboard" },
  { page: "explorer", label: "Explorer" },
];

function PageLinks({ tall = false, onFollow }: { tall?: boolean; onFollow?: () => void }) {
  const { page } = useRoute();
  return (
    <ul className={tall ? "flex flex-col" : "flex items-center gap-1"}>
      {links.map((link) => (
        <li key={link.page}>
          <a
            href={hrefOf(link.page)}
            onClick={onFollow}
            aria-current={link.page === page ? "page" : undefined}
            className={`block rounded-lg px-3 text-soft hover:text-ink aria-[current]:font-medium aria-[current]:text-ink ${
              tall ? "py-3 text-lg" : "py-2 text-sm"
            }`}
          >
            {link.label}
          </a>
        </li>
      ))}
    </ul>
  );
}

/** `wallet` is the wallet's button: outermost, so that nothing moves when it comes. */
export function Header({ wallet }: { wallet?: ReactNode }) {
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-paper/95 backdrop-blur-sm">
      <div className="mx-auto flex h-14 max-w-7xl items-center gap-2 px-4 sm:gap-4">
        <a href={hrefOf("home")} className="flex items-center gap-2 rounded-lg font-semibold">
          <Mark className="size-7" />
          <span>TeeTee</span>
        </a>
        <nav aria-label="Pages" className="hidden lg:block">
          <PageLinks />
        </nav>
        <div className="ml-auto flex items-center gap-2">
          <div className="hidden h-9 lg:flex lg:items-center">{wallet}</div>
          <NetworkIndicator />
          <div className="hidden lg:block">
            <ThemeSwitch />
          </div>
          <SmallMenu wallet={wallet} />
        </div>
      </div>
    </header>
  );
}

/** Everything that has no room in the header of a narrow window. */
function SmallMenu({ wallet }: { wallet?: ReactNode }) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    const onPointer = (event: PointerEvent) => {
      const target = event.target as Node;
      if (!panel.current?.contains(target) && !button.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("keydown", onKey);
    document.addEventListener("pointerdown", onPointer);
    return () => {
      document.removeEventListener("keydown", onKey);
      document.removeEventListener("pointerdown", onPointer);
    };
  }, [open]);
  return (
    <div className="lg:hidden">
      <button
        ref={button}
        type="button"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
        className="btn btn-icon"
      >
        <Icon name={open ? "close" : "menu"} />
        <span className="sr-only">Menu</span>
      </button>
      <div
        ref={panel}
        id={id}
        hidden={!open}
        className="absolute inset-x-0 top-full border-b border-line bg-paper px-4 pt-2 pb-6 shadow-lg"
      >
        <nav aria-label="Pages">
          <PageLinks tall onFollow={() => setOpen(false)} />
        </nav>
        <div className="mt-4 flex flex-wrap items-center justify-between gap-4 px-3">
          <ThemeSwitch />
          {wallet}
        </div>
      </div>
    </div>
  );
}
