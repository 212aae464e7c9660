// SPDX-License-Identifier: Apache-2.0
// What verifying a route of three nodes costs in a browser: npm run bench:browser [-- CHROMIUM PORT]
import { chromium } from "playwright-core";
import { createServer } from "vite";

const turns = 31;
const portDefault = 5430;

export async function main([path, port]: readonly string[]): Promise<number> {
  const root = new URL("..", import.meta.url).pathname;
  const server = await createServer({
    configFile: false,
    logLevel: "warn",
    root,
    appType: "mpa",
    server: { host: "127.0.0.1", port: Number(port ?? portDefault), strictPort: true },
  });
  await server.listen();
  const executablePath = path ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const url = `http://127.0.0.1:${port ?? portDefault}`;
    await page.goto(`${url}/tests/vectors/index.json`);
    const times: number[] = await page.evaluate(
      `import("/tools/benchPage.ts").then((page) => page.measureRoute(${turns}))`,
    );
    const [first, ...later] = times;
    const median = later.sort((a, b) => a - b)[later.length >> 1]!;
    process.stdout.write(
      `route of three nodes in ${browser.version()}: first ${first!.toFixed(1)} ms, ` +
        `then median ${median.toFixed(1)} ms of ${later.length}\n`,
    );
    return 0;
  } finally {
    await browser.close();
    await server.close();
  }
}
