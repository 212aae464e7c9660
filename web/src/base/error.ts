// SPDX-License-Identifier: Apache-2.0

/**
 * Why something is not so. `code` is a stable name of src/base/error.hpp, the same that the C++ side
 * and the API give; `detail` names the component, what it has and what is needed. Neither ever holds
 * a prompt, an answer or a key.
 */
export class TeeTeeError extends Error {
  readonly code: string;
  readonly detail: string;

  constructor(code: string, detail: string) {
    super(`${code}: ${detail}`);
    this.name = "TeeTeeError";
    this.code = code;
    this.detail = detail;
  }
}

/** Throws `TeeTeeError`; for use in expressions. */
export function fail(code: string, detail: string): never {
  throw new TeeTeeError(code, detail);
}

/** What was thrown, as a TeeTeeError: foreign exceptions become `internal` with their words. */
export function asError(thrown: unknown): TeeTeeError {
  if (thrown instanceof TeeTeeError) return thrown;
  return new TeeTeeError("internal", thrown instanceof Error ? thrown.message : String(thrown));
}
