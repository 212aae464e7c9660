// SPDX-License-Identifier: Apache-2.0
import { getAddress, isAddress, type Address, type Hex } from "viem";
import { fail } from "../base/error";

/** Which contract on which chain. */
export interface Deployment {
  readonly chainId: number;
  readonly contract: Address;
}

export function isSameDeployment(a: Deployment, b: Deployment): boolean {
  return a.chainId === b.chainId && isSameAddress(a.contract, b.contract);
}

/** Whatever the case of their letters. */
export function isSameAddress(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/**
 * An address in any case of letters, with its checksum. Error: `account_malformed`; `what` names the
 * field.
 */
export function toAddress(text: string, what: string): Address {
  if (!isAddress(text, { strict: false })) {
    return fail("account_malformed", `${what}: need an address, 0x and 40 hex digits`);
  }
  return getAddress(text);
}

/** Exactly so many bytes. */
export function isHexOf(text: string, bytes: number): text is Hex {
  return text.length === 2 + 2 * bytes && /^0x[0-9a-fA-F]*$/.test(text);
}

/** A pool of a contract: what money is paid to, and what nodes are held against. */
export interface PoolOnChain {
  readonly deployment: Deployment;
  readonly pool: bigint;
}

export function isSamePool(a: PoolOnChain, b: PoolOnChain): boolean {
  return a.pool === b.pool && isSameDeployment(a.deployment, b.deployment);
}

/** `84532:0xAbC..:3`: chain id, contract with its checksum, number of the pool. */
export function formatPool({ deployment, pool }: PoolOnChain): string {
  return `${deployment.chainId}:${getAddress(deployment.contract)}:${pool}`;
}

/** The inverse of formatPool. Errors: `account_malformed`, `invalid_argument`. */
export function parsePool(text: string): PoolOnChain {
  const [, id, contract, pool] = /^(\d{1,16}):(0x[^:]*):(\d{1,20})$/.exec(text) ?? [];
  const chainId = Number(id);
  if (!contract || !pool || !Number.isSafeInteger(chainId) || chainId === 0) {
    return fail("invalid_argument", "pool: need CHAIN:CONTRACT:POOL, as 84532:0x..:3");
  }
  return { deployment: { chainId, contract: toAddress(contract, "contract") }, pool: BigInt(pool) };
}
