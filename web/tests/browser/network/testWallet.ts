// SPDX-License-Identifier: Apache-2.0
import type { BrowserContext, Page } from "playwright-core";
import {
  createClient,
  createWalletClient,
  defineChain,
  http,
  numberToHex,
  type Hex,
  type SignTypedDataParameters,
} from "viem";
import { generatePrivateKey, privateKeyToAccount, type PrivateKeyAccount } from "viem/accounts";

// A wallet as an extension is one: it announces itself to the page (EIP-6963) and answers it
// (EIP-1193). Its keys stay in the test's process.

interface Call {
  readonly method: string;
  readonly params?: readonly unknown[];
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

class Refused extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export interface TestWalletOptions {
  readonly account: PrivateKeyAccount;
  readonly rpcUrl: string;
  /** The chain that the network is on. */
  readonly chainId: number;
  readonly name?: string;
  /** On which chain the wallet is at first. */
  readonly onChain?: number;
  /** Knows no other chain than the one that it is on. */
  readonly knowsChain?: boolean;
}

let walletCount = 0;

/** Methods that a user is asked about. */
const asking = new Set([
  "wallet_requestPermissions",
  "eth_requestAccounts",
  "personal_sign",
  "eth_signTypedData_v4",
  "eth_sendTransaction",
  "wallet_switchEthereumChain",
  "wallet_addEthereumChain",
]);

export class TestWallet {
  /** The user says no to whatever they are asked. */
  isRefusing = false;
  /** The one method to which they say no. */
  refusing: string | undefined;
  /** Called when a transaction was sent, before the page learns of it. */
  onSent: (() => void) | undefined;
  /** Every method that was called, in order. */
  readonly calls: string[] = [];
  private isAllowed = false;
  private onChain: number;
  private knowsChain: boolean;
  private readonly pages: Page[] = [];
  private readonly name: string;

  constructor(readonly options: TestWalletOptions) {
    this.onChain = options.onChain ?? options.chainId;
    this.knowsChain = options.knowsChain ?? true;
    walletCount += 1;
    this.name = `teeteeTestWallet${walletCount}`;
  }

  get account(): PrivateKeyAccount {
    return this.options.account;
  }

  /** Before the page is loaded. */
  async install(context: BrowserContext): Promise<void> {
    context.on("page", (page) => this.pages.push(page));
    await context.exposeFunction(this.name, (text: string) => this.answer(text));
    const info = {
      uuid: `00000000-0000-4000-8000-${String(walletCount).padStart(12, "0")}`,
      name: this.options.name ?? "Test wallet",
      icon: "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E",
      rdns: `test.wallet${walletCount}`,
    };
    await context.addInitScript(announce, { name: this.name, info });
  }

  private async answer(text: string): Promise<Answer> {
    try {
      return { result: await this.request(JSON.parse(text) as Call) };
    } catch (thrown) {
      const code = thrown instanceof Refused ? thrown.code : codeOf(thrown);
      return { error: { code, message: thrown instanceof Error ? thrown.message : "failed" } };
    }
  }

