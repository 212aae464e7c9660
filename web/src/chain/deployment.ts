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
