// SPDX-License-Identifier: Apache-2.0
import type { Address, Hex, TransactionReceipt } from "viem";
import { waitForTransactionReceipt } from "viem/actions";
import { createConfig, createStorage, http, injected, type Config } from "wagmi";
import {
  connect,
  disconnect,
  getConnection,
  getConnectors,
  reconnect,
  sendTransaction,
  signMessage,
  signTypedData,
  switchChain,
  watchConnection,
  watchConnectors,
} from "wagmi/actions";
import { fail, TeeTeeError } from "../../base/error";
import { tryCall, type ContractCall } from "../../chain/calls";
import { explainChainError } from "../../chain/errors";
import type { ConnectedChain } from "../network/connection";
import { isDevChain } from "./devChain";
import { devWalletId, makeDevProvider } from "./devWallet";
import {
  accountFor,
  type SendOptions,
  type WalletActions,
  type WalletChoice,
  type WalletState,
} from "./wallet";

const legacyId = "injected";
const minedWaitMs = 180_000;

async function explained<T>(act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (thrown) {
    throw explainChainError(thrown);
  }
}

/**
 * Wallets announce themselves to the page (EIP-6963); one that does not is found as window.ethereum.
 * Wallets that are elsewhere, as on a phone (WalletConnect), would be further connectors here: that
 * takes a package, a relay of a third party and an id from it, so it is left to whoever serves a
 * page of their own.
 */
function configFor(chain: ConnectedChain, hasDevWallet: boolean): Config {
  const { definition } = chain;
  return createConfig({
    chains: [definition],
    connectors: [injected(), ...(hasDevWallet ? [devConnector(chain)] : [])],
    multiInjectedProviderDiscovery: true,
    storage: createStorage({ key: "teetee.wallet", storage: localStorage }),
    transports: { [definition.id]: http(definition.rpcUrls.default.http[0]) },
  });
}

function devConnector(chain: ConnectedChain) {
  const provider = makeDevProvider(chain);
  return injected({
    target: { id: devWalletId, name: "Test wallet of this page", provider: provider as never },
  });
}

function hasLegacyWallet(): boolean {
  return "ethereum" in window && window.ethereum !== undefined && window.ethereum !== null;
}

/** The wallets of this browser and the one that is connected, for one chain. */
export class WagmiWallet implements WalletActions {
  private readonly config: Config;
  private readonly unwatch: (() => void)[] = [];
  private isStopped = false;

  private constructor(
    private readonly chain: ConnectedChain,
    private readonly onState: (state: WalletState) => void,
    hasDevWallet: boolean,
  ) {
    this.config = configFor(chain, hasDevWallet);
    const tell = () => this.tell();
    this.unwatch.push(watchConnection(this.config, { onChange: tell }));
    this.unwatch.push(watchConnectors(this.config, { onChange: tell }));
  }

  /** On a chain of one's own machine the page has a wallet of its own to try it with. */
  static async make(
    chain: ConnectedChain,
    onState: (state: WalletState) => void,
  ): Promise<WagmiWallet> {
    return new WagmiWallet(chain, onState, await isDevChain(chain.reader.client));
  }

  /** Takes up the wallet of before, where its user had let the page. */
  async start(): Promise<void> {
    this.tell();
    await reconnect(this.config).catch(() => undefined);
    this.tell();
  }

  stop(): void {
    this.isStopped = true;
    for (const unwatch of this.unwatch) unwatch();
  }

  private choices(): WalletChoice[] {
    const connectors = getConnectors(this.config);
    const isAnnounced = ({ id }: { id: string }) => id !== legacyId && id !== devWalletId;
    const isShown = hasLegacyWallet() && !connectors.some(isAnnounced);
    const shown = connectors.filter((one) => isShown || one.id !== legacyId);
    // The page's own comes last, where there are others.
    const ordered = shown.toSorted(
      (a, b) => Number(b.id !== devWalletId) - Number(a.id !== devWalletId),
    );
    return ordered.map(({ uid, id, name, icon }) => ({
      id: uid,
      name: id === legacyId ? "Wallet of this browser" : name,
      ...(id === devWalletId
        ? { note: "For this development chain alone. Its key is in this browser." }
        : {}),
      ...(icon?.trim().startsWith("data:image/") ? { icon: icon.trim() } : {}),
    }));
  }

  private tell(): void {
    if (this.isStopped) return;
    const { status, address, chainId, connector } = getConnection(this.config);
    const isConnected = status === "connected";
    const { definition } = this.chain;
    this.onState({
      phase: isConnected ? "connected" : status === "disconnected" ? status : "connecting",
      choices: this.choices(),
      ...(isConnected ? { address } : {}),
      ...(connector ? { name: connector.name } : {}),
      isWrongChain: isConnected && chainId !== definition.id,
      chainName: definition.name,
    });
  }

  async connect(id: string): Promise<void> {
    const connector = getConnectors(this.config).find((one) => one.uid === id);
    if (!connector) return fail("not_found", "this wallet is no longer there: load the page anew");
    await explained(connect(this.config, { connector }));
  }

  async disconnect(): Promise<void> {
    await explained(disconnect(this.config));
  }

  async switchChain(): Promise<void> {
    await explained(switchChain(this.config, { chainId: this.chain.definition.id }));
  }

  private accountFor(from?: Address): Address {
    return accountFor(getConnection(this.config).address, from);
  }

  async send(call: ContractCall, options: SendOptions = {}): Promise<TransactionReceipt> {
    const account = this.accountFor(options.from);
    const { client } = this.chain.reader;
    options.onPhase?.("trying");
    await tryCall(client, call, account);
    options.onPhase?.("signing");
    // It may have been switched meanwhile.
    this.accountFor(account);
    const { to, data, value } = call;
    const chainId = this.chain.definition.id;
    const hash = await explained(
      sendTransaction(this.config, { account, to, data, value, chainId }),
    );
    options.onPhase?.("mining", hash);
    return this.mined(hash, options.signal);
  }

  private async mined(hash: Hex, signal: AbortSignal | undefined): Promise<TransactionReceipt> {
    const { client } = this.chain.reader;
    const waiting = waitForTransactionReceipt(client, { hash, timeout: minedWaitMs });
    const receipt = await explained(
      signal ? Promise.race([waiting, aborted(signal)]) : waiting,
    ).catch((error: TeeTeeError) => {
      if (signal?.aborted) throw error;
      // Who sends another one, not knowing of this, may pay twice.
      throw new TeeTeeError(
        error.code,
        `transaction ${hash} was sent, and what became of it is not known: ${error.detail}`,
      );
    });
    if (receipt.status === "success") return receipt;
    return fail("call_reverted", `the contract refused the transaction ${hash}`);
  }

  async signVoucher(typed: Parameters<WalletActions["signVoucher"]>[0]): Promise<Hex> {
    const account = this.accountFor(typed.message.payer);
    return explained(signTypedData(this.config, { account, ...typed }));
  }

  async signMessage(message: string, from?: Address): Promise<Hex> {
    return explained(signMessage(this.config, { account: this.accountFor(from), message }));
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => {
      try {
        fail("cancelled", "not waited for any longer; what was sent goes on");
      } catch (error) {
        reject(error as Error);
      }
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
