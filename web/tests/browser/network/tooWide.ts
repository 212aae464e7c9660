// SPDX-License-Identifier: Apache-2.0
import type { Page } from "playwright-core";

/** What stands out of the window to the right, so that the page scrolls sideways; empty is good. */
export function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const standing = [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
      .map((element) => element.outerHTML.slice(0, 160));
    return [`${scrollWidth} of ${clientWidth} px`, ...standing];
  });
}
