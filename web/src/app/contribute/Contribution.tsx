// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "react";
import { isAddress, type Address } from "viem";
import { readNode } from "../../chain/reads";
import { attestVerifier } from "../../client/attestVerifier";
import { fetchBytes } from "../../client/fetchJson";
import { collateralBytesMax } from "../../client/limits";
import type { ConnectedChain, Connection } from "../network/connection";
import { navigate, useRoute } from "../router/useRoute";
import { useAccountAndSend } from "../wallet/account";
import { titleOf, type PoolView } from "../pools/poolView";
import { ChooseStep } from "./ChooseStep";
import { allowsSimulated, type DeploymentTarget, formErrors } from "./deployment";
import { DeployStep, useDeployment } from "./DeployStep";
import { DescribeStep } from "./DescribeStep";
import { loadForm, saveForm, type KeptForm } from "./formStore";
import { OwnNodes } from "./OwnNodes";
import { type PoolDocuments, PoolFiles } from "./PoolFiles";
import { RegisterStep } from "./RegisterStep";
import type { Choice } from "./slotChoice";
import { goTo, StageList, StepFrame } from "./StepFrame";
import { stagesOf } from "./stages";
import { useInspection } from "./useInspection";
import { useRegistering } from "./useRegistering";
import { type NodeSource, VerifyStep } from "./VerifyStep";

interface Props {
  views: readonly PoolView[];
  choice: Choice;
  connection: Connection;
  chain: ConnectedChain;
  weiPerCredit: bigint | undefined;
}

function useForm() {
  const [form, setForm] = useState<KeptForm>(loadForm);
  const change = (part: Partial<KeptForm>) => {
    setForm((before) => {
      const next = { ...before, ...part };
      saveForm(next);
      return next;
    });
  };
  return { form, change };
}

/** Manifest and policy of the chosen pool: the connected entry's own, or what the host opens. */
function useDocuments({ choice, connection }: Pick<Props, "choice" | "connection">) {
  const [opened, setOpened] = useState<Readonly<Record<string, Partial<PoolDocuments>>>>({});
  const { key, isConnected } = choice.view;
  const { manifest, policy } = connection.terms;
  const documents: Partial<PoolDocuments> = isConnected
    ? { manifest, policy }
    : (opened[key] ?? {});
  const open = (part: Partial<PoolDocuments>) =>
    setOpened((known) => ({ ...known, [key]: { ...known[key], ...part } }));
  return { documents, open };
}

function acceptsSimulated(policy: Uint8Array | undefined): boolean {
  try {
    return policy !== undefined && allowsSimulated(policy);
  } catch {
    return false;
  }
}

function targetOf({ choice, connection, chain }: Props): DeploymentTarget {
  const { view, slot } = choice;
  const entry = connection.entries.preferred;
  const isHandedOut = view.isConnected && view.terms?.manifestUri === "";
  return {
    rpcUrls: chain.rpcUrls,
    contract: chain.deployment.contract,
    chainId: chain.deployment.chainId,
    fromBlock: chain.fromBlock,
    pool: view.pool ?? 0n,
    slot: slot.slot,
    // Where the pool names no place, its entries hand these two out.
    manifestFrom: isHandedOut ? `${entry}/v1/manifest` : "",
    policyFrom: view.isConnected && view.terms?.policyUri === "" ? `${entry}/v1/policy` : "",
  };
}

