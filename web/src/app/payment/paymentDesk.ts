// SPDX-License-Identifier: Apache-2.0
import { type Address, getAddress, parseEventLogs } from "viem";
import { getBalance } from "viem/actions";
import { asError, fail, TeeTeeError } from "../../base/error";
import { teeTeeAbi } from "../../chain/abi";
import { buyCall, endVoucherCall, reclaimVoucherCall } from "../../chain/calls";
import { explainChainError } from "../../chain/errors";
import {
  readBalance,
  readHead,
  readIsHost,
  readPool,
  readVoucher,
  readWeiPerCredit,
} from "../../chain/reads";
import type { EntryPool } from "../../client/entryPool";
import type { PaidTerms, Standing } from "../../client/entries";
import { HostPayer } from "../../client/hostPayer";
import { fetchVerifiedTerms, type Payer } from "../../client/payers";
import { QueryPayer } from "../../client/queryPayer";
import { VoucherPayer } from "../../client/voucherPayer";
import type { ConnectedChain } from "../network/connection";
import { isDevChain as isDevChainOf } from "../wallet/devChain";
import type { SendOptions, WalletActions } from "../wallet/wallet";
import { openVoucher } from "./openVoucher";
import type { Money, OpenPhase, PaymentActions } from "./payment";
import { isUsable, leftOf, SessionStorage, type EntryStanding, type Session } from "./sessions";
import type { PaymentMode } from "./step";

const refreshMs = 15_000;
/** What was signed so lately may not be in a block yet. */
const openingSeconds = 300;
/**
 * Signed for at first: as many as a chat's answer has unless more is asked for. A fast entry would come
 * to the end of less before the page could sign for more, and an attested one charges what it served.
 */
const tokensAhead = 1024;
/** Of a dev chain, for whoever has none. */
const devWei = 10n * 10n ** 18n;

const nothing: Money = { ended: [] };

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/**
 * The money of the wallet that is connected, on one chain and in one pool: reads it at intervals and
 * after whatever changes it, and makes payers of it. One for the page's life on that chain.
 */
export class PaymentDesk implements PaymentActions {
  private money: Money = nothing;
  private account: Address | undefined;
  private readonly sessions: SessionStorage;
  private readonly standings = new Map<string, EntryStanding>();
  private voucherPayer: VoucherPayer | undefined;
  private hostPayer: HostPayer | undefined;
  private terms: PaidTerms | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private isStopped = false;
  /** What entries said of the session may be older than the last question. */
  private hasAsked = false;
  mode: PaymentMode = "session";

  constructor(
    private readonly chain: ConnectedChain,
    /** Of the connection as it is now: after a failure it is another one. */
    private readonly entries: () => EntryPool | undefined,
    private readonly wallet: WalletActions,
    private readonly onMoney: (money: Money) => void,
    storage: Storage,
  ) {
    this.sessions = new SessionStorage(storage);
  }

  start(): void {
    void this.refresh();
    this.timer = setInterval(() => {
      if (!document.hidden) void this.refresh();
    }, refreshMs);
  }

  stop(): void {
    this.isStopped = true;
    clearInterval(this.timer);
  }

  /** Another wallet has other money. */
  setAccount(account: Address | undefined): void {
    if (account === this.account) return;
    this.account = account;
    this.standings.clear();
    this.voucherPayer = undefined;
    this.hostPayer = undefined;
    const { weiPerCredit, prices, isDevChain, openedFrom } = this.money;
    this.tell({
      ended: [],
      ...(weiPerCredit === undefined ? {} : { weiPerCredit }),
      ...(prices === undefined ? {} : { prices }),
      ...(isDevChain === undefined ? {} : { isDevChain }),
      ...(openedFrom === undefined ? {} : { openedFrom }),
    });
    this.findSession();
    void this.refresh();
  }

  private tell(money: Money): void {
    this.money = money;
    if (!this.isStopped) this.onMoney(money);
  }

  private change(change: Partial<Money>): void {
    this.tell({ ...this.money, ...change });
  }

  private get owner() {
    const { deployment, pool } = this.chain;
    const payer = this.account ?? fail("not_ready", "no wallet is connected: connect one");
    return { chainId: deployment.chainId, contract: deployment.contract, pool, payer };
  }