  private get chain() {
    return defineChain({
      id: this.options.chainId,
      name: "dev",
      nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: [this.options.rpcUrl] } },
    });
  }

  private get accounts(): readonly string[] {
    return this.isAllowed ? [this.account.address] : [];
  }

  private async request({ method, params = [] }: Call): Promise<unknown> {
    this.calls.push(method);
    if (asking.has(method) && (this.isRefusing || method === this.refusing))
      throw new Refused(4001, "User rejected the request.");
    switch (method) {
      case "eth_chainId":
        return numberToHex(this.onChain);
      case "eth_accounts":
        return this.accounts;
      case "eth_requestAccounts":
        this.isAllowed = true;
        return this.accounts;
      case "wallet_requestPermissions":
      case "wallet_getPermissions":
        if (method === "wallet_requestPermissions") this.isAllowed = true;
        return this.isAllowed
          ? [
              {
                parentCapability: "eth_accounts",
                caveats: [{ type: "restrictReturnedAccounts", value: this.accounts }],
              },
            ]
          : [];
      case "wallet_revokePermissions":
        this.isAllowed = false;
        return null;
      case "wallet_switchEthereumChain":
        return this.goTo(Number((params[0] as { chainId: Hex }).chainId));
      case "wallet_addEthereumChain":
        this.knowsChain = true;
        return this.goTo(Number((params[0] as { chainId: Hex }).chainId));
      case "personal_sign":
        return this.account.signMessage({ message: { raw: params[0] as Hex } });
      case "eth_signTypedData_v4":
        return this.signTypedData(params[1] as string);
      case "eth_sendTransaction":
        return this.send(params[0] as { to: Hex; data: Hex; value?: Hex });
      default:
        return this.passOn(method, params);
    }
  }

  private async goTo(chainId: number): Promise<null> {
    if (chainId === this.options.chainId && !this.knowsChain) {
      throw new Refused(4902, "Unrecognized chain ID.");
    }
    this.onChain = chainId;
    await this.emit("chainChanged", numberToHex(chainId));
    return null;
  }

  /** What the user does in the wallet itself. */
  async switchTo(chainId: number): Promise<void> {
    this.onChain = chainId;
    await this.emit("chainChanged", numberToHex(chainId));
  }

  private async emit(event: string, value: unknown): Promise<void> {
    const detail = { name: this.name, event, value };
    for (const page of this.pages.filter((one) => !one.isClosed())) {
      await page.evaluate(
        (sent) => dispatchEvent(new CustomEvent(`${sent.name}.event`, { detail: sent })),
        detail,
      );
    }
  }

  private signTypedData(text: string): Promise<Hex> {
    const typed = JSON.parse(text) as SignTypedDataParameters & { domain: { chainId: unknown } };
    // As real wallets do: a signature is for the chain that the wallet is on.
    if (Number(typed.domain.chainId) !== this.onChain) {
      throw new Refused(-32603, "Provided chainId must match the active chainId");
    }
    return this.account.signTypedData(typed as never);
  }

  private async send(call: { to: Hex; data: Hex; value?: Hex }): Promise<Hex> {
    if (this.onChain !== this.options.chainId) throw new Refused(-32603, "wrong chain");
    const { account, chain } = this;
    const wallet = createWalletClient({ account, chain, transport: http(this.options.rpcUrl) });
    const hash = await wallet.sendTransaction({
      to: call.to,
      data: call.data,
      value: BigInt(call.value ?? "0x0"),
    });
    this.onSent?.();
    return hash;
  }

  private passOn(method: string, params: readonly unknown[]): Promise<unknown> {
    const client = createClient({ transport: http(this.options.rpcUrl) });
    return client.request({ method, params } as never);
  }
}

function codeOf(thrown: unknown): number {
  const code = (thrown as { code?: unknown }).code;
  return typeof code === "number" ? code : -32603;
}

/** Runs in the page, before anything of it. */
function announce({ name, info }: { name: string; info: object }): void {
  type Listener = (value: unknown) => void;
  const listeners = new Map<string, Set<Listener>>();
  const of = (event: string) => {
    const known = listeners.get(event) ?? new Set<Listener>();
    listeners.set(event, known);
    return known;
  };
  const provider = {
    async request(call: object) {
      const ask = (window as unknown as Record<string, (text: string) => Promise<Answer>>)[name]!;
      const { result, error } = await ask(JSON.stringify(call));
      if (error) throw Object.assign(new Error(error.message), { code: error.code });
      return result;
    },
    on(event: string, listener: Listener) {
      of(event).add(listener);
      return provider;
    },
    removeListener(event: string, listener: Listener) {
      of(event).delete(listener);
      return provider;
    },
  };
  addEventListener(`${name}.event`, (sent) => {
    const { event, value } = (sent as CustomEvent<{ event: string; value: unknown }>).detail;
    for (const listener of of(event)) listener(value);
  });
  const detail = Object.freeze({ info, provider });
  const tell = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  addEventListener("eip6963:requestProvider", tell);
  tell();
}

/** A key that nobody used before. */
export function newAccount(): PrivateKeyAccount {
  return privateKeyToAccount(generatePrivateKey());
}

/** ETH of a dev chain. */
export async function giveEth(rpcUrl: string, address: Hex, wei: bigint): Promise<void> {
  const client = createClient({ transport: http(rpcUrl) });
  await client.request({
    method: "anvil_setBalance",
    params: [address, numberToHex(wei)],
  } as never);
}
