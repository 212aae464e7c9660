// SPDX-License-Identifier: Apache-2.0

// Of what entries, nodes and their answers may size.

/** Of one event of a stream, bytes. */
export const eventBytesMax = 1024 * 1024;
/** Of one answer; more than any context holds. */
export const answerTokensMax = 1024 * 1024;
/** Of /v1/entries, and of the entries in it that are remembered. */
export const entryListBytesMax = 1024 * 1024;
export const entriesMax = 64;
/** Of what an entry says of payments, and of a message to sign. */
export const paymentAnswerBytesMax = 64 * 1024;
/** Of /v1/network and of /v1/pools. */
export const networkBytesMax = 4 * 1024 * 1024;
export const nodesMax = 4096;
export const poolsMax = 4096;
export const bucketsMax = 4096;
/** Slots of a pool, as the contract allows. */
export const slotsMax = 64;
/** Of /attestation: 64 stages with quotes of 8 kB, replicas of each. */
export const attestationBytesMax = 32 * 1024 * 1024;
export const policyBytesMax = 256 * 1024;
export const manifestBytesMax = 64 * 1024 * 1024;
export const collateralBytesMax = 64 * 1024 * 1024;
export const quoteBytesMax = 32 * 1024;
export const statementBytesMax = 2048;
/** Of a receipt as JSON. The page shows none that is longer; `teetee verify` does. */
export const receiptBytesMax = 64 * 1024 * 1024;
/** Of a registration, as src/chain/limits.hpp has them. */
export const registrationBytesMax = 128 * 1024;
export const endpointBytesMax = 256;
export const evidenceBytesMax = 32 * 1024;
export const platformVerdictBytesMax = 8 * 1024;
/** Of the body of an error. */
export const errorBytesMax = 64 * 1024;
export const urlBytesMax = 2048;
export const textBytesMax = 512;