  // What is known.

  async refresh(): Promise<void> {
    const { account } = this;
    try {
      await Promise.all([this.readTerms(), this.readChain(account)]);
      void this.readStanding();
      if (account === this.account) {
        const { problem: _, ...money } = this.money;
        this.tell(money);
      }
    } catch (thrown) {
      if (account === this.account) this.change({ problem: asError(thrown) });
    }
  }

  private async readChain(account: Address | undefined): Promise<void> {
    const { reader, pool } = this.chain;
    const { weiPerCredit, isDevChain } = this.money;
    const [info, wei, isDev] = await Promise.all([
      readPool(reader, pool),
      weiPerCredit ?? readWeiPerCredit(reader),
      isDevChain ?? isDevChainOf(reader.client),
    ]);
    this.change({ prices: info.prices, weiPerCredit: wei, isDevChain: isDev });
    if (account === undefined) return;
    const [balance, eth, isHost] = await Promise.all([
      readBalance(reader, account),
      getBalance(reader.client, { address: account }).catch((thrown: unknown) => {
        throw explainChainError(thrown);
      }),
      readIsHost(reader, pool, account),
      this.checkSession(),
    ]);
    if (account === this.account) this.change({ balance, eth, isHost });
  }

  /** Entries that cannot be asked now do not keep the rest from being known. */
  private async readTerms(): Promise<void> {
    const entries = this.entries();
    const entry = entries?.verified(entries.preferred);
    if (!entry || this.terms?.entry === entry.receiptKey) return;
    const terms = await fetchVerifiedTerms(entry).catch(() => undefined);
    if (!terms || terms.isFree) return;
    this.terms = terms;
    const { openedFrom: _, ...money } = this.money;
    this.tell(terms.opensVouchers ? { ...money, openedFrom: terms.voucherCeilingMin } : money);
  }

  /**
   * How the session stands with the entry, where that is not known or something was held: after an
   * answer that was stopped nobody says it by itself.
   */
  private async readStanding(): Promise<void> {
    const { session } = this.money;
    const entries = this.entries();
    const entry = entries?.verified(entries.preferred);
    if (!session?.sessionKey || !entry) return;
    const key = entry.receiptKey.toLowerCase();
    if (!this.hasAsked && this.standings.get(key)?.held === 0n) return;
    try {
      const { held } = await this.forSession().standing(entry);
      // The charge comes with the receipt; until then it is held.
      if (held === 0n) this.hasAsked = false;
    } catch {
      // One that is away, or has not seen the session's opening yet, is asked again later.
    }
  }

  // The session.

  private findSession(): void {
    if (this.account === undefined) return;
    const all = this.sessions.of(this.owner);
    const session = all.find((one) => isUsable(one, nowSeconds()));
    const ended = all.filter((one) => one !== session);
    const { session: _, left: __, ...money } = this.money;
    this.tell(
      session
        ? { ...money, ended, session, left: leftOf(session, this.standings) }
        : { ...money, ended },
    );
  }

  /** What the contract does not have, as after a dev chain began anew, is no session. */
  private async checkSession(): Promise<void> {
    const { session } = this.money;
    if (!session) return;
    const { reader } = this.chain;
    const [state, head] = await Promise.all([
      readVoucher(reader, session.voucher),
      readHead(reader),
    ]);
    const isOpening = nowSeconds() - session.since < openingSeconds;
    if (!state && !isOpening) this.sessions.drop(session.voucher);
    else if (!state) return;
    else if (state.expiry <= head.timestamp) this.keepEnded(session, state.expiry);
    else return;
    this.findSession();
  }

  private keepEnded(session: Session, expiry: number): void {
    this.sessions.keep({ ...session, sessionKey: undefined, expiry });
  }

  private onStanding(entry: string, standing: Standing): void {
    const { session } = this.money;
    if (!session) return;
    const key = entry.toLowerCase();
    this.standings.set(key, standing);
    const charged = { ...session.charged, [key]: standing.charged };
    const changed = { ...session, charged };
    if (session.charged[key] !== standing.charged) this.sessions.keep(changed);
    this.change({ session: changed, left: leftOf(changed, this.standings) });
  }

