// SPDX-License-Identifier: Apache-2.0
import { createWalletClient, custom, isHex, numberToHex, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { fail } from "../../base/error";
import type { ConnectedChain } from "../network/connection";

// A wallet for chains of one's own machine alone, so that the page can be tried without one. It signs
// whatever the page asks: its key guards nothing that is worth anything.

export const devWalletId = "teetee.dev";
const keyName = "teetee.devWallet";
/** That its user has connected it: before, it shows no account, as any wallet. */
const allowedName = "teetee.devWallet.allowed";

function storedKey(): Hex {
  const kept = localStorage.getItem(keyName);
  if (kept !== null && isHex(kept) && kept.length === 66) return kept;
  const key = generatePrivateKey();
  localStorage.setItem(keyName, key);
  return key;
}

interface Call {
  method: string;
  params?: unknown;
}

/** EIP-1193. Answers what a wallet must, and passes the rest on to the chain. */
export function makeDevProvider({ reader, definition }: ConnectedChain) {
  const account = privateKeyToAccount(storedKey());
  const { client } = reader;
  const wallet = createWalletClient({
    account,
    chain: definition,
    transport: custom({ request: (call: Call) => client.request(call as never) }),
  });
  const accounts = () => (localStorage.getItem(allowedName) === null ? [] : [account.address]);
  const permissions = () =>
    accounts().map((address) => ({
      parentCapability: "eth_accounts",
      caveats: [{ type: "restrictReturnedAccounts", value: [address] }],
    }));
  const request = async ({ method, params }: Call): Promise<unknown> => {
    const [first, second] = Array.isArray(params) ? (params as unknown[]) : [];
    switch (method) {
      case "eth_requestAccounts":
        localStorage.setItem(allowedName, "yes");
        return accounts();
      case "eth_accounts":
        return accounts();
      case "eth_chainId":
        return numberToHex(definition.id);
      case "wallet_requestPermissions":
        localStorage.setItem(allowedName, "yes");
        return permissions();
      case "wallet_getPermissions":
        return permissions();
      case "wallet_revokePermissions":
        localStorage.removeItem(allowedName);
        return null;
      case "wallet_switchEthereumChain":
        return null;
      case "personal_sign":
        return account.signMessage({ message: { raw: first as Hex } });
      case "eth_signTypedData_v4":
        return account.signTypedData(JSON.parse(second as string) as never);
      case "eth_sendTransaction":
        return send(first);
      default:
        return client.request({ method, params } as never);
    }
  };
  const send = (transaction: unknown): Promise<Hex> => {
    const { to, data, value } = transaction as { to?: Hex; data?: Hex; value?: Hex };
    if (!to) return fail("invalid_argument", "transaction: need a receiver");
    return wallet.sendTransaction({
      to,
      ...(data ? { data } : {}),
      value: BigInt(value ?? "0x0"),
    });
  };
  return { request, on: () => {}, removeListener: () => {} };
}
