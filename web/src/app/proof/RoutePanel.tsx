// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import type { TeeTeeError } from "../../base/error";
import type { Network } from "../../client/entries";
import {
  RouteRejected,
  type EvidenceCheck,
  type NodeReport,
  type VerifiedNode,
} from "../../client/routeVerifier";
import type { RegisteredNode, VerifiedEntry } from "../../client/verifiedEntry";
import { NetworkChanged, wordsOfSaid } from "../network/knownNetworks";
import { useConnection } from "../network/NetworkProvider";
import { verifyTimeMs } from "../network/verifyTime";
import { type Yardstick, yardstickOf } from "../network/yardstick";
import { shortAddress } from "../wallet/wallet";
import { Icon } from "../ui/Icon";
import { NodeBadge } from "./NodeBadge";
import { hardwareWords } from "./hardwareWords";
import { Hash } from "./ProofPanel";
import { shownTrust, type ShownTrust } from "./proof";

/** A node of the route in the panel, however much is known of it. */
interface ShownNode {
  node: string;
  layers?: readonly [number, number];
  trust: ShownTrust;
  checks: readonly EvidenceCheck[];
  verified?: VerifiedNode;
  registered?: RegisteredNode;
  /** Why it was refused. */
  error?: string;
}

function verifiedNodes(entry: VerifiedEntry, isOwn: boolean): ShownNode[] {
  return entry.route.nodes.map((node, i) => {
    const registered = entry.registered[i];
    return {
      node: node.receiptKey.slice(2).toLowerCase(),
      layers: [node.layers.begin, node.layers.end - 1],
      trust: shownTrust(node.isSimulated ? "simulated" : "verified", isOwn),
      checks: node.checks,
      verified: node,
      ...(registered ? { registered } : {}),
    };
  });
}

function rejectedNode(report: NodeReport, i: number): ShownNode {
  const { receiptKey, layers, checks, error } = report;
  return {
    node: receiptKey?.slice(2).toLowerCase() ?? `node ${i + 1}`,
    ...(layers ? { layers: [layers.begin, layers.end - 1] as const } : {}),
    // A route that is refused is never green, not in part either.
    trust: error ? "failed" : checks.length > 0 ? "attested" : "unknown",
    checks,
    ...(error ? { error: `${error.detail} (${error.code})` } : {}),
  };
}

/** As the entry says that its route is; nothing of it has been checked. */
function announcedNodes(network: Network | undefined): ShownNode[] {
  const [route = []] = network?.routes ?? [];
  return route.map((id) => {
    const layers = network?.nodes.find((node) => node.node === id)?.layers;
    return {
      node: id,
      ...(layers ? { layers: [layers.begin, layers.end - 1] as const } : {}),
      trust: "checking",
      checks: [],
    };
  });
}

interface Shown {
  tone: string;
  title: string;
  words: string;
  nodes: ShownNode[];
}

function shownError(error: TeeTeeError): Shown {
  if (error instanceof RouteRejected) {
    return {
      tone: "bg-failed-soft text-failed",
      title: "Refused: a node of the route does not prove what it must",
      words: "Nothing is sent to this network.",
      nodes: error.nodes.map(rejectedNode),
    };
  }
  if (error instanceof NetworkChanged) {
    return {
      tone: "bg-failed-soft text-failed",
      title: "Refused: the entry names another network than before",
      words: `Before it was ${wordsOfSaid(error.before)}. Now it is ${wordsOfSaid(error.now)}. Money would go there, and nodes be held against it. Nothing is sent until you say that this is right.`,
      nodes: [],
    };
  }
  return {
    tone: "bg-raised",
    title: "The route is not verified",
    words: `${error.detail} (${error.code}). It is tried again by itself.`,
    nodes: [],
  };
}

function shownEntry(entry: VerifiedEntry, yardstick: Yardstick, isRegistered: boolean): Shown {
  const ms = verifyTimeMs(entry.route);
  const took = ms === undefined ? "" : ` in ${Math.max(1, Math.round(ms))} ms`;
  const registered = isRegistered ? " and holds a live registration in the contract" : "";
  const count = `${entry.route.nodes.length} nodes checked in this page${took}. Each shows its evidence${registered}`;
  const nodes = verifiedNodes(entry, yardstick.isOwn);
  if (entry.route.isSimulated) {
    return {
      tone: "bg-simulated-soft text-simulated",
      title: "SIMULATED: every check passed, on development TEEs",
      words: `${count}, but their TEEs protect nothing. ${yardstick.words}`,
      nodes,
    };
  }
  if (!yardstick.isOwn) {
    return {
      tone: "bg-raised",
      title: "Every node of the route is attested",
      words: `${count}. ${yardstick.words} Compare that with a place that you trust, and set it below: then the page says Verified.`,
      nodes,
    };
  }
  return {
    tone: "bg-verified-soft text-verified",
    title: "Every node of the route is verified",
    words: `${count}. ${yardstick.words}`,
    nodes,
  };
}

