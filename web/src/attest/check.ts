// SPDX-License-Identifier: Apache-2.0
// What was looked at, for people: src/attest/check.hpp, and also what failed.
import { TeeTeeError } from "../base/error";

/** One thing that was looked at. */
export interface Check {
  name: string;
  passed: boolean;
  /** What was found, in plain words. */
  finding: string;
  /** Where it failed. */
  code?: string;
  /** Where it failed and the error says so. */
  have?: string;
  need?: string;
}

export type Checks = Check[];

/** The check that an error is. */
export function failedCheck(name: string, error: TeeTeeError): Check {
  const check: Check = { name, passed: false, finding: error.detail, code: error.code };
  const parts = /(?:^|: )have (.*?), need (.*)$/s.exec(error.detail);
  return parts === null ? check : { ...check, have: parts[1]!, need: parts[2]! };
}

function addFailed(checks: Checks | undefined, name: string, thrown: unknown): void {
  if (thrown instanceof TeeTeeError) checks?.push(failedCheck(name, thrown));
}

/** What `make` gives; whether it did goes to `checks` where somebody asks for them. */
export function step<T>(
  checks: Checks | undefined,
  name: string,
  make: () => T,
  finding: (value: T) => string,
): T {
  let value: T;
  try {
    value = make();
  } catch (thrown) {
    addFailed(checks, name, thrown);
    throw thrown;
  }
  checks?.push({ name, passed: true, finding: finding(value) });
  return value;
}

/** The same for what comes later. */
export async function stepAsync<T>(
  checks: Checks | undefined,
  name: string,
  make: () => Promise<T>,
  finding: (value: T) => string,
): Promise<T> {
  let value: T;
  try {
    value = await make();
  } catch (thrown) {
    addFailed(checks, name, thrown);
    throw thrown;
  }
  checks?.push({ name, passed: true, finding: finding(value) });
  return value;
}
