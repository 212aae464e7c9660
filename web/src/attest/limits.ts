// SPDX-License-Identifier: Apache-2.0
// What a peer, a file or a platform can size; the numbers of src/attest/limits.hpp, with its reasons.

export const quoteBytesMax = 32 * 1024;
export const qeAuthDataBytesMax = 1024;
export const pckChainBytesMax = 16 * 1024;
export const certificateBytesMax = 64 * 1024;
export const certificateSerialBytesMax = 20;
export const certificateNameBytesMax = 1024;
export const certificateExtensionsMax = 32;
export const certificateExtensionBytesMax = quoteBytesMax + 1024;
export const certificateSignatureBytesMax = 72;

export const collateralBytesMax = 4 * 1024 * 1024;
export const collateralDocumentBytesMax = 256 * 1024;
export const collateralJsonDepthMax = 16;
export const crlBytesMax = 1024 * 1024;
export const tcbLevelsMax = 256;
export const tdxModuleIdentitiesMax = 64;
export const tdxModuleIdBytesMax = 16;
export const advisoriesMax = 256;
export const advisoryIdBytesMax = 64;

export const statementBytesMax = 2048;
export const softwareVersionBytesMax = 64;
export const tlsSpkiBytesMax = 512;

export const policyBytesMax = 256 * 1024;
export const policyJsonDepthMax = 8;
export const policyRootsMax = 16;
export const policyMeasurementsMax = 1024;
export const policyListEntriesMax = 4096;
export const policyGraceDaysMax = 366;

export const receiptBytesMax = 256 * 1024 * 1024;
export const receiptJsonDepthMax = 8;
export const receiptStagesMax = 64;
export const errorNameBytesMax = 64;
/** Positions of one request. */
export const receiptPositionsMax = 1 << 20;

export const eventLogBytesMax = 1024 * 1024;
export const eventLogEventsMax = 4096;
export const eventNameBytesMax = 256;
export const eventPayloadBytesMax = 64 * 1024;
export const eventPreimageBytesMax = 2 * eventPayloadBytesMax + 2048;

/** A statement may not speak for longer than this. */
export const statementLifetimeSMax = 7 * 24 * 3600;
/** How far two honest clocks may be apart. */
export const clockSkewSMax = 120;

/** Kinds of platforms on the routes of one entry. */
export const platformsMax = 16;

/** Of /attestation: nodes of all routes that are ready. */
export const attestationNodesMax = 1024;
export const attestationBytesMax = 64 * 1024 * 1024;
export const attestationJsonDepthMax = 16;

// src/model/limits.hpp.
export const manifestBytesMax = 8 * 1024 * 1024;
export const manifestTensorsMax = 1 << 14;
export const tensorNameBytesMax = 64;
export const tensorDimensionsMax = 4;
export const layerCountMax = 512;
export const shardCountMax = 128;
export const modelNameBytesMax = 1024;
export const fileNameBytesMax = 255;

// src/client/limits.hpp.
export const anchorBytesMax = 1 << 16;
export const merkleSiblingsMax = 64;

/** Public keys that are kept imported. */
export const importedKeysMax = 256;
