// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/request.hpp"

namespace teetee::attest {

// Numbers that Intel has fixed.

/// SHA-256 of the DER of the "Intel SGX Root CA" certificate, valid 2018 to 2049.
inline constexpr Digest intel_root_fingerprint = {
    0x44, 0xa0, 0x19, 0x6b, 0x2b, 0x99, 0xf8, 0x89, 0xb8, 0xe1, 0x49, 0xe9, 0x5b, 0x80, 0x7a, 0x35,
    0x0e, 0x74, 0x24, 0x96, 0x43, 0x99, 0xe8, 0x85, 0xa7, 0xcb, 0xb8, 0xcc, 0xfa, 0xb6, 0x74, 0xd3};

/// The SGX extension of PCK certificates, 1.2.840.113741.1.13.1, and the TCB in it, .2: contents
/// octets of the object identifiers.
inline constexpr ByteArray<9> sgx_extension_oid = {0x2a, 0x86, 0x48, 0x86, 0xf8,
                                                   0x4d, 0x01, 0x0d, 0x01};
inline constexpr ByteArray<10> sgx_tcb_oid = {0x2a, 0x86, 0x48, 0x86, 0xf8,
                                              0x4d, 0x01, 0x0d, 0x01, 0x02};

/// The vendor id in quote headers.
inline constexpr ByteArray<16> intel_qe_vendor_id = {
    0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

/// The TD quoting enclave, as its signed QE identity (TD_QE) describes it: the hash of Intel's
/// enclave signing key, and the product.
inline constexpr ByteArray<32> tdqe_mrsigner = {
    0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03,
    0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5};
inline constexpr uint16_t tdqe_isvprodid = 2;

/// In the first byte of an enclave's attributes: a debugger may read its memory.
inline constexpr uint8_t sgx_attribute_debug = 0x02;

// TDATTRIBUTES (Intel TDX Module Base Specification, section "TD attributes").

/// The host may read and single-step the TD.
inline constexpr uint64_t td_attribute_debug = uint64_t{1} << 0;
/// The other bits of the "TD under debug" byte, reserved.
inline constexpr uint64_t td_attributes_reserved_tud = 0xfe;
/// No virtualization exception when the host takes a page away.
inline constexpr uint64_t td_attribute_sept_ve_disable = uint64_t{1} << 28;
/// A migration TD may carry the TD, memory and all, to another platform.
inline constexpr uint64_t td_attribute_migratable = uint64_t{1} << 29;

}  // namespace teetee::attest
