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

/** What an error's detail says was found, and what would have passed; neither where it does not say. */
export function haveAndNeed(detail: string): { have?: string; need?: string } {
  const parts = /(?:^|: )have (.*?), need (.*)$/s.exec(detail);
  return parts === null ? {} : { have: parts[1]!, need: parts[2]! };
}

/** The check that an error is. */
export function failedCheck(name: string, error: TeeTeeError): Check {
  const { code, detail } = error;
  return { name, passed: false, finding: detail, code, ...haveAndNeed(detail) };
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
