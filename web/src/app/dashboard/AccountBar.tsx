// SPDX-License-Identifier: Apache-2.0
import { useId, useState, type ReactNode } from "react";
import type { Address } from "viem";
import { asError } from "../../base/error";
import { accountOf } from "../../chain/reads";
import { navigate } from "../router/useRoute";
import { CopyButton } from "../ui/CopyButton";
import { useAccountAndSend } from "../wallet/account";

interface Props {
  /** The account that is shown. */
  account: Address | undefined;
  isOwn: boolean;
  children?: ReactNode;
}

/** Whose dashboard it is: the wallet's that is connected, or any address that is typed in. */
export function AccountBar({ account, isOwn, children }: Props) {
  const { address } = useAccountAndSend();
  return (
    <div className="card flex flex-wrap items-end justify-between gap-4 p-4">
      <div className="min-w-0">
        <p className="text-sm text-soft">
          {account === undefined ? "No account yet" : isOwn ? "Your wallet" : "Another's account"}
        </p>
        {account === undefined ? null : (
          <p className="flex items-center gap-1">
            <code className="min-w-0 text-sm break-all" data-account={account}>
              {account}
            </code>
            <CopyButton text={account} label="Copy the address" />
          </p>
        )}
        {account !== undefined && !isOwn ? (
          <p className="text-sm text-soft">
            You see what anybody can see.{" "}
            {address === undefined
              ? "Connect its wallet to withdraw or to let nodes leave."
              : "Only its own wallet can withdraw."}
          </p>
        ) : null}
        {children}
      </div>
      <div className="flex max-w-full min-w-0 flex-wrap items-end gap-3">
        {isOwn ? null : <ConnectButtons />}
        <TypedAccount />
      </div>
    </div>
  );
}

export function ConnectButtons() {
  const { address, wallets, connect } = useAccountAndSend();
  const [problem, setProblem] = useState("");
  if (address !== undefined) {
    return (
      <button
        type="button"
        onClick={() => navigate("dashboard", [], {})}
        className="btn btn-quiet btn-small"
      >
        Show my wallet
      </button>
    );
  }
  const start = (id?: string) => {
    setProblem("");
    connect(id).catch((thrown: unknown) => setProblem(asError(thrown).detail));
  };
  return (
    <div>
      <div className="flex flex-wrap gap-2">
        {wallets.length === 0 ? (
          <button type="button" onClick={() => start()} className="btn btn-solid btn-small">
            Connect a wallet
          </button>
        ) : (
          wallets.map(({ id, name }) => (
            <button
              key={id}
              type="button"
              onClick={() => start(id)}
              className="btn btn-solid btn-small"
            >
              Connect {name}
            </button>
          ))
        )}
      </div>
      <p role="status" className="mt-1 max-w-xs text-sm text-failed empty:hidden">
        {problem}
      </p>
    </div>
  );
}

function TypedAccount() {
  const id = useId();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  return (
    <form
      className="max-w-full min-w-0"
      onSubmit={(event) => {
        event.preventDefault();
        try {
          navigate("dashboard", [], { account: accountOf(text) });
          setProblem("");
          setText("");
        } catch (thrown) {
          setProblem(asError(thrown).detail);
        }
      }}
    >
      <label htmlFor={id} className="text-sm text-soft">
        Or look at an address
      </label>
      <div className="flex gap-2">
        <input
          id={id}
          value={text}
          placeholder="0x…"
          autoComplete="off"
          spellCheck={false}
          aria-invalid={problem !== ""}
          aria-describedby={`${id}-problem`}
          onChange={(event) => setText(event.target.value)}
          className="field w-52 min-w-0 font-mono text-sm"
        />
        <button type="submit" disabled={text.trim() === ""} className="btn btn-quiet">
          Show
        </button>
      </div>
      <p id={`${id}-problem`} role="status" className="text-sm text-failed empty:hidden">
        {problem}
      </p>
    </form>
  );
}
