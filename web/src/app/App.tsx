// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense, useRef, type ComponentType, type LazyExoticComponent } from "react";
import type { Route } from "./router/route";
import { useRoute } from "./router/useRoute";
import { ErrorBoundary } from "./shell/ErrorBoundary";
import { Header } from "./shell/Header";
import { OfflineBanner } from "./shell/OfflineBanner";
import { ToastRegion } from "./shell/Toasts";
import { WalletButton } from "./wallet/WalletButton";

const views: Record<Route["page"], LazyExoticComponent<ComponentType>> = {
  home: lazy(() => import("./pages/LandingPage")),
  chat: lazy(() => import("./pages/ChatPage")),
  models: lazy(() => import("./pages/ModelsPage")),
  contribute: lazy(() => import("./pages/ContributePage")),
  dashboard: lazy(() => import("./pages/DashboardPage")),
  explorer: lazy(() => import("./pages/ExplorerPage")),
  missing: lazy(() => import("./pages/NotFoundPage")),
};

/** Holds the place of a page that is still on its way; says so only to screen readers. */
function PagePlace() {
  return (
    <p role="status" className="sr-only">
      Loading the page
    </p>
  );
}

export function App() {
  const { page } = useRoute();
  const main = useRef<HTMLElement>(null);
  const View = views[page];
  return (
    <ToastRegion>
      <a
        href="#main"
        onClick={(event) => {
          // The fragment is the router's.
          event.preventDefault();
          main.current?.focus();
        }}
        className="btn btn-solid absolute top-2 left-2 z-50 -translate-y-20 focus:translate-y-0"
      >
        Skip to the content
      </a>
      <Header wallet={<WalletButton />} />
      <OfflineBanner />
      <main
        id="main"
        ref={main}
        tabIndex={-1}
        className="min-h-[calc(100dvh-3.5rem-1px)] outline-none"
      >
        <ErrorBoundary key={page}>
          <Suspense fallback={<PagePlace />}>
            <View />
          </Suspense>
        </ErrorBoundary>
      </main>
    </ToastRegion>
  );
}
