// SPDX-License-Identifier: Apache-2.0
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { NetworkProvider } from "./app/network/NetworkProvider";
import { PaymentProvider } from "./app/payment/PaymentProvider";
import { startTheme } from "./app/shell/theme";
import { WalletProvider } from "./app/wallet/WalletProvider";
import "./styles/index.css";

startTheme();
// What was handed over to the explorer, prompts among it, ends also where nobody opens the explorer.
void import("./app/explorer/handover").then(({ sweep }) => sweep());
const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <NetworkProvider>
        <WalletProvider>
          <PaymentProvider>
            <App />
          </PaymentProvider>
        </WalletProvider>
      </NetworkProvider>
    </StrictMode>,
  );
}
