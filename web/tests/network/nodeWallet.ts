// SPDX-License-Identifier: Apache-2.0
import {
  createClient,
  createWalletClient,
  http,
  type Address,
  type Hex,
  type TransactionReceipt,
} from "viem";
import type { PrivateKeyAccount } from "viem/accounts";
import { waitForTransactionReceipt } from "viem/actions";
import { tryCall, type ContractCall } from "../../src/chain/calls";
import { explainChainError } from "../../src/chain/errors";
import { TeeTeeError } from "../../src/base/error";
import type { ConnectedChain } from "../../src/app/network/connection";
import { accountFor, type SendOptions, type WalletActions } from "../../src/app/wallet/wallet";

const minedWaitMs = 4000;

/**
 * A wallet as the page has one: it sends over an endpoint of its own, and what became of it the page
 * reads over the page's.
 */
export class NodeWallet implements WalletActions {
  /** What was sent, in order. */
  readonly sent: Hex[] = [];
  /** Called between the sending of a transaction and the waiting for its block. */
  onSent: (() => void) | undefined;
  /** The user says no. */
  isRefusing = false;
  /** The account that the user has switched to. */
  other: Address | undefined;
  /** What was sent the page is not told: it was closed meanwhile. */
  isSilent = false;
  /** It fails, and nobody learns whether it sends anything: here it does not. */
  isLost = false;
  signatures = 0;
  private sending: Promise<unknown> = Promise.resolve();

  constructor(
    readonly account: PrivateKeyAccount,
    private readonly chain: ConnectedChain,
    private readonly rpcUrl: string,
  ) {}

  async connect(): Promise<void> {}
  async disconnect(): Promise<void> {}
  async switchChain(): Promise<void> {}

  private ask(): void {
    if (this.isRefusing) throw new TeeTeeError("cancelled", "the wallet was told not to");
  }

  async send(call: ContractCall, options: SendOptions = {}): Promise<TransactionReceipt> {
    const { account, chain } = this;
    const { client } = chain.reader;
    options.onPhase?.("trying");
    await tryCall(client, call, account.address);
    options.onPhase?.("signing");
    accountFor(this.other ?? account.address, options.from);
    this.ask();
    if (this.isLost) throw new TeeTeeError("rpc_refused", "the wallet does not say");
    const { to, data, value } = call;
    const own = createWalletClient({
      account,
      chain: chain.definition,
      transport: http(this.rpcUrl),
    });
    // One after another, as the user is asked.
    const sending = this.sending.then(() => own.sendTransaction({ to, data, value }));
    this.sending = sending.catch(() => undefined);
    const hash = await sending;
    this.sent.push(hash);
    this.onSent?.();
    if (this.isSilent) throw new TeeTeeError("rpc_refused", "the page is gone");
    options.onPhase?.("mining", hash);
    try {
      const receipt = await waitForTransactionReceipt(client, { hash, timeout: minedWaitMs });
      if (receipt.status === "success") return receipt;
    } catch (thrown) {
      throw explainChainError(thrown);
    }
    throw new TeeTeeError("call_reverted", `the contract refused the transaction ${hash}`);
  }

  async signVoucher(typed: Parameters<WalletActions["signVoucher"]>[0]): Promise<Hex> {
    accountFor(this.other ?? this.account.address, typed.message.payer);
    this.ask();
    this.signatures++;
    return this.account.signTypedData(typed);
  }

  async signMessage(message: string, from?: Address): Promise<Hex> {
    accountFor(this.other ?? this.account.address, from);
    this.ask();
    return this.account.signMessage({ message });
  }

  /** Of the dev chain: its clock goes on by so much, and a block is made. */
  async passSeconds(seconds: number): Promise<void> {
    const client = createClient({ transport: http(this.rpcUrl) });
    const ask = (method: string, params: unknown[]) => client.request({ method, params } as never);
    await ask("evm_increaseTime", [seconds]);
    await ask("evm_mine", []);
  }
}
