// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { NetworkProvider } from "../network/NetworkProvider";
import BuySheet from "./BuySheet";
import { noPayment, PaymentContext } from "./payment";
import SessionSheet from "./SessionSheet";

// Nothing is connected: that begins once a page is shown.

beforeEach(() => {
  vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });
  vi.stubGlobal("location", new URL("https://page.example/"));
});
afterEach(() => vi.unstubAllGlobals());

const html = (form: ReactNode) =>
  renderToStaticMarkup(
    <NetworkProvider>
      <PaymentContext
        value={{ ...noPayment, balance: 10n ** 6n, eth: 10n ** 18n, weiPerCredit: 10n ** 9n }}
      >
        {form}
      </PaymentContext>
    </NetworkProvider>,
  );

it("lets nobody pay while what they would pay to is not known", () => {
  const forms = [
    <BuySheet isOpen onClose={() => {}} />,
    <SessionSheet isOpen onClose={() => {}} />,
  ];
  for (const form of forms) {
    const shown = html(form);
    expect(shown).toContain("Waiting for the network: what you would pay to is not known.");
    const [button] = /<button type="submit"[^>]*>/.exec(shown) ?? [];
    expect(button).toContain('disabled=""');
  }
});
