// SPDX-License-Identifier: Apache-2.0
import { useState } from "react";
import { asError } from "../../base/error";
import { CopyButton } from "../ui/CopyButton";
import { Icon } from "../ui/Icon";
import { Sheet } from "../ui/Sheet";
import { useWallet, type WalletChoice } from "./wallet";

interface Props {
  isOpen: boolean;
  onClose: () => void;
}

interface Said {
  text: string;
  isError: boolean;
}

/** Does one thing with the wallet at a time, and says what came of it. */
function useWalletAct() {
  const [busy, setBusy] = useState<string>();
  const [said, setSaid] = useState<Said>();
  const act = async (name: string, doing: () => Promise<void>): Promise<boolean> => {
    setBusy(name);
    setSaid(undefined);
    try {
      await doing();
      return true;
    } catch (thrown) {
      const { code, detail } = asError(thrown);
      setSaid(
        code === "cancelled"
          ? { text: "You declined in the wallet. Nothing has changed.", isError: false }
          : { text: detail, isError: true },
      );
      return false;
    } finally {
      setBusy(undefined);
    }
  };
  return { busy, said, act };
}

/** Chooses a wallet; with one that is connected: its address, its chain, and how to leave it. */
export default function WalletSheet({ isOpen, onClose }: Props) {
  const { phase } = useWallet();
  return (
    <Sheet
      title={phase === "connected" ? "Your wallet" : "Connect a wallet"}
      side="centre"
      isOpen={isOpen}
      onClose={onClose}
    >
      {phase === "connected" ? <Connected onClose={onClose} /> : <Choosing onClose={onClose} />}
    </Sheet>
  );
}

function SaidLine({ said }: { said: Said | undefined }) {
  return (
    <p
      role={said?.isError ? "alert" : "status"}
      className={`mt-3 min-h-5 text-sm ${said?.isError ? "text-failed" : "text-soft"}`}
    >
      {said?.text}
    </p>
  );
}

function Choosing({ onClose }: { onClose: () => void }) {
  const { choices, connect, phase } = useWallet();
  const { busy, said, act } = useWalletAct();
  if (choices.length === 0) return phase === "loading" ? <Loading /> : <NoWallet />;
  return (
    <div>
      <p className="text-soft">
        It pays for answers, and shows who you are to nodes that you host. The page never sees its
        keys.
      </p>
      <ul className="mt-4 space-y-2">
        {choices.map((choice) => (
          <li key={choice.id}>
            <ChoiceButton
              choice={choice}
              isBusy={busy === choice.id}
              isDisabled={busy !== undefined}
              onChoose={() =>
                void act(choice.id, () => connect(choice.id)).then((isDone) => {
                  if (isDone) onClose();
                })
              }
            />
          </li>
        ))}
      </ul>
      <SaidLine said={said} />
    </div>
  );
}

interface ChoiceProps {
  choice: WalletChoice;
  isBusy: boolean;
  isDisabled: boolean;
  onChoose: () => void;
}

function ChoiceButton({ choice, isBusy, isDisabled, onChoose }: ChoiceProps) {
  return (
    <button
      type="button"
      onClick={onChoose}
      disabled={isDisabled}
      aria-busy={isBusy}
      className="btn btn-quiet w-full justify-start py-2"
    >
      {choice.icon === undefined ? (
        <Icon name="wallet" className="size-6" />
      ) : (
        <img src={choice.icon} alt="" width={24} height={24} className="size-6 rounded" />
      )}
      <span className="min-w-0 text-left whitespace-normal">
        {choice.name}
        {choice.note === undefined ? null : (
          <span className="block text-xs font-normal text-soft">{choice.note}</span>
        )}
      </span>
      {isBusy ? <span className="ml-auto text-sm text-soft">Look at it</span> : null}
    </button>
  );
}

function Loading() {
  return (
    <p role="status" className="text-soft">
      Looking for wallets in this browser
    </p>
  );
}

function NoWallet() {
  return (
    <div className="space-y-3 text-soft">
      <p className="font-medium text-ink">This browser has no wallet.</p>
      <p>
        Install one from your browser&rsquo;s own list of extensions (any that works with Ethereum:
        it announces itself to pages by EIP-6963), or open this page in the browser that is built
        into a wallet.
      </p>
      <p>Then load this page anew. It loads nothing of any wallet maker by itself.</p>
      <button type="button" onClick={() => location.reload()} className="btn btn-solid">
        Load the page anew
      </button>
    </div>
  );
}

function Connected({ onClose }: { onClose: () => void }) {
  const { address = "", name, isWrongChain, chainName, switchChain, disconnect } = useWallet();
  const { busy, said, act } = useWalletAct();
  return (
    <div>
      <p className="text-soft">{name}</p>
      <p className="mt-1 flex items-center gap-2">
        <code className="min-w-0 font-mono text-sm break-all">{address}</code>
        <CopyButton text={address} label="Copy the address" />
      </p>
      {isWrongChain ? (
        <p className="mt-3 rounded-xl bg-failed-soft px-4 py-3 text-sm text-failed">
          The wallet is on another network. This one is on {chainName}.
        </p>
      ) : null}
      <div className="mt-5 flex flex-wrap gap-2">
        {isWrongChain ? (
          <button
            type="button"
            disabled={busy !== undefined}
            onClick={() => void act("switch", switchChain)}
            className="btn btn-solid"
          >
            {busy === "switch" ? "Look at the wallet" : "Switch network"}
          </button>
        ) : null}
        <button
          type="button"
          disabled={busy !== undefined}
          onClick={() =>
            void act("disconnect", disconnect).then((isDone) => {
              if (isDone) onClose();
            })
          }
          className="btn btn-quiet"
        >
          Disconnect
        </button>
      </div>
      <SaidLine said={said} />
    </div>
  );
}