  // What the user does.

  async buy(credits: bigint, options?: SendOptions): Promise<void> {
    const { reader } = this.chain;
    const wei = this.money.weiPerCredit ?? (await readWeiPerCredit(reader));
    await this.wallet.send(buyCall(reader.deployment, credits, wei), options);
    await this.refresh();
  }

  async openSession(
    ceiling: bigint,
    days: number,
    onPhase?: (phase: OpenPhase) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const entries = this.entries() ?? fail("not_ready", "no entry is verified: wait a moment");
    const { reader } = this.chain;
    const { sessions } = this;
    let signed: Session | undefined;
    try {
      await openVoucher(
        { owner: this.owner, reader, entries, wallet: this.wallet },
        {
          ceiling,
          days,
          onPhase,
          signal,
          onSigned: (session) => sessions.keep((signed = session)),
        },
      );
    } catch (thrown) {
      // What nobody waits for may be opened yet; what was refused is not.
      if (signed && !signal?.aborted) sessions.drop(signed.voucher);
      throw thrown;
    }
    this.standings.clear();
    this.voucherPayer = undefined;
    this.findSession();
    await this.refresh();
  }

  async endSession(options?: SendOptions): Promise<void> {
    const { session } = this.money;
    if (!session) return;
    await this.wallet.send(endVoucherCall(this.chain.deployment, session.voucher), options);
    this.keepEnded(session, nowSeconds());
    this.findSession();
    await this.refresh();
  }

  async reclaim(session: Session, options?: SendOptions): Promise<void> {
    await this.wallet.send(reclaimVoucherCall(this.chain.deployment, session.voucher), options);
    this.sessions.drop(session.voucher);
    this.findSession();
    await this.refresh();
  }

  async fund(): Promise<void> {
    const { client } = this.chain.reader;
    const { payer } = this.owner;
    try {
      await client.request({
        method: "anvil_setBalance" as never,
        params: [payer, `0x${devWei.toString(16)}`] as never,
      });
    } catch (thrown) {
      throw explainChainError(thrown);
    }
    await this.refresh();
  }

  async payer(): Promise<Payer> {
    if (this.mode === "host") return this.forHost();
    if (this.mode === "query") return this.forQuery();
    this.hasAsked = true;
    return this.forSession();
  }

  private forSession(): VoucherPayer {
    const { session } = this.money;
    const { sessionKey } = session ?? {};
    if (!session || !sessionKey) {
      return fail("payment_required", "no session is open: open one");
    }
    if (this.voucherPayer?.session.voucher === session.voucher) return this.voucherPayer;
    const { deployment, pool } = this.chain;
    this.voucherPayer = new VoucherPayer(
      { deployment, pool, voucher: session.voucher, sessionKey, ceiling: session.ceiling },
      { tokensAhead, onStanding: (entry, standing) => this.onStanding(entry, standing) },
    );
    return this.voucherPayer;
  }

  private async forQuery(): Promise<Payer> {
    const { reader, deployment, pool } = this.chain;
    const weiPerCredit = this.money.weiPerCredit ?? (await readWeiPerCredit(reader));
    return new QueryPayer({
      deployment,
      pool,
      weiPerCredit,
      send: async (call, _, signal) => {
        const receipt = await this.wallet.send(call, { signal });
        const [paid] = parseEventLogs({
          abi: teeTeeAbi,
          eventName: "QueryPaid",
          logs: receipt.logs,
        });
        void this.refresh();
        const none = new TeeTeeError("rpc_malformed", "the transaction paid for no query");
        return paid?.args.query ?? Promise.reject(none);
      },
    });
  }

  private forHost(): Payer {
    const wallet = getAddress(this.owner.payer);
    if (this.hostPayer?.options.wallet === wallet) return this.hostPayer;
    this.hostPayer = new HostPayer({
      wallet,
      chainId: this.chain.deployment.chainId,
      sign: (message) => this.wallet.signMessage(message),
      // The entry takes its own name only; the message is then in the name of the page's origin.
      domain: location.host,
    });
    return this.hostPayer;
  }
}
