// SPDX-License-Identifier: Apache-2.0
import { type Address, getAddress } from "viem";
import { getBalance } from "viem/actions";
import { asError, fail } from "../../base/error";
import { buyCall, endVoucherCall, reclaimQueryCall, reclaimVoucherCall } from "../../chain/calls";
import { isSameDeployment } from "../../chain/deployment";
import { explainChainError } from "../../chain/errors";
import {
  readBalance,
  readBlockTime,
  readHead,
  readIsHost,
  readPool,
  readQuery,
  readVoucher,
  readWeiPerCredit,
} from "../../chain/reads";
import type { EntryPool } from "../../client/entryPool";
import type { PaidTerms, Standing } from "../../client/entries";
import { HostPayer } from "../../client/hostPayer";
import {
  findPayment,
  PaidQueries,
  queryGraceSeconds,
  type PaidQuery,
} from "../../client/paidQueries";
import { fetchVerifiedTerms, type Payer } from "../../client/payers";
import { QueryPayer } from "../../client/queryPayer";
import { VoucherPayer } from "../../client/voucherPayer";
import type { ConnectedChain } from "../network/connection";
import { isDevChain as isDevChainOf } from "../wallet/devChain";
import type { SendOptions, WalletActions } from "../wallet/wallet";
import { openSigned, openVoucher, signedError } from "./openVoucher";
import { noMoney, type Money, type OpenPhase, type PaymentActions } from "./payment";
import {
  isOpening,
  isUsable,
  leftOf,
  reclaimAfterSeconds,
  SessionStorage,
  withCharge,
  withoutKey,
  type EntryStanding,
  type Session,
} from "./sessions";
import type { PaymentMode } from "./step";

const refreshMs = 15_000;
/** Servers behind one RPC endpoint may be so far behind each other. */
const lagSeconds = 600;
/** Sessions of other chains, whose clocks are not known, count as ended so long after they have. */
const otherChainsSeconds = 7 * 86_400;
/** So long after it was paid every endpoint has seen a query. */
const querySeenSeconds = 300;
/**
 * Signed for at first: as many as a chat's answer has unless more is asked for. A fast entry would come
 * to the end of less before the page could sign for more, and an attested one charges what it served.
 */
const tokensAhead = 1024;
/** Of a dev chain, for whoever has none. */
const devWei = 10n * 10n ** 18n;

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** What was answered is settled by itself, unless its entry is gone. */
function isShown({ isUsed, deadline }: PaidQuery, chainTime: number): boolean {
  return !isUsed || chainTime > deadline + queryGraceSeconds;
}

function nameOf({ entry, requestHash, fromBlock }: PaidQuery): string {
  return `${entry.toLowerCase()} ${requestHash} ${fromBlock}`;
}

/** Entries have had their week: its rest may be reclaimed, if there is any. */
function isSettled({ expiry }: Session, now: number): boolean {
  return now > expiry + reclaimAfterSeconds;
}

/**
 * The money of the wallet that is connected, on one chain and in one pool: reads it at intervals and
 * after whatever changes it, and makes payers of it. One for the page's life on that chain.
 */
