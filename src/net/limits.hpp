// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace teetee::net {

/// One frame between nodes, without its length; options may lower it.
inline constexpr size_t frame_bytes_max = 64u << 20;
/// The first frame of a link: a version and a proof.
inline constexpr size_t hello_bytes_max = 4u << 10;
/// A certificate that takes the place of an earlier one while a link is up.
inline constexpr size_t evidence_frame_bytes_max = 64u << 10;
/// Frames accepted for sending and not yet taken by the kernel, per link.
inline constexpr size_t link_queue_bytes_max = 256u << 20;
/// What a peer may present as certificates: quote, event log and X.509 round them.
inline constexpr long certificate_bytes_max = 128 << 10;
/// Sources of connections (Stream::source) whose rate is known at a time.
inline constexpr size_t sources_max = 4096;
/// A name in DNS (RFC 1035 section 2.3.4), and one part of it.
inline constexpr size_t host_bytes_max = 253;
inline constexpr size_t host_label_bytes_max = 63;
/// An URL as users type it.
inline constexpr size_t url_bytes_max = 8u << 10;
/// Files of a folder of collateral that are looked at.
inline constexpr size_t collateral_files_max = 256;
/// A file of API keys.
inline constexpr size_t key_file_bytes_max = 1u << 20;
inline constexpr size_t listed_keys_max = 4096;
inline constexpr size_t key_name_bytes_max = 64;

}  // namespace teetee::net
