// SPDX-License-Identifier: Apache-2.0
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  accessibilityProblems,
  dist,
  launch,
  serveFolder,
  type StaticServer,
  type TestBrowser,
} from "./harness";

let server: StaticServer;
let browser: TestBrowser;
let page: Page;
beforeAll(async () => {
  server = await serveFolder(dist, 5550);
});
afterAll(() => server.close());
beforeEach(async () => {
  browser = await launch([server.origin]);
  page = await browser.newPage();
});
afterEach(async () => {
  await browser.close();
});

interface Kept {
  id: string;
  title: string;
  question: string;
  answer: string;
  /** Of the answer. */
  receipts?: string[];
}

/** What the explorer is to open, as a visit so long ago has left it. */
interface Handed {
  id: string;
  hoursAgo: number;
  receiptId: string;
}

/** Puts it where the page keeps it. */
async function handOver(items: Handed[]): Promise<void> {
  await page.goto(`${server.origin}#/explorer`);
  await page.getByRole("heading", { level: 1, name: "Explorer" }).waitFor();
  await page.evaluate(async (all) => {
    const request = indexedDB.open("teetee-explorer", 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore("documents", { keyPath: "id" });
    await new Promise((done) => (request.onsuccess = done));
    const transaction = request.result.transaction("documents", "readwrite");
    for (const { id, hoursAgo, receiptId } of all) {
      const putAt = Date.now() - hoursAgo * 3_600_000;
      const receipt = new TextEncoder().encode("{}");
      transaction.objectStore("documents").put({ id, putAt, receipt, receiptId });
    }
    await new Promise((done) => (transaction.oncomplete = done));
    request.result.close();
  }, items);
}

/** Ids of what is left of it. */
function handedOver(): Promise<string[]> {
  return page.evaluate(async () => {
    const request = indexedDB.open("teetee-explorer", 1);
    await new Promise((done) => (request.onsuccess = done));
    const keys = request.result.transaction("documents").objectStore("documents").getAllKeys();
    await new Promise((done) => (keys.onsuccess = done));
    request.result.close();
    return keys.result as string[];
  });
}

/** Puts conversations where the page keeps them, as an earlier visit would have. */
async function keep(conversations: Kept[]): Promise<void> {
  await page.goto(`${server.origin}#/chat`);
  await page.getByRole("textbox", { name: "Message" }).waitFor();
  await page.evaluate(async (all) => {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open("teetee");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error as Error);
    });
    const transaction = database.transaction(["conversations", "summaries"], "readwrite");
    all.forEach(({ id, title, question, answer, receipts = [] }, at) => {
      const times = { created: 1000 + at, updated: 1000 + at };
      const message = (role: string, text: string) => ({
        id: `${id}-${role}`,
        role,
        text,
        state: "done",
        created: 1000,
      });
      transaction.objectStore("conversations").put({
        id,
        title,
        named: false,
        ...times,
        settings: {},
        messages: [message("user", question), { ...message("assistant", answer), receipts }],
      });
      transaction.objectStore("summaries").put({ id, title, ...times, characters: 100 });
    });
    await new Promise((done) => (transaction.oncomplete = done));
    database.close();
  }, conversations);
  await page.reload();
  await page.getByRole("textbox", { name: "Message" }).waitFor();
}

const cats = { id: "cats", title: "Of cats", question: "Tell of cats", answer: "Cats **purr**." };
const dogs = { id: "dogs", title: "Of dogs", question: "Tell of dogs", answer: "Dogs bark." };
const list = () => page.getByRole("complementary", { name: "Conversations" });

const hostile = `<script>window.broken = 1</script>
<img src="https://evil.example/a.png" onerror="window.broken = 1">

text <b onmouseover="window.broken = 1">raw</b> [link](javascript:window.broken=1) <javascript:window.broken=1>

![picture](https://evil.example/b.png) ![data](data:image/svg+xml,<svg onload=window.broken=1>)

[good](https://example.org/) [frag](#/explorer?receipt=1)

<iframe srcdoc="<script>parent.broken = 1</script>"></iframe>
<style>body { display: none }</style>

\`\`\`html
<script>window.broken = 1</script>
\`\`\`
`;

describe("an answer that attacks", () => {
  it("becomes no element of its own making, loads nothing and runs nothing", async () => {
    await keep([{ ...cats, answer: hostile }]);
    await page.getByRole("link", { name: "Of cats" }).click();
    const prose = page.locator(".prose");
    await prose.getByText("raw").waitFor();
    await page.waitForLoadState("networkidle");
    expect(await prose.locator("script, img, iframe, style, b, svg[onload]").count()).toBe(0);
    expect(await prose.getByText('<img src="https://evil.example/a.png"').count()).toBe(1);
    const hrefs = await prose
      .locator("a")
      .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href));
    expect(hrefs).toEqual(["https://evil.example/b.png", "https://example.org/"]);
    const rels = await prose
      .locator("a")
      .evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).rel));
    expect(rels.every((rel) => rel.includes("noopener"))).toBe(true);
    expect(await page.evaluate(() => "broken" in window)).toBe(false);
    expect(browser.problems).toEqual([]);
  });
});

