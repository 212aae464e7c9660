// SPDX-License-Identifier: Apache-2.0
import { hrefOf } from "../router/route";
import { Icon } from "../ui/Icon";
import { feeText, rateText, whenText } from "./amounts";
import { timeText } from "../ui/amounts";
import type { PoolCheck } from "./chainCheck";
import type { NodeView, PoolView, SlotView } from "./poolView";
import { ForeignLink, Row, ShortValue } from "./ShortValue";
import { wordsOfTrust } from "./TrustMark";

/** Everything that is known of a pool, its slots and their nodes. */
export function PoolDetails({ view }: { view: PoolView }) {
  return (
    <div className="space-y-6 px-4 py-5">
      <p className="text-sm text-soft">{wordsOfTrust(view.trust)}</p>
      {view.check === undefined ? null : <ChainNotes check={view.check} />}
      <div className="grid gap-x-8 lg:grid-cols-2">
        <Terms view={view} />
        <Measured view={view} />
      </div>
      <div>
        <h2 className="font-semibold">Slots</h2>
        <ul className="mt-2 space-y-3">
          {view.slots.map((slot) => (
            <Slot key={slot.slot} slot={slot} view={view} />
          ))}
        </ul>
      </div>
      <Links view={view} />
    </div>
  );
}

function ChainNotes({ check }: { check: PoolCheck }) {
  const { state, notes, error } = check;
  if (state === "failed") {
    return (
      <p className="text-sm text-failed">
        The contract could not be asked, so this is the entry's word alone. {error?.detail}
      </p>
    );
  }
  if (notes.length === 0) return null;
  const isWrong = state === "differs";
  return (
    <div className={`text-sm ${isWrong ? "text-failed" : "text-soft"}`}>
      <p>
        {isWrong
          ? "The entry tells what the contract does not have. Do not rely on this entry."
          : "This has changed since the entry read the chain; the contract's word is shown."}
      </p>
      <ul className="list-disc pl-5">
        {notes.map((note) => (
          <li key={note} className="break-all">
            {note}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Terms({ view }: { view: PoolView }) {
  const { terms } = view;
  return (
    <dl>
      <Row name="Model root">
        <ShortValue value={view.modelRoot} what="the model root" />
      </Row>
      <Row name="Policy hash">
        <ShortValue value={view.policyHash} what="the policy's hash" />
      </Row>
      {terms === undefined ? null : (
        <>
          <Row name="Creator">
            <ShortValue value={terms.creator} what="the creator's address" />
          </Row>
          <Row name="Verifier">
            <ShortValue value={terms.verifier} what="the address of the verifier's contract" />
          </Row>
          <Row name="Fee">{feeText(terms.feeBps)} of what is paid, to the creator</Row>
        </>
      )}
    </dl>
  );
}

function Measured({ view }: { view: PoolView }) {
  const { throughput, terms } = view;
  return (
    <dl>
      <Row name="Layers">{view.layers}</Row>
      <Row name="Throughput">
        {throughput === undefined
          ? "not measured"
          : `${rateText(throughput.lately)} tokens/s lately, ${rateText(throughput.busiest)} in the busiest ${Math.round(throughput.spanSeconds / 60)} minutes, as the entry has measured`}
      </Row>
      {terms === undefined ? null : (
        <>
          <Row name="Manifest">
            <ForeignLink uri={terms.manifestUri} />
          </Row>
          <Row name="Policy">
            <ForeignLink uri={terms.policyUri} />
          </Row>
        </>
      )}
    </dl>
  );
}

function Slot({ slot, view }: { slot: SlotView; view: PoolView }) {
  const { layers, nodes, live } = slot;
  const canHost = view.pool !== undefined && view.isOpen;
  return (
    <li className="rounded-xl border border-line">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
        <h3 className="font-medium">Slot {slot.slot}</h3>
        <span className="text-sm text-soft">
          layers {layers.begin}–{layers.end - 1}
        </span>
        <span className="text-sm text-soft">
          {live === 0 ? "nobody serves it" : `${live} live ${live === 1 ? "node" : "nodes"}`}
        </span>
        {canHost ? (
          <a
            href={hrefOf("contribute", [], { pool: `${view.pool}`, slot: `${slot.slot}` })}
            className="btn btn-plain btn-small ml-auto text-link"
          >
            Host slot {slot.slot}
          </a>
        ) : null}
      </div>
      {nodes.length === 0 ? null : (
        <ul className="divide-y divide-line border-t border-line">
          {nodes.map((node) => (
            <Node key={node.id} node={node} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Node({ node }: { node: NodeView }) {
  const { number, host, endpoint, measurement, expires, isLive } = node;
  const now = Math.floor(Date.now() / 1000);
  return (
    <li className="px-4 py-2">
      <div className="flex flex-wrap items-center gap-x-3 text-sm">
        <span className="font-medium">{number === undefined ? "Node" : `Node ${number}`}</span>
        <ShortValue value={node.id} what="the node's receipt key" />
        <span className={isLive ? "text-soft" : "text-faint"}>{isLive ? "live" : "not live"}</span>
        {expires === undefined ? null : (
          <span className="text-soft" title={timeText(expires)}>
            evidence {expires > now ? "ends" : "ended"} {whenText(expires, now)}
          </span>
        )}
      </div>
      <dl className="grid gap-x-8 sm:grid-cols-2">
        {host === undefined ? null : (
          <Row name="Host">
            <ShortValue value={host} what="the host's address" />
          </Row>
        )}
        {measurement === undefined ? null : (
          <Row name="Measurement">
            <ShortValue value={measurement} what="the measurement of the node's code" />
          </Row>
        )}
        {endpoint === "" ? null : (
          <Row name="Endpoint">
            <code className="font-mono text-xs break-all">{endpoint}</code>
          </Row>
        )}
      </dl>
    </li>
  );
}

function Links({ view }: { view: PoolView }) {
  return (
    <div className="flex flex-wrap gap-3">
      {view.isConnected ? (
        <a href={hrefOf("chat")} className="btn btn-solid">
          Chat with this model
        </a>
      ) : (
        <p className="self-center text-sm text-soft">
          To chat with it, connect to one of its entries in the settings of the network.
        </p>
      )}
      {view.pool !== undefined && view.isOpen ? (
        <a href={hrefOf("contribute", [], { pool: `${view.pool}` })} className="btn btn-quiet">
          <Icon name="plus" className="size-4" />
          Host a shard
        </a>
      ) : null}
    </div>
  );
}
