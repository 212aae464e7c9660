// SPDX-License-Identifier: Apache-2.0
import { useMemo, type ReactNode } from "react";
import type { Address } from "viem";
import { isSameAddress } from "../../chain/deployment";
import { accountOf } from "../../chain/reads";
import type { Connection } from "../network/connection";
import { useConnection } from "../network/NetworkProvider";
import { useLastConnection } from "../network/useLastConnection";
import { hrefOf } from "../router/route";
import { useRoute } from "../router/useRoute";
import { EmptyState } from "../ui/EmptyState";
import { useAccountAndSend } from "../wallet/account";
import { AccountBar } from "./AccountBar";
import { whenText } from "./amounts";
import { countText } from "../ui/amounts";
import { EarningsPart } from "./EarningsPart";
import type { AccountState } from "./load";
import { NodeCards } from "./NodeCards";
import { PayerPart } from "./PayerPart";
import { SettlePart } from "./SettlePart";
import { UsageCharts } from "./UsageCharts";
import { useAccountData } from "./useAccountData";
import { useNow } from "./useNow";

function accountOfQuery(text: string | null): Address | undefined {
  try {
    return text === null ? undefined : accountOf(text);
  } catch {
    return undefined;
  }
}

/** Nodes, earnings and credits of a wallet, or of any address. */
export function Dashboard() {
  const { query } = useRoute();
  const { address } = useAccountAndSend();
  const { network, error, retry } = useConnection();
  const connection = useLastConnection();
  const asked = query.get("account");
  const account = useMemo(() => accountOfQuery(asked), [asked]) ?? address;
  const isOwn = account !== undefined && address !== undefined && isSameAddress(account, address);
  const data = useAccountData(connection, account);
  if (network !== undefined && network.chain === undefined) return <NoChain />;
  return (
    <div className="space-y-8">
      <AccountBar account={account} isOwn={isOwn}>
        {asked !== null && accountOfQuery(asked) === undefined ? (
          <p role="alert" className="text-sm text-failed">
            The link names no address: it needs 0x and 40 hex digits.
          </p>
        ) : null}
      </AccountBar>
      {account === undefined ? (
        <NoWallet />
      ) : connection?.chain === undefined ? (
        <Waiting
          words={error === undefined ? "Connecting to the network…" : error.detail}
          isError={error !== undefined}
          retry={retry}
        />
      ) : data.account === undefined ? (
        <Waiting
          words={data.error?.detail ?? "Reading the contract…"}
          isError={data.error !== undefined}
          retry={() => void data.reload()}
        />
      ) : (
        <Figures
          account={data.account}
          connection={connection}
          isOwn={isOwn}
          problem={data.error?.detail}
          onChange={() => data.reload()}
        />
      )}
    </div>
  );
}

interface FiguresProps {
  account: AccountState;
  connection: Connection;
  isOwn: boolean;
  /** Why these figures are not of now. */
  problem: string | undefined;
  onChange: () => Promise<void>;
}

function Figures({ account, connection, isOwn, problem, onChange }: FiguresProps) {
  const { network } = useConnection();
  const { chain, entry } = connection;
  const now = useNow(account.now);
  if (chain === undefined) return null;
  const { nodes } = account;
  const isEntryHost = nodes.some((node) => isSameAddress(node.receiptKey, entry.receiptKey));
  const parts = { account, chain, now, isOwn, onChange };
  return (
    <div className="space-y-10">
      <p className="min-h-6 text-sm text-soft">
        {problem === undefined ? (
          `As of block ${countText(account.block)}, ${whenText(account.now, now)}, read by this page from the contract.`
        ) : (
          <span role="alert" className="text-failed">
            These figures are of block {countText(account.block)}: {problem}
          </span>
        )}
      </p>
      <Section title={nodes.length === 0 ? "Nodes" : `Nodes: ${nodes.length}`}>
        {nodes.length === 0 ? (
          <NoNodes isOwn={isOwn} />
        ) : (
          <NodeCards
            nodes={nodes}
            network={network}
            deployment={chain.deployment}
            now={now}
            isOwn={isOwn}
            onChange={onChange}
          />
        )}
      </Section>
      {nodes.length === 0 ? null : (
        <Section title="Usage">
          <UsageCharts nodes={nodes} network={network} />
        </Section>
      )}
      {nodes.length === 0 && account.earnings === 0n ? null : (
        <Section title="Earnings">
          <EarningsPart {...parts} />
          <div className="mt-4">
            {isOwn && isEntryHost ? (
              <SettlePart connection={connection} onChange={onChange} />
            ) : (
              <p className="text-sm text-soft">
                What clients owe and no entry has settled yet, only the entries know: it comes to
                these earnings with their next settlement. Hosts of an entry can have it settle at
                once, from a page that is connected to it.
              </p>
            )}
          </div>
        </Section>
      )}
      <Section title="Paying">
        <PayerPart {...parts} />
      </Section>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h2 className="mb-4 text-xl font-semibold">{title}</h2>
      {children}
    </section>
  );
}

function NoWallet() {
  return (
    <EmptyState
      icon="wallet"
      title="No wallet is connected"
      actions={
        <a href={hrefOf("contribute")} className="btn btn-quiet">
          Host a shard
        </a>
      }
    >
      Connect the wallet that owns your nodes to see their usage, earnings and uptime, or look at
      any address: what stands in the contract is open to all.
    </EmptyState>
  );
}

function NoChain() {
  return (
    <EmptyState
      icon="wallet"
      title="This network has no chain"
      actions={
        <a href={hrefOf("chat")} className="btn btn-quiet">
          Go to chat
        </a>
      }
    >
      Answers are free here, so that nobody earns and nobody pays. Connect to an entry of a network
      with a contract in the settings.
    </EmptyState>
  );
}

function NoNodes({ isOwn }: { isOwn: boolean }) {
  return (
    <EmptyState
      icon="shield"
      title={isOwn ? "You host no shard yet" : "This account hosts no shard"}
      actions={
        <a href={hrefOf("contribute")} className="btn btn-solid">
          Host a shard
        </a>
      }
    >
      Whoever hosts a shard of a model in a TEE is paid for the tokens that it computes, and uses
      the model for free. The contribution page leads from a free slot to a registered node.
    </EmptyState>
  );
}

interface WaitingProps {
  words: string;
  isError: boolean;
  retry: () => void;
}

function Waiting({ words, isError, retry }: WaitingProps) {
  return (
    <div role="status" className="card min-h-64 p-6">
      <p className={isError ? "break-words text-failed" : "text-soft"}>{words}</p>
      {isError ? (
        <button type="button" onClick={retry} className="btn btn-quiet btn-small mt-3">
          Try again
        </button>
      ) : null}
    </div>
  );
}