describe("code", () => {
  it("is coloured and copied whole", async () => {
    await browser.context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await keep([{ ...cats, answer: "```python\ndef f():\n    return '<b>'\n```" }]);
    await page.getByRole("link", { name: "Of cats" }).click();
    await page.locator('.code [data-scope~="keyword"]').first().waitFor();
    await page.getByRole("button", { name: "Copy code" }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      "def f():\n    return '<b>'",
    );
    expect(browser.problems).toEqual([]);
  });
});

it("says that nothing was copied where the browser forbids it", async () => {
  await page.addInitScript(() => {
    navigator.clipboard.writeText = () => Promise.reject(new DOMException("", "NotAllowedError"));
  });
  await keep([cats]);
  await page.getByRole("link", { name: "Of cats" }).click();
  await page.getByRole("button", { name: "Copy the answer" }).click();
  const toast = page.getByText("The browser did not let the page copy.");
  await toast.waitFor();
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Close this note" }).press("Enter");
  await toast.waitFor({ state: "detached" });
});

describe("conversations", () => {
  it("survive a reload, with name, and are deleted for good", async () => {
    await keep([cats, dogs]);
    await page.getByRole("link", { name: "Of cats" }).click();
    await page.getByText("purr").waitFor();
    await page.getByRole("button", { name: "Rename Of cats" }).click();
    await page.getByRole("textbox", { name: "Name of the conversation" }).fill("Felines");
    await page.keyboard.press("Enter");
    await list().getByRole("link", { name: "Felines" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "Felines" }).waitFor();
    expect(await list().getByRole("link").allTextContents()).toEqual(["Of dogs", "Felines"]);
    await page.getByRole("button", { name: "Delete Felines" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Chat" }).waitFor();
    await page.reload();
    await list().getByRole("link", { name: "Of dogs" }).waitFor();
    expect(await list().getByRole("link").count()).toBe(1);
    await page.getByRole("button", { name: "Delete all" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete everything" }).click();
    await list().getByText("nowhere else").waitFor();
    await page.reload();
    await list().getByText("nowhere else").waitFor();
    const left = await page.evaluate(async () => {
      const database = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open("teetee");
        request.onsuccess = () => resolve(request.result);
      });
      const count = (name: string) =>
        new Promise<number>((resolve) => {
          const request = database.transaction(name).objectStore(name).count();
          request.onsuccess = () => resolve(request.result);
        });
      return [await count("conversations"), await count("summaries")];
    });
    expect(left).toEqual([0, 0]);
    expect(browser.problems).toEqual([]);
  });

  it("take along what was opened of them in the explorer", async () => {
    await keep([
      { ...cats, receipts: ["r1", "r2"] },
      { ...dogs, receipts: ["r3"] },
    ]);
    await handOver([
      { id: "a", hoursAgo: 1, receiptId: "r2" },
      { id: "b", hoursAgo: 2, receiptId: "r3" },
      { id: "c", hoursAgo: 3, receiptId: "r9" },
    ]);
    await page.goto(`${server.origin}#/chat`);
    await page.getByRole("button", { name: "Delete Of cats" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await expect.poll(handedOver).toEqual(["b", "c"]);
    await page.getByRole("button", { name: "Delete all" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete everything" }).click();
    await expect.poll(handedOver).toEqual([]);
    expect(browser.problems).toEqual([]);
  });

  it("are found by their words", async () => {
    await keep([cats, dogs]);
    await page.getByRole("searchbox", { name: "Search conversations" }).fill("PURR");
    await expect.poll(() => list().getByRole("link").allTextContents()).toEqual(["Of cats"]);
    await page.getByRole("searchbox").fill("birds");
    await list().getByText("None has these words.").waitFor();
  });

  it("are exported as a file", async () => {
    await keep([cats, dogs]);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export all" }).click(),
    ]);
    const stream = await download.createReadStream();
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    const file = JSON.parse(Buffer.concat(parts).toString()) as {
      conversations: { title: string }[];
    };
    expect(file.conversations.map(({ title }) => title).sort()).toEqual(["Of cats", "Of dogs"]);
    expect(browser.problems).toEqual([]);
  });

  it("that are not there are said not to be", async () => {
    await page.goto(`${server.origin}#/chat/none`);
    await page.getByText("This conversation is not in this browser").waitFor();
  });

  it("appear in another tab", async () => {
    await keep([cats]);
    const other = await browser.newPage();
    await other.goto(`${server.origin}#/chat/cats`);
    await other.getByRole("button", { name: "Rename Of cats" }).click();
    await other.getByRole("textbox", { name: "Name of the conversation" }).fill("Tabs");
    await other.keyboard.press("Enter");
    await list().getByRole("link", { name: "Tabs" }).waitFor();
  });
});

const everything = `# Heading\n\n### Lower first\n\ntext with \`code\` and a [link](https://example.org/)

- [x] done\n- [ ] open

| a | b |\n|---|--:|\n| 1 | 2 |

> quoted

\`\`\`typescript\n// a comment\nconst x: number = 1; const s = "text"; class A<T> {}\n\`\`\`
\`\`\`diff\n- old\n+ new\n\`\`\`
`;

describe.each([
  { theme: "light", width: 1280 },
  { theme: "dark", width: 1280 },
  { theme: "light", width: 360 },
  { theme: "dark", width: 360 },
] as const)("a conversation, $theme, $width px wide", ({ theme, width }) => {
  it("is accessible with its list and its settings, and fits", async () => {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height: 740 });
    await keep([{ ...cats, answer: everything }, dogs]);
    await page.goto(`${server.origin}#/chat/cats`);
    await page.locator('.code [data-scope~="keyword"]').first().waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
    ).toBeLessThanOrEqual(0);
    if (width < 1024) {
      await page.getByRole("button", { name: "Conversations" }).click();
      const sheet = page.getByRole("dialog", { name: "Conversations" });
      await sheet.getByRole("link", { name: "Of dogs" }).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      await sheet.getByRole("link", { name: "Of dogs" }).click();
      await page.getByRole("heading", { level: 1, name: "Of dogs" }).waitFor();
      expect(await sheet.isVisible()).toBe(false);
    }
    await page.getByRole("button", { name: "Settings of this conversation" }).press("Enter");
    await page.getByRole("textbox", { name: "Seed" }).fill("x");
    await page.getByText("A whole number up to 4294967295.").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
    // The browser gives the focus back to where the dialog was opened.
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.textContent))
      .toBe("Settings of this conversation");
    expect(browser.problems).toEqual([]);
  });
});