/** `#/contribute?node=5`: the slot of a node that is to be renewed. */
function useNamedNode(chain: ConnectedChain, onFound: () => void): void {
  const { query } = useRoute();
  const named = query.get("node");
  useEffect(() => {
    if (named === null || !/^\d{1,15}$/.test(named)) return;
    let isOver = false;
    readNode(chain.reader, BigInt(named)).then(
      ({ pool, slot }) => {
        if (isOver) return;
        navigate("contribute", [], { pool: `${pool}`, slot: `${slot}` }, true);
        onFound();
      },
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [named, chain]);
}

async function fetchCollateral(entry: string, signal: AbortSignal): Promise<Uint8Array> {
  const url = `${entry}/v1/collateral`;
  const { status, bytes } = await fetchBytes(url, collateralBytesMax, { signal });
  return status === 200 ? bytes : new Uint8Array(0);
}

/** All that the steps share: what was written, what was found of the node, and what is sent. */
function useContribution(props: Props) {
  const { choice, connection, chain } = props;
  const { view, slot } = choice;
  const account = useAccountAndSend();
  const { form: kept, change } = useForm();
  const { documents, open } = useDocuments(props);
  const simulated = acceptsSimulated(documents.policy);
  const host = kept.host === "" ? (account.address ?? "") : kept.host;
  const isDev = simulated && (kept.isDev ?? connection.network.isSimulated);
  const form = { ...kept, host, isDev };
  const inspection = useInspection();
  const registering = useRegistering();

  // What was found is of one slot and one wallet.
  const typed = isAddress(host, { strict: false }) ? (host as Address) : undefined;
  const wallet = account.address ?? typed;
  const subject = `${view.key} ${slot.slot} ${wallet?.toLowerCase() ?? ""}`;
  useEffect(() => {
    inspection.cancel();
    registering.reset();
  }, [subject]);

  const check = (source: NodeSource) => {
    const { manifest, policy } = documents;
    if (!manifest || !policy || wallet === undefined || view.pool === undefined) return;
    registering.reset();
    inspection.start({
      source,
      reader: chain.reader,
      wallet,
      pool: view.pool,
      slot: slot.slot,
      manifest,
      policy,
      collateral: (signal) => fetchCollateral(connection.entries.preferred, signal),
      verifier: attestVerifier,
      now: Math.floor(Date.now() / 1000),
    });
  };
  const ready = inspection.findings?.ready;
  const register = () => {
    if (ready) void registering.start({ reader: chain.reader, account, ready });
  };
  return {
    ...{ account, form, change, documents, open, simulated, inspection, registering },
    ...{ check, ready, register, obstacle: obstacleOf(documents, wallet) },
  };
}

function choose(pool: string, slot?: number): void {
  navigate("contribute", [], { pool, ...(slot === undefined ? {} : { slot: `${slot}` }) }, true);
}

/** The way from a slot to a node that is registered, all of it on one page. */
export function Contribution(props: Props) {
  const { views, choice, chain, weiPerCredit } = props;
  const { view } = choice;
  const all = useContribution(props);
  const { account, form, change, documents, inspection, registering } = all;
  const errors = formErrors(form);
  const { files, problem } = useDeployment(form, targetOf(props));
  const urlField = useRef<HTMLInputElement>(null);
  const goToUrl = () => {
    goTo("verify");
    urlField.current?.focus({ preventScroll: true });
  };
  useNamedNode(chain, goToUrl);
  const stages = stagesOf({
    isDescribed: Object.keys(errors).length === 0,
    hasFiles: files !== undefined,
    findings: inspection.findings,
    registering: registering.state,
  });
  const steps = [
    <>
      <ChooseStep views={views} choice={choice} weiPerCredit={weiPerCredit} onChoose={choose} />
      {account.address !== undefined && view.pool !== undefined ? (
        <OwnNodes
          reader={chain.reader}
          pool={view.pool}
          host={account.address}
          round={registering.state.phase === "done" ? 1 : 0}
          onRenew={(slot) => {
            choose(view.key, slot);
            goToUrl();
          }}
        />
      ) : null}
    </>,
    <DescribeStep
      form={form}
      errors={errors}
      onChange={change}
      account={account}
      allowsSimulated={all.simulated}
      hasManifestUri={(view.terms?.manifestUri ?? "") !== ""}
    />,
    <DeployStep files={files} problem={problem} form={form} policy={documents.policy} />,
    <>
      {view.isConnected ? null : (
        <PoolFiles title={titleOf(view)} terms={view.terms} known={documents} onOpen={all.open} />
      )}
      <VerifyStep
        url={form.url}
        onUrl={(url) => change({ url })}
        proposedUrl={files?.statusUrl}
        urlField={urlField}
        inspection={inspection}
        onStart={all.check}
        obstacle={all.obstacle}
      />
    </>,
    <RegisterStep
      account={account}
      ready={all.ready}
      isSimulated={inspection.findings?.verified?.isSimulated ?? false}
      state={registering.state}
      onStart={all.register}
    />,
  ];
  return (
    <div className="lg:grid lg:grid-cols-[13rem_minmax(0,1fr)] lg:gap-8">
      <StageList stages={stages} />
      <div className="mt-6 space-y-5 lg:mt-0">
        {stages.map((stage, i) => (
          <StepFrame key={stage.id} stage={stage} number={i + 1}>
            {steps[i]}
          </StepFrame>
        ))}
      </div>
    </div>
  );
}

function obstacleOf(
  documents: Partial<PoolDocuments>,
  wallet: string | undefined,
): string | undefined {
  if (!documents.manifest || !documents.policy) {
    return "This entry serves another pool: open the manifest and the policy of this one first.";
  }
  if (wallet === undefined)
    return "Connect your wallet, or name it above: the node is checked for it.";
  return undefined;
}