function useShown(): Shown {
  const { connection, network, error } = useConnection();
  if (error) return shownError(error);
  if (!connection) {
    return {
      tone: "bg-raised",
      title: "Checking every node of the route",
      words: network ? "Evidence is fetched and checked in this page." : "Asking the entry.",
      nodes: announcedNodes(network),
    };
  }
  const { entry, chain } = connection;
  return shownEntry(entry, yardstickOf(connection), chain !== undefined);
}

/** What this page has found out of the nodes that a prompt would go to: before, while and after. */
export function RoutePanel() {
  const { tone, title, words, nodes } = useShown();
  const firstFailed = nodes.findIndex((node) => node.error !== undefined);
  return (
    <section aria-label="Route" className="card overflow-hidden text-left text-sm">
      <div className={`px-4 py-3 ${tone}`} role="status">
        <h3 className="font-semibold">{title}</h3>
        <p className="wrap-anywhere">{words}</p>
      </div>
      {nodes.length === 0 ? null : (
        <ol className="divide-y divide-line">
          {nodes.map((node, i) => (
            <li key={`${node.node} ${i}`} className="px-4 py-2">
              <RouteNode shown={node} isOpen={i === firstFailed} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function RouteNode({ shown, isOpen }: { shown: ShownNode; isOpen: boolean }) {
  const { node, layers, trust, checks, verified, registered, error } = shown;
  const failed = checks.filter((check) => !check.passed);
  const badge = <NodeBadge node={node} trust={trust} {...(layers ? { layers } : {})} />;
  if (checks.length === 0 && error === undefined) return badge;
  return (
    <details className="group" open={isOpen}>
      <summary className="flex flex-wrap items-center gap-2 rounded-lg">
        <Icon name="chevron" className="size-4 transition-transform group-open:rotate-90" />
        {badge}
        <span className="ml-auto text-xs whitespace-nowrap text-faint">
          {checks.length - failed.length} of {checks.length} checks
        </span>
      </summary>
      {error === undefined ? null : <p className="mt-2 text-failed">{error}</p>}
      {verified === undefined ? null : <Facts node={verified} registered={registered} />}
      <ul className="mt-2 space-y-1">
        {[...failed, ...checks.filter((check) => check.passed)].map((check, i) => (
          <li key={`${check.name} ${i}`} className="flex gap-2 text-xs">
            <Icon
              name={check.passed ? "check" : "close"}
              className={`mt-0.5 size-3.5 ${check.passed ? "text-verified" : "text-failed"}`}
            />
            <span className={`min-w-0 break-words ${check.passed ? "text-soft" : "text-failed"}`}>
              <span className="sr-only">{check.passed ? "Passed: " : "Failed: "}</span>
              <span className="font-medium">{check.name}</span>: {check.finding}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

interface FactsProps {
  node: VerifiedNode;
  registered: RegisteredNode | undefined;
}

function Facts({ node, registered }: FactsProps) {
  const rows: [string, ReactNode][] = [
    ["code", <Hash hex={node.measurement.slice(2)} label="Copy the measurement of the code" />],
    ["weights", <Hash hex={node.shardRoot.slice(2)} label="Copy the shard root" />],
    ["hardware", hardwareWords(node.tcbStatus, node.isSimulated)],
    ["software", node.softwareVersion],
    ["good until", new Date(node.notAfter * 1000).toLocaleString()],
  ];
  if (registered) {
    rows.push([
      "contract",
      `node ${registered.node} of slot ${registered.slot}, host ${shortAddress(registered.host)}, until ${new Date(registered.expiry * 1000).toLocaleDateString()}`,
    ]);
  }
  return (
    <dl className="mt-2 grid grid-cols-[auto_1fr] items-center gap-x-3 text-xs">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-faint">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
