// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from "node:http";
import { readFile } from "node:fs/promises";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join, normalize, resolve } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { contentSecurityPolicy } from "../../tools/csp.mjs";

export const web = resolve(import.meta.dirname, "../..");
export const dist = join(web, "dist");

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

export interface StaticServer {
  /** `http://127.0.0.1:PORT/` */
  origin: string;
  close(): Promise<void>;
}

/** Serves a folder on loopback as an entry does: packed files where there are any, and the policy. */
export async function serveFolder(folder: string, port: number): Promise<StaticServer> {
  const server: Server = createServer((request, response) => {
    void answer(folder, request.url ?? "/", request.headers["accept-encoding"] ?? "").then(
      ({ status, headers, body }) => {
        response.writeHead(status, headers);
        response.end(body);
      },
    );
  });
  await new Promise<void>((ready, failed) => {
    server.once("error", failed);
    server.listen(port, "127.0.0.1", ready);
  });
  return {
    origin: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(folder: string, url: string, accepted: string | string[]) {
  const asked = normalize(decodeURIComponent(new URL(url, "http://127.0.0.1").pathname));
  // As servers of static pages do that know no such file; an entry's API is none of theirs.
  const path = asked.startsWith("/v1/") ? "/" : asked;
  const file = join(folder, path === "/" ? "index.html" : path);
  const headers: Record<string, string> = {
    "Content-Security-Policy": contentSecurityPolicy,
    "Content-Type": types[extname(file)] ?? "application/octet-stream",
    "Cache-Control": path.startsWith("/assets/")
      ? "public, max-age=31536000, immutable"
      : "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
  };
  const isPacked = accepted.includes("gzip") && existsSync(`${file}.gz`);
  if (isPacked) headers["Content-Encoding"] = "gzip";
  try {
    return { status: 200, headers, body: await readFile(isPacked ? `${file}.gz` : file) };
  } catch {
    return {
      status: 404,
      headers: { "Content-Type": "text/plain" },
      body: Buffer.from("not found"),
    };
  }
}

export interface BrowserOptions {
  width?: number;
  height?: number;
  theme?: "light" | "dark";
  reducedMotion?: boolean;
  /**
   * False: WebGL is switched off; "software": it is drawn without a graphics processor, as it is where
   * tests run. Otherwise the page is made to believe that there is one.
   */
  webGl?: boolean | "software";
  touch?: boolean;
}

export interface TestBrowser {
  context: BrowserContext;
  /** A page that is watched: whatever it should not do ends up in `problems`. */
  newPage(): Promise<Page>;
  /** Console errors and warnings, exceptions, and requests to other origins than `allowed`. */
  problems: string[];
  close(): Promise<void>;
}

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What draws calls itself another name. */
function hideSoftware(): void {
  const { getParameter } = WebGL2RenderingContext.prototype;
  const unmaskedRenderer = 0x9246;
  WebGL2RenderingContext.prototype.getParameter = function (name: number): unknown {
    return name === unmaskedRenderer ? "a graphics processor" : getParameter.call(this, name);
  };
}

/** Debian's Chromium with an empty profile. `allowed`: origins that the page may ask. */
export async function launch(
  allowed: readonly string[],
  options: BrowserOptions = {},
): Promise<TestBrowser> {
  const profile = mkdtempSync(join(tmpdir(), "teetee-browser-"));
  const noWebGl = ["--disable-webgl", "--disable-webgl2", "--disable-3d-apis"];
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: [...flags, ...(options.webGl === false ? noWebGl : [])],
    viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
    colorScheme: options.theme ?? "light",
    reducedMotion: options.reducedMotion === true ? "reduce" : "no-preference",
    hasTouch: options.touch === true,
    serviceWorkers: "block",
  });
  if (options.webGl !== "software") await context.addInitScript(hideSoftware);
  const problems: string[] = [];
  return {
    context,
    problems,
    newPage: async () => {
      const page = await context.newPage();
      watch(page, allowed, problems);
      return page;
    },
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

function watch(page: Page, allowed: readonly string[], problems: string[]): void {
  page.on("console", (message) => {
    // Chromium's own remark on WebGL in software, which tests use: the page has no part in it.
    if (message.text().includes("GL Driver Message")) return;
    if (["error", "warning"].includes(message.type())) {
      problems.push(`console ${message.type()}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    const isLocal = url.startsWith("data:") || url.startsWith("blob:");
    if (!isLocal && !allowed.some((origin) => url.startsWith(origin))) {
      problems.push(`request to ${url}`);
    }
  });
}

/** Sum of the layout shifts that no input caused; call `startShiftCount` before the page loads. */
export async function startShiftCount(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const counted = window as unknown as { layoutShift: number };
    counted.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
      })[]) {
        if (!entry.hadRecentInput) counted.layoutShift += entry.value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

export function layoutShift(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as { layoutShift: number }).layoutShift);
}

const axeSource = await readFile(join(web, "node_modules/axe-core/axe.min.js"), "utf8");

/** What axe finds wrong, a line each: rule, how many, and the first place. Empty is good. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    interface Violation {
      id: string;
      help: string;
      nodes: { target: unknown[]; failureSummary?: string }[];
    }
    const axe = (window as unknown as { axe: { run(): Promise<{ violations: Violation[] }> } }).axe;
    const { violations } = await axe.run();
    return violations.map(
      ({ id, help, nodes }) =>
        `${id} (${nodes.length}): ${help}: ${String(nodes[0]?.target)}: ${nodes[0]?.failureSummary ?? ""}`,
    );
  });
}