describe("without a network", () => {
  it("lets write, sends nothing and says why", async () => {
    await page.goto(`${server.origin}#/chat`);
    const field = page.getByRole("textbox", { name: "Message" });
    await field.fill("Hello");
    await page.keyboard.press("Enter");
    expect(await field.inputValue()).toBe("Hello");
    expect(await page.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    await page.getByText("No entry is connected, so nothing can be sent yet").waitFor();
  });

  it("keeps settings in their panel, and says what is wrong", async () => {
    await keep([cats]);
    await page.getByRole("link", { name: "Of cats" }).click();
    await page.getByRole("button", { name: "Settings of this conversation" }).click();
    await page.getByRole("textbox", { name: "Temperature" }).fill("3");
    await page.getByText("A number from 0 to 2.").waitFor();
    await page.getByRole("textbox", { name: "Temperature" }).fill("0.4");
    await page.getByRole("textbox", { name: "System prompt" }).fill("Be brief.");
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.querySelector("dialog[open]") === null);
    await page.reload();
    await page.getByRole("button", { name: "Settings of this conversation" }).click();
    expect(await page.getByRole("textbox", { name: "Temperature" }).inputValue()).toBe("0.4");
    expect(await page.getByRole("textbox", { name: "System prompt" }).inputValue()).toBe(
      "Be brief.",
    );
  });
});

describe("what was handed over to the explorer", () => {
  const gone = () => page.getByText(/does not have the receipt any more/);
  const open = (id: string) => page.evaluate((one) => (location.hash = `#/explorer?id=${one}`), id);

  it("is opened for a day, and swept when the page starts", async () => {
    await handOver([
      { id: "fresh", hoursAgo: 23, receiptId: "r1" },
      { id: "old", hoursAgo: 25, receiptId: "r2" },
      { id: "later", hoursAgo: -25, receiptId: "r3" },
    ]);
    // Of one that is there something is said, though it is no receipt.
    await open("fresh");
    await page.getByRole("alert").waitFor();
    expect(await gone().count()).toBe(0);
    for (const id of ["old", "later"]) {
      await open(id);
      await gone().waitFor();
      await open("fresh");
      await gone().waitFor({ state: "detached" });
    }
    expect(await handedOver()).toEqual(["fresh", "later", "old"]);
    // Any page of it.
    await page.goto(`${server.origin}?again#/models`);
    await expect.poll(handedOver).toEqual(["fresh"]);
    expect(browser.problems).toEqual([]);
  });
});
