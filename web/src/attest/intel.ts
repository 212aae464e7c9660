// SPDX-License-Identifier: Apache-2.0
// Numbers that Intel has fixed; the same as in src/attest/intel.hpp.
import { fromHex } from "../base/bytes";

/** SHA-256 of the DER of the "Intel SGX Root CA" certificate, valid 2018 to 2049; lower-case hex. */
export const intelRootFingerprint =
  "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3";

/** Contents octets of 1.2.840.113741.1.13.1, the SGX extension of PCK certificates, in hex. */
export const sgxExtensionOid = "2a864886f84d010d01";
/** 1.2.840.113741.1.13.1.2, the TCB in it. */
export const sgxTcbOid = "2a864886f84d010d0102";

/** The vendor id in quote headers. */
export const intelQeVendorId = fromHex("939a7233f79c4ca9940a0db3957f0607");

/** The TD quoting enclave, as its signed QE identity (TD_QE) describes it. */
export const tdqeMrsigner = fromHex(
  "dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5",
);
export const tdqeIsvprodid = 2;

/** In the first byte of an enclave's attributes: a debugger may read its memory. */
export const sgxAttributeDebug = 0x02;

// TDATTRIBUTES (Intel TDX Module Base Specification, section "TD attributes").

/** The host may read and single-step the TD. */
export const tdAttributeDebug = 1n << 0n;
/** The other bits of the "TD under debug" byte, reserved. */
export const tdAttributesReservedTud = 0xfen;
/** No virtualization exception when the host takes a page away. */
export const tdAttributeSeptVeDisable = 1n << 28n;
/** A migration TD may carry the TD, memory and all, to another platform. */
export const tdAttributeMigratable = 1n << 29n;
