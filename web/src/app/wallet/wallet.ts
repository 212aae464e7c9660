// SPDX-License-Identifier: Apache-2.0
import { createContext, useContext } from "react";
import type { Address, Hex, TransactionReceipt } from "viem";
import { fail, TeeTeeError } from "../../base/error";
import type { ContractCall } from "../../chain/calls";
import { isSameAddress } from "../../chain/deployment";
import type { voucherTypedData } from "../../chain/typedData";

// What pages know of the user's wallet. All of it that needs code of wallets loads only where the
// network has a chain (wagmiWallet.ts).

/** A wallet that this browser has. */
export interface WalletChoice {
  id: string;
  name: string;
  /** A data: URL. */
  icon?: string;
  /** What its user should know before. */
  note?: string;
}

/**
 * `absent`: the network has no chain, or none is connected yet; `loading`: the code of wallets is on
 * its way; `connecting`: the wallet asks its user, or is taken up again after a reload.
 */
export type WalletPhase = "absent" | "loading" | "disconnected" | "connecting" | "connected";

export interface WalletState {
  phase: WalletPhase;
  choices: readonly WalletChoice[];
  /** Only while connected. */
  address?: Address;
  /** Of the wallet that is connected, or was chosen. */
  name?: string;
  /** The wallet is on another chain than the network. */
  isWrongChain: boolean;
  /** Of the chain that is needed. */
  chainName?: string;
}

/** How far a transaction is: tried on the chain, shown to the user, waiting for its block. */
export type SendPhase = "trying" | "signing" | "mining";

export interface SendOptions {
  onPhase?: (phase: SendPhase, hash?: Hex) => void;
  /** Whose it is: error `not_ready` where the wallet is on another account by then. */
  from?: Address | undefined;
  /** Nobody waits any more; what was sent goes on. */
  signal?: AbortSignal | undefined;
}

/** Errors of all: those of explainChainError, `cancelled` among them where the user says no. */
export interface WalletActions {
  connect(id: string): Promise<void>;
  disconnect(): Promise<void>;
  /** Asks the wallet to go to the network's chain, which it learns of where it does not know it. */
  switchChain(): Promise<void>;
  /** The receipt of a transaction that is in a block. Error also `call_reverted`. */
  send(call: ContractCall, options?: SendOptions): Promise<TransactionReceipt>;
  /** By the payer that it names; error `not_ready` where the wallet is on another account. */
  signVoucher(typed: ReturnType<typeof voucherTypedData>): Promise<Hex>;
  /** By that account, where one is named. */
  signMessage(message: string, from?: Address): Promise<Hex>;
}

export interface Wallet extends WalletState, WalletActions {
  /** Shows the dialog in which a wallet is chosen and left. */
  open(): void;
}

const none = () => Promise.reject(new TeeTeeError("not_ready", "there is no wallet"));

/** Where nobody provides one. */
export const noWallet: Wallet = {
  phase: "absent",
  choices: [],
  isWrongChain: false,
  connect: none,
  disconnect: none,
  switchChain: none,
  send: none,
  signVoucher: none,
  signMessage: none,
  open: () => {},
};

export const WalletContext = createContext<Wallet>(noWallet);

export function useWallet(): Wallet {
  return useContext(WalletContext);
}

/**
 * The wallet's account, as it is right before it signs: what was made for another one is none of its.
 * Error: `not_ready`.
 */
export function accountFor(address: Address | undefined, from: Address | undefined): Address {
  if (address === undefined) return fail("not_ready", "no wallet is connected: connect one");
  if (from === undefined || isSameAddress(address, from)) return address;
  return fail(
    "not_ready",
    `the wallet is on another account now (${shortAddress(address)}), and this was made for ` +
      `${shortAddress(from)}: switch back, or begin anew`,
  );
}

/** `0x1234…abcd`. */
export function shortAddress(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
}
