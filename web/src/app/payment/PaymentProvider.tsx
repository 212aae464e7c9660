// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { fail } from "../../base/error";
import type { Connection } from "../network/connection";
import { useConnection } from "../network/NetworkProvider";
import { useWallet } from "../wallet/wallet";
import { PaymentContext, noMoney, type Money, type Payment, type PaymentActions } from "./payment";
import type { PaymentDesk } from "./paymentDesk";
import { nextStep, type PaymentMode, type StepFacts } from "./step";

const modeKey = "teetee.payment";
const modes: readonly PaymentMode[] = ["session", "query", "host"];
/** Tokens of a short question and of an answer's beginning, for which an entry wants to be paid. */
const leastTokens = { prompt: 64n, completion: 64n };

function storedMode(): PaymentMode {
  const kept = localStorage.getItem(modeKey);
  return modes.find((mode) => mode === kept) ?? "session";
}

/** The connection, kept while the network is away for a moment. */
function useKnownConnection(): Connection | undefined {
  const { connection } = useConnection();
  const known = useRef<Connection>(undefined);
  if (connection) known.current = connection;
  return known.current;
}

function leastCost({ prices }: Money): bigint {
  if (!prices) return 0n;
  return leastTokens.prompt * prices.prompt + leastTokens.completion * prices.completion;
}

/** The desk of the chain that the network is on, as long as it is that one. */
function useDesk(connection: Connection | undefined) {
  const [money, setMoney] = useState<Money>(noMoney);
  const desk = useRef<PaymentDesk>(undefined);
  const latest = useRef(connection);
  latest.current = connection;
  const wallet = useWallet();
  const actions = useRef(wallet);
  actions.current = wallet;
  const chain = connection?.chain;
  const key = chain
    ? [chain.deployment.chainId, chain.deployment.contract, chain.pool, ...chain.rpcUrls].join(" ")
    : "";
  useEffect(() => {
    setMoney(noMoney);
    if (!chain) return;
    let isOver = false;
    void import("./paymentDesk").then(({ PaymentDesk }) => {
      if (isOver) return;
      desk.current = new PaymentDesk(
        chain,
        () => latest.current?.entries,
        {
          connect: (id) => actions.current.connect(id),
          disconnect: () => actions.current.disconnect(),
          switchChain: () => actions.current.switchChain(),
          send: (call, options) => actions.current.send(call, options),
          signVoucher: (typed) => actions.current.signVoucher(typed),
          signMessage: (message, from) => actions.current.signMessage(message, from),
        },
        setMoney,
        localStorage,
      );
      desk.current.setAccount(actions.current.address);
      desk.current.start();
    });
    return () => {
      isOver = true;
      desk.current?.stop();
      desk.current = undefined;
    };
  }, [key]);
  useEffect(() => desk.current?.setAccount(wallet.address), [wallet.address]);
  return { money, desk };
}

function factsOf(
  connection: Connection | undefined,
  isConnected: boolean,
  wallet: ReturnType<typeof useWallet>,
  mode: PaymentMode,
  money: Money,
): StepFacts {
  return {
    isFree: connection !== undefined && connection.chain === undefined,
    isConnected,
    wallet: {
      phase: wallet.phase,
      hasChoices: wallet.choices.length > 0,
      isWrongChain: wallet.isWrongChain,
    },
    mode,
    isChainAway: money.problem !== undefined,
    balance: money.balance,
    eth: money.eth,
    isHost: money.isHost,
    left: money.session ? money.left : undefined,
    isOpening: money.opening.length > 0,
    leastCost: leastCost(money),
  };
}

/** What answers are paid from; its code loads only where the network has a chain. */
export function PaymentProvider({ children }: { children: ReactNode }) {
  const connection = useKnownConnection();
  const isConnected = useConnection().connection !== undefined;
  const wallet = useWallet();
  const [mode, setMode] = useState(storedMode);
  const { money, desk } = useDesk(connection);
  const actions = useMemo((): PaymentActions => {
    const at = () => desk.current ?? fail("not_ready", "payment is not ready yet");
    return {
      refresh: async () => desk.current?.refresh(),
      buy: async (credits, options) => at().buy(credits, options),
      openSession: async (...wish) => at().openSession(...wish),
      openSigned: async (...wish) => at().openSigned(...wish),
      endSession: async (options) => at().endSession(options),
      reclaim: async (session, options) => at().reclaim(session, options),
      reclaimQuery: async (query, options) => at().reclaimQuery(query, options),
      forgetQuery: (query) => at().forgetQuery(query),
      fund: async () => at().fund(),
      payer: async () => at().payer(),
    };
  }, [desk]);
  const facts = factsOf(connection, isConnected, wallet, mode, money);
  const step = nextStep(facts);
  const { isFree } = facts;
  const value = useMemo(
    (): Payment => ({
      ...money,
      ...actions,
      payer: async () => {
        if (isFree) return undefined;
        if (desk.current) desk.current.mode = mode;
        return actions.payer();
      },
      mode,
      setMode: (next) => {
        localStorage.setItem(modeKey, next);
        setMode(next);
      },
      step,
      isFree,
    }),
    [money, actions, desk, mode, step, isFree],
  );
  return <PaymentContext value={value}>{children}</PaymentContext>;
}