export class PaymentDesk implements PaymentActions {
  private money: Money = noMoney;
  private account: Address | undefined;
  private readonly sessions: SessionStorage;
  private readonly queries: PaidQueries;
  /**
   * Sessions that have ended as the chain said last, and when; and queries that the contract is done
   * with. Nothing is erased for that alone: one endpoint may lie, and the next one bring them back.
   */
  private readonly ended = new Map<string, number>();
  private readonly gone = new Set<string>();
  /** By voucher, then by entry. */
  private readonly standings = new Map<string, Map<string, EntryStanding>>();
  /** Of the newest block, and when it was read by this browser's clock. */
  private head: { readonly timestamp: number; readonly readAt: number } | undefined;
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
    this.queries = new PaidQueries(storage);
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
    const { weiPerCredit, prices, isDevChain, openedFrom, chainTime } = this.money;
    this.tell({
      ...noMoney,
      ...(chainTime === undefined ? {} : { chainTime }),
      ...(weiPerCredit === undefined ? {} : { weiPerCredit }),
      ...(prices === undefined ? {} : { prices }),
      ...(isDevChain === undefined ? {} : { isDevChain }),
      ...(openedFrom === undefined ? {} : { openedFrom }),
    });
    this.findSession();
    if (account !== undefined) this.showQueries();
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
    if (account !== undefined) this.showQueries();
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
    const [info, wei, isDev, head] = await Promise.all([
      readPool(reader, pool),
      weiPerCredit ?? readWeiPerCredit(reader),
      isDevChain ?? isDevChainOf(reader.client),
      readHead(reader),
    ]);
    this.head = { timestamp: head.timestamp, readAt: nowSeconds() };
    this.change({
      prices: info.prices,
      weiPerCredit: wei,
      isDevChain: isDev,
      chainTime: head.timestamp,
    });
    await this.checkSessions(head.timestamp);
    if (account === undefined) return;
    const checking = this.checkQueries(head.timestamp);
    const [balance, eth, isHost] = await Promise.all([
      readBalance(reader, account),
      getBalance(reader.client, { address: account }).catch((thrown: unknown) => {
        throw explainChainError(thrown);
      }),
      readIsHost(reader, pool, account),
    ]);
    if (account === this.account) this.change({ balance, eth, isHost });
    await checking;
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
    if (!this.hasAsked && this.standingsOf(session.voucher).get(key)?.held === 0n) return;
    try {
      const { held } = await this.forSession().standing(entry);
      // The charge comes with the receipt; until then it is held.
      if (held === 0n) this.hasAsked = false;
    } catch {
      // One that is away, or has not seen the session's opening yet, is asked again later.
    }
  }

  // Sessions.

  /** By the chain's clock, which decides, whatever this browser's says; undefined: not known yet. */
  private get chainNow(): number | undefined {
    const { head } = this;
    return head && head.timestamp + Math.max(nowSeconds() - head.readAt, 0);
  }

  private findSession(): void {
    if (this.account === undefined) return;
    const now = this.chainNow;
    const all = this.sessions.of(this.owner).flatMap((one) => this.shown(one) ?? []);
    const session = all.find((one) => isUsable(one, now));
    const opening = all.filter((one) => isOpening(one, now));
    const ended = all.filter((one) => one !== session && !opening.includes(one));
    const { session: _, left: __, ...money } = this.money;
    const found = { ...money, opening, ended };
    this.tell(session ? { ...found, session, left: this.leftOf(session) } : found);
  }

  /** undefined for one that ended and was never opened: of it nothing comes back. */
  private shown(session: Session): Session | undefined {
    const end = this.ended.get(session.voucher);
    const isOver = end !== undefined || !session.sessionKey;
    if (isOver && !session.isOpen) return undefined;
    return end === undefined ? session : withoutKey(session, end);
  }

  private leftOf(session: Session): bigint {
    return leftOf(session, this.standingsOf(session.voucher));
  }

  private standingsOf(voucher: string): Map<string, EntryStanding> {
    const known = this.standings.get(voucher) ?? new Map<string, EntryStanding>();
    this.standings.set(voucher, known);
    return known;
  }

  /** What the contract says of them; keys of what has ended are kept no longer. */
  private async checkSessions(chainTime: number): Promise<void> {
    const keyless = this.account === undefined ? [] : this.sessions.of(this.owner);
    const all = [
      ...this.sessions.withKeys(),
      ...keyless.filter((one) => !one.sessionKey && (!one.isOpen || isSettled(one, chainTime))),
    ];
    await Promise.all(all.map((one) => this.checkSession(one, chainTime)));
    this.findSession();
  }

  private async checkSession(session: Session, chainTime: number): Promise<void> {
    const { reader, deployment } = this.chain;
    const { voucher, expiry } = session;
    const now = nowSeconds();
    if (!isSameDeployment(session, deployment)) {
      if (expiry + otherChainsSeconds < now) this.endNow(session, expiry);
      return;
    }
    const isOwn = session.payer.toLowerCase() === this.account?.toLowerCase();
    if (!isOwn && expiry > chainTime) return;
    const state = await readVoucher(reader, voucher);
    // It may be opened as long as it has not expired: by the entry, or whoever got the signature.
    const end = state ? state.expiry : expiry + lagSeconds;
    if (chainTime < end) this.ended.delete(voucher);
    else this.ended.set(voucher, state ? end : expiry);
    if (state) this.setOpen(session, true);
    else if (session.since + lagSeconds < chainTime) this.setOpen(session, false);
    // What cannot be undone waits for this browser's clock as well, which no endpoint sets.
    if (isSettled(session, chainTime) && isSettled(session, now)) {
      if (!state?.remaining) return this.sessions.drop(voucher);
    }
    if (chainTime >= end && now >= expiry) this.endNow(session, state ? end : expiry);
  }

  private setOpen({ voucher }: Session, isOpen: boolean): void {
    this.sessions.change(voucher, (session) =>
      session.isOpen === isOpen ? session : { ...session, isOpen },
    );
  }

  private endNow({ voucher }: Session, expiry: number): void {
    this.sessions.change(voucher, (session) =>
      session.sessionKey ? withoutKey(session, expiry) : session,
    );
  }

  /** An answer that was begun with one session may end when there is another. */
  private onStanding(voucher: string, entry: string, standing: Standing): void {
    this.standingsOf(voucher).set(entry.toLowerCase(), standing);
    this.sessions.change(voucher, (kept) => withCharge(kept, entry, standing.charged));
    const { session } = this.money;
    if (session?.voucher !== voucher) return;
    const changed = withCharge(session, entry, standing.charged);
    this.change({ session: changed, left: this.leftOf(changed) });
  }

  // Questions that were paid for.

  /**
   * What became of them in the contract; of what it is done with nothing is kept. One that cannot be
   * looked up (events are more than some endpoints tell) says nothing of the rest.
   */
  private async checkQueries(chainTime: number): Promise<void> {
    const { owner } = this;
    const idle = this.queries.of(owner).filter((one) => !this.queries.isBusy(one));
    await Promise.all(idle.map((one) => this.checkQuery(one, chainTime).catch(() => undefined)));
    if (owner.payer === this.account) this.showQueries();
  }

  private showQueries(): void {
    const { chainTime = 0 } = this.money;
    const all = this.queries.of(this.owner);
    const queries = all.filter(
      (one) => !this.queries.isBusy(one) && !this.gone.has(nameOf(one)) && isShown(one, chainTime),
    );
    this.change({ queries });
  }

  private async checkQuery(paid: PaidQuery, chainTime: number): Promise<void> {
    const { reader } = this.chain;
    if (paid.query !== undefined) {
      if (chainTime <= paid.askedAt + querySeenSeconds || !isShown(paid, chainTime)) return;
      this.setGone(paid, !(await readQuery(reader, paid.query)), chainTime);
      return;
    }
    const found = await findPayment(reader, paid);
    if (this.queries.isBusy(paid)) return;
    this.setGone(paid, found.state === "none", chainTime);
    if (found.state !== "paid") return;
    const { query, transaction } = found;
    this.queries.change(paid, (kept) => ({ ...kept, query, transaction }));
  }

  /** Nothing is to be had of it any more; its note goes once both clocks say that, too. */
  private setGone(paid: PaidQuery, isGone: boolean, chainTime: number): void {
    if (!isGone) return void this.gone.delete(nameOf(paid));
    this.gone.add(nameOf(paid));
    const now = Math.min(nowSeconds(), chainTime);
    if (now > paid.deadline + queryGraceSeconds) this.queries.drop(paid);
  }

  // What the user does.

  async buy(credits: bigint, options?: SendOptions): Promise<void> {
    const { reader } = this.chain;
    const { payer } = this.owner;
    const wei = this.money.weiPerCredit ?? (await readWeiPerCredit(reader));
    const call = buyCall(reader.deployment, credits, wei);
    await this.wallet.send(call, { ...options, from: payer });
    await this.refresh();
  }

  async openSession(
    ceiling: bigint,
    days: number,
    onPhase?: (phase: OpenPhase) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    let signed: Session | undefined;
    try {
      await openVoucher(this.openingTools(), {
        ceiling,
        days,
        onPhase,
        signal,
        onSigned: (session) => this.sessions.keep((signed = session)),
      });
    } catch (thrown) {
      this.findSession();
      throw signed ? signedError(thrown) : thrown;
    }
    await this.lookAt(signed);
  }

  async openSigned(
    session: Session,
    byWallet: boolean,
    onPhase?: (phase: OpenPhase) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await openSigned(this.openingTools(), session, { byWallet, onPhase, signal });
    await this.lookAt(session);
  }

  private openingTools() {
    const { reader } = this.chain;
    const entries = this.entries() ?? fail("not_ready", "no entry is verified: wait a moment");
    return { owner: this.owner, reader, entries, wallet: this.wallet };
  }

  /** It is in a block: what is in the contract can be spent from. */
  private async lookAt(session: Session | undefined): Promise<void> {
    if (session && (await readVoucher(this.chain.reader, session.voucher))) {
      this.setOpen(session, true);
    }
    this.findSession();
    await this.refresh();
  }

  async endSession(options?: SendOptions): Promise<void> {
    const { session } = this.money;
    if (!session) return;
    const { reader, deployment } = this.chain;
    const call = endVoucherCall(deployment, session.voucher);
    const { payer: from } = session;
    const { blockNumber } = await this.wallet.send(call, { ...options, from });
    this.endNow(session, await readBlockTime(reader, blockNumber).catch(nowSeconds));
    this.findSession();
    await this.refresh();
  }

  async reclaim(session: Session, options?: SendOptions): Promise<void> {
    const { payer: from, voucher } = session;
    const call = reclaimVoucherCall(this.chain.deployment, voucher);
    await this.wallet.send(call, { ...options, from });
    this.sessions.drop(session.voucher);
    this.findSession();
    await this.refresh();
  }

  async reclaimQuery(paid: PaidQuery, options?: SendOptions): Promise<void> {
    const query = paid.query ?? fail("not_ready", "its transaction is in no block yet");
    const { payer: from } = paid;
    const call = reclaimQueryCall(this.chain.deployment, query);
    await this.wallet.send(call, { ...options, from });
    this.queries.drop(paid);
    await this.refresh();
  }

  forgetQuery(paid: PaidQuery): void {
    const now = Math.min(nowSeconds(), this.money.chainTime ?? 0);
    if (paid.query !== undefined || now <= paid.deadline + queryGraceSeconds) {
      fail("not_ready", "it may still be paid or reclaimed: it is kept");
    }
    this.queries.drop(paid);
    this.showQueries();
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
      {
        tokensAhead,
        onStanding: (entry, standing) => this.onStanding(session.voucher, entry, standing),
      },
    );
    return this.voucherPayer;
  }

  private async forQuery(): Promise<Payer> {
    const { reader, pool } = this.chain;
    const { payer } = this.owner;
    const weiPerCredit = this.money.weiPerCredit ?? (await readWeiPerCredit(reader));
    return new QueryPayer({
      reader,
      pool,
      payer,
      weiPerCredit,
      queries: this.queries,
      send: (call, options) => this.wallet.send(call, { ...options, from: payer }),
    });
  }

  private forHost(): Payer {
    const wallet = getAddress(this.owner.payer);
    if (this.hostPayer?.options.wallet === wallet) return this.hostPayer;
    this.hostPayer = new HostPayer({
      wallet,
      chainId: this.chain.deployment.chainId,
      sign: (message) => this.wallet.signMessage(message, wallet),
      // The entry takes its own name only; the message is then in the name of the page's origin.
      domain: location.host,
    });
    return this.hostPayer;
  }
}
