// SPDX-License-Identifier: Apache-2.0
import { useState } from "react";
import { asError } from "../../base/error";
import { Icon } from "../ui/Icon";
import type { AccountAndSend } from "../wallet/account";
import type { DeploymentForm, FormErrors } from "./deployment";
import { TextField } from "./TextField";

interface Props {
  form: DeploymentForm;
  errors: FormErrors;
  onChange: (change: Partial<DeploymentForm>) => void;
  account: AccountAndSend;
  /** The pool's policy accepts simulated TEEs. */
  allowsSimulated: boolean;
  /** The pool says where its shards are. */
  hasManifestUri: boolean;
}

/** What the files need to know: wallet, image, where the node is reached. */
export function DescribeStep(props: Props) {
  const { form, errors, onChange, account, allowsSimulated, hasManifestUri } = props;
  /** An empty field is no mistake yet. */
  const errorOf = (name: "image" | "gateway" | "advertise" | "shardFrom" | "host") =>
    form[name] === "" ? undefined : errors[name];
  return (
    <>
      <WalletField {...props} error={errorOf("host")} account={account} />
      <TextField
        label="Image"
        note="By its digest, NAME@sha256:.., as the pool's creator tells, or as you built it (deploy/build_image.sh): a TD measures the name."
        example="registry.example/teetee@sha256:.."
        isCode
        value={form.image}
        error={errorOf("image")}
        onChange={(image) => onChange({ image: image.trim() })}
      />
      <TextField
        label="Gateway domain"
        note="Of dstack or Phala Cloud, where your node runs: with it, every address of the node is filled in. Empty: the node has an address of its own."
        example="gateway.example"
        isCode
        value={form.gateway}
        error={errorOf("gateway")}
        onChange={(gateway) => onChange({ gateway: gateway.trim() })}
      />
      <details open={!hasManifestUri}>
        <summary className="rounded-lg text-sm font-medium">More settings</summary>
        <div className="mt-3 space-y-4">
          <TextField
            label="Address for other nodes"
            note="tls://HOST:PORT at which they reach port 5010 of the node. Empty: that of the gateway."
            example="tls://node.example:5010"
            isCode
            value={form.advertise}
            error={errorOf("advertise")}
            onChange={(advertise) => onChange({ advertise: advertise.trim() })}
          />
          <TextField
            label="Shard from"
            note={
              hasManifestUri
                ? "Empty: beside the pool's manifest. Whoever has the file will do: every byte is verified."
                : "The pool names no place: the URL of the shard's file, or of its folder. Every byte is verified."
            }
            example="https://models.example/story/"
            isCode
            value={form.shardFrom}
            error={errorOf("shardFrom")}
            onChange={(shardFrom) => onChange({ shardFrom: shardFrom.trim() })}
          />
          {allowsSimulated ? (
            <label className="flex cursor-pointer items-start gap-2 text-sm">
              <input
                type="checkbox"
                checked={form.isDev}
                onChange={(event) => onChange({ isDev: event.target.checked })}
                className="mt-1 size-4 accent-current"
              />
              <span>
                A SIMULATED TEE, which this pool accepts: to try the way. It protects nothing, and
                needs <code className="font-mono">dev-tee.seed</code> and the folder{" "}
                <code className="font-mono">collateral</code> of the network beside the compose
                file.
              </span>
            </label>
          ) : null}
        </div>
      </details>
    </>
  );
}

function WalletField({
  form,
  onChange,
  account,
  error,
}: Pick<Props, "form" | "onChange" | "account"> & { error: string | undefined }) {
  const { address } = account;
  const isOwn = address !== undefined && form.host.toLowerCase() === address.toLowerCase();
  return (
    <div className="space-y-2">
      <TextField
        label="Wallet of the host"
        note={
          isOwn
            ? "Your connected wallet. It registers the node, and gets what the node earns."
            : "It registers the node, and gets what the node earns."
        }
        example="0x.."
        isCode
        value={form.host}
        error={error}
        onChange={(host) => onChange({ host: host.trim() })}
      />
      {address === undefined ? (
        <ConnectButton account={account} />
      ) : isOwn ? null : (
        <button
          type="button"
          onClick={() => onChange({ host: address })}
          className="btn btn-quiet btn-small"
        >
          Take the connected wallet
        </button>
      )}
    </div>
  );
}

/** Connects the one wallet of the browser, or lets its user choose. */
export function ConnectButton({ account }: { account: AccountAndSend }) {
  const { wallets, connect } = account;
  const [error, setError] = useState<string>();
  const start = async (id?: string) => {
    setError(undefined);
    try {
      await connect(id);
    } catch (thrown) {
      setError(asError(thrown).detail);
    }
  };
  return (
    <div className="flex flex-wrap items-center gap-2">
      {wallets.length > 1 ? (
        wallets.map(({ id, name }) => (
          <button
            key={id}
            type="button"
            onClick={() => void start(id)}
            className="btn btn-quiet btn-small"
          >
            <Icon name="wallet" className="size-4" />
            Connect {name}
          </button>
        ))
      ) : (
        <button
          type="button"
          onClick={() => void start(wallets[0]?.id)}
          className="btn btn-quiet btn-small"
        >
          <Icon name="wallet" className="size-4" />
          Connect wallet
        </button>
      )}
      {error === undefined ? null : (
        <p role="alert" className="text-sm text-failed">
          {error}
        </p>
      )}
    </div>
  );
}
