// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  accessibilityProblems,
  dist,
  launch,
  layoutShift,
  serveFolder,
  startShiftCount,
  type StaticServer,
} from "./harness";

let server: StaticServer;
beforeAll(async () => {
  server = await serveFolder(dist, 5550);
});
afterAll(() => server.close());

it("sees each kind of thing that the other tests say is not there", async () => {
  const browser = await launch([server.origin]);
  const page = await browser.newPage();
  await startShiftCount(page);
  await page.goto(`${server.origin}#/models`);
  await page.locator("h1").waitFor();
  await page.evaluate(() => {
    const intro = document.querySelector<HTMLElement>("h1 + p")!;
    intro.style.color = "#bbbbbb";
    document.querySelector("h1")!.style.marginTop = "200px";
    console.error("an error");
    void fetch("http://localhost:5559/elsewhere").catch(() => {});
    setTimeout(() => {
      throw new Error("an exception");
    });
  });
  await page.evaluate(async () => {
    const attempts = [
      () => document.body.insertAdjacentHTML("beforeend", "<b>x</b>"),
      () => void document.head.appendChild(document.createElement("style")).append("b{color:red}"),
    ];
    for (const attempt of attempts) {
      try {
        attempt();
      } catch {
        // Trusted types throw, the policy reports: both are in the console.
      }
    }
    await new Promise((done) => setTimeout(done, 200));
  });
  expect((await accessibilityProblems(page)).join()).toContain("color-contrast");
  expect(await layoutShift(page)).toBeGreaterThan(0.01);
  const problems = browser.problems.join("\n");
  expect(problems).toContain("console error: an error");
  expect(problems).toContain("exception: an exception");
  expect(problems).toContain("request to http://localhost:5559/elsewhere");
  expect(problems).toContain("TrustedHTML");
  expect(problems).toMatch(/style-src 'self'/);
  await browser.close();
});
