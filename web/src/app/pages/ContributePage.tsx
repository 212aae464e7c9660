// SPDX-License-Identifier: Apache-2.0
import { Contribution } from "../contribute/Contribution";
import { useLastConnection } from "../network/useLastConnection";
import { chosenOf } from "../contribute/slotChoice";
import { useConnection } from "../network/NetworkProvider";
import { type PoolsState, usePools } from "../pools/usePools";
import { hrefOf } from "../router/route";
import { useRoute } from "../router/useRoute";
import { EmptyState } from "../ui/EmptyState";
import { Icon } from "../ui/Icon";
import { PageFrame } from "../ui/PageFrame";

export default function ContributePage() {
  const state = usePools();
  return (
    <PageFrame
      title="Contribute"
      intro="Host one shard of a model in a TEE of yours. You are paid for the tokens that it computes, and use the model for free."
    >
      <ContributeContent state={state} />
    </PageFrame>
  );
}

function ContributeContent({ state }: { state: PoolsState }) {
  const { network } = useConnection();
  const { query } = useRoute();
  const connection = useLastConnection();
  const { views, error, retry } = state;
  if (network && !network.chain) return <NoChain />;
  if (!views || !connection?.chain) {
    return error ? <Failed detail={error.detail} retry={retry} /> : <Loading />;
  }
  const asked = { pool: query.get("pool"), slot: query.get("slot") };
  const choice = chosenOf(views, asked);
  if (!choice) {
    return (
      <EmptyState icon="shield" title="There is no slot to fill">
        No pool of this network's contract takes new nodes.
      </EmptyState>
    );
  }
  return (
    <Contribution
      views={views}
      choice={choice}
      connection={connection}
      chain={connection.chain}
      weiPerCredit={state.weiPerCredit}
    />
  );
}

function NoChain() {
  return (
    <EmptyState
      icon="shield"
      title="This network has no pools"
      actions={
        <a href={hrefOf("models")} className="btn btn-quiet">
          See its model
        </a>
      }
    >
      It has no chain: answers are free, and whoever runs it adds nodes by hand. Nothing can be
      registered or earned.
    </EmptyState>
  );
}

function Failed({ detail, retry }: { detail: string; retry: () => void }) {
  return (
    <EmptyState
      icon="alert"
      title="The pools are not known"
      actions={
        <button type="button" onClick={retry} className="btn btn-solid">
          <Icon name="retry" className="size-4" />
          Try again
        </button>
      }
    >
      {detail}. Slots are listed as soon as an entry and the chain are reached and verified.
    </EmptyState>
  );
}

function Loading() {
  return (
    <div role="status" className="lg:grid lg:grid-cols-[13rem_1fr] lg:gap-8">
      <span className="sr-only">Asking the entry for its pools</span>
      <div aria-hidden="true" className="hidden h-48 rounded-xl bg-raised lg:block" />
      <div aria-hidden="true" className="space-y-5 motion-safe:animate-pulse">
        <div className="h-80 rounded-xl bg-raised" />
        <div className="h-80 rounded-xl bg-raised" />
      </div>
    </div>
  );
}
