// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/world.hpp"

namespace teetee::attest {

// What a peer, a file or a platform can size. Real quotes have 4.9 kB, padded buffers 8 kB.
inline constexpr size_t quote_bytes_max = 32 * 1024;
inline constexpr size_t qe_auth_data_bytes_max = 1024;
inline constexpr size_t pck_chain_bytes_max = 16 * 1024;
inline constexpr size_t certificate_bytes_max = 64 * 1024;
// Within a certificate. RFC 5280 allows serial numbers of 20 bytes; real names have 120 bytes, real
// certificates 10 extensions; an ECDSA signature over P-256 has 72 bytes in DER at most.
inline constexpr size_t certificate_serial_bytes_max = 20;
inline constexpr size_t certificate_name_bytes_max = 1024;
inline constexpr size_t certificate_extensions_max = 32;
inline constexpr size_t certificate_extension_bytes_max = quote_bytes_max + 1024;
inline constexpr size_t certificate_signature_bytes_max = 72;

// Collateral: real bundles have 30 kB, TCB info 7 kB, CRLs 4 kB. Room for a CRL of ten thousand
// certificates.
inline constexpr size_t collateral_bytes_max = 4 * 1024 * 1024;
inline constexpr size_t collateral_document_bytes_max = 256 * 1024;
inline constexpr size_t collateral_json_depth_max = 16;
inline constexpr size_t crl_bytes_max = 1024 * 1024;
/// Of two certificates, percent-encoded in a header: real ones have 2.4 kB.
inline constexpr size_t pcs_chain_bytes_max = 32 * 1024;
inline constexpr size_t tcb_levels_max = 256;
inline constexpr size_t tdx_module_identities_max = 64;
inline constexpr size_t tdx_module_id_bytes_max = 16;
inline constexpr size_t advisories_max = 256;
inline constexpr size_t advisory_id_bytes_max = 64;

/// Verified quotes that a VerdictCache remembers.
inline constexpr size_t verdict_cache_entries_max = 256;

inline constexpr size_t statement_bytes_max = 2048;
inline constexpr size_t software_version_bytes_max = 64;
inline constexpr size_t tls_spki_bytes_max = 512;

/// Of which the three URLs may take three quarters.
inline constexpr size_t advert_bytes_max = 1024;
inline constexpr size_t advert_url_bytes_max = 256;
/// An advert may not speak for longer than this: nobody can take one back.
inline constexpr UnixSeconds advert_lifetime_s_max = 120;

inline constexpr size_t policy_bytes_max = 256 * 1024;
inline constexpr size_t policy_json_depth_max = 8;
inline constexpr size_t policy_roots_max = 16;
inline constexpr size_t policy_measurements_max = 1024;
inline constexpr size_t policy_list_entries_max = 4096;
/// More than a year of grace is none.
inline constexpr int64_t policy_grace_days_max = 366;

inline constexpr size_t receipt_bytes_max = 256u << 20;
inline constexpr size_t receipt_json_depth_max = 8;
inline constexpr size_t receipt_stages_max = 64;
inline constexpr size_t error_name_bytes_max = 64;
/// Positions of one request.
inline constexpr uint32_t receipt_positions_max = 1u << 20;

// Real dstack logs have 8 kB and 30 events; firmware reserves 64 or 256 KiB for its own.
inline constexpr size_t event_log_bytes_max = 1024 * 1024;
inline constexpr size_t event_log_events_max = 4096;
inline constexpr size_t event_name_bytes_max = 256;
inline constexpr size_t event_payload_bytes_max = 64 * 1024;
inline constexpr size_t event_preimage_bytes_max = 2 * event_payload_bytes_max + 2048;
/// app-compose.json, a compose file in JSON: real ones have 2 kB, and name a dozen variables.
inline constexpr size_t app_compose_bytes_max = 256 * 1024;
inline constexpr size_t app_compose_depth_max = 16;
inline constexpr size_t app_compose_envs_max = 256;
inline constexpr size_t app_compose_env_bytes_max = 256;
/// Published registers of an OS image: one entry for each size of machine.
inline constexpr size_t image_measurements_bytes_max = 256 * 1024;
inline constexpr size_t image_measurements_max = 64;

inline constexpr size_t ccel_bytes_max = 1024 * 1024;
inline constexpr size_t ccel_algorithms_max = 8;

/// Of a guest agent: quote and event log in hex, and what else it adds.
inline constexpr size_t dstack_answer_bytes_max = 4 * 1024 * 1024;

/// The end of the year 9999: the last time that X.509 can write.
inline constexpr UnixSeconds unix_seconds_max = 253402300799;

/// A statement may not speak for longer than this: keys and code are re-attested at least weekly.
inline constexpr UnixSeconds statement_lifetime_s_max = 7 * 24 * 3600;
/// How far two honest clocks may be apart.
inline constexpr UnixSeconds clock_skew_s_max = 120;

}  // namespace teetee::attest
