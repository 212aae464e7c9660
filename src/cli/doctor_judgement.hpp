// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/world.hpp"
#include "cli/doctor_finding.hpp"
#include "net/address.hpp"

namespace teetee::cli {

// What is to be made of facts about a machine: no I/O.

/// No build of this program is older (2026-01-01): a clock before it is wrong.
inline constexpr UnixSeconds build_time_min = 1767225600;
/// Evidence and vouchers are in date or not by this much; a head of the chain is no older than
/// some blocks.
inline constexpr UnixSeconds clock_difference_max_s = 60;
inline constexpr UnixSeconds head_age_warning_s = 300;
inline constexpr UnixSeconds expiry_warning_s = 7 * 86400;
/// Each client and each peer takes one, beside files.
inline constexpr uint64_t descriptors_min = 1024;

DoctorFinding judge_clock(UnixSeconds now);
struct OtherClock {
    /// Whose: a URL.
    std::string name;
    UnixSeconds time = 0;
};
DoctorFinding judge_clock_against(const OtherClock& other, UnixSeconds now);
/// How old the newest block is. On a dev chain blocks come when there is something to put into
/// them.
struct ChainHead {
    std::string url;
    uint64_t number = 0;
    UnixSeconds time = 0;
    bool is_dev = false;
};
DoctorFinding judge_head(const ChainHead& head, UnixSeconds now);

struct MemoryFacts {
    /// 0: the kernel does not say.
    uint64_t available_bytes = 0;
    uint64_t weight_bytes = 0;
    uint64_t kv_bytes = 0;
    /// By a node that runs: what is free is free beside that.
    bool is_in_use = false;
};
DoctorFinding judge_memory(const MemoryFacts& facts);
/// `limit`: what the process may raise its own to.
DoctorFinding judge_descriptors(uint64_t limit);
struct SpaceFacts {
    /// The option that names the folder.
    std::string option;
    std::string path;
    uint64_t free_bytes = 0;
    uint64_t need_bytes = 0;
};
DoctorFinding judge_space(const SpaceFacts& facts);
/// `name` runs out at `expires`.
DoctorFinding judge_expiry(const std::string& name, UnixSeconds expires, UnixSeconds now);

/// Whether only one of them can be listened on: the same port, and the same address or one that
/// stands for all.
bool shares_port(const net::Address& one, const net::Address& other);
/// Of a table like /proc/net/tcp: the inodes of sockets that listen on the port.
std::vector<uint64_t> listening_inodes(std::string_view table, uint16_t port);

}  // namespace teetee::cli
