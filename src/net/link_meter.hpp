// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>

#include "base/error.hpp"
#include "base/world.hpp"

namespace teetee::net {

/// What went over a link, its hello excepted.
struct LinkTraffic {
    uint64_t frames_sent = 0;
    uint64_t frames_received = 0;
    uint64_t bytes_sent = 0;
    uint64_t bytes_received = 0;
    /// Of all frames together: from being handed over until the kernel has the last byte, and from
    /// the first byte until the last one is there.
    Duration send_time{};
    Duration receive_time{};

    void add(const LinkTraffic& other) {
        frames_sent += other.frames_sent;
        frames_received += other.frames_received;
        bytes_sent += other.bytes_sent;
        bytes_received += other.bytes_received;
        send_time += other.send_time;
        receive_time += other.receive_time;
    }
};

/// Handshakes that came to nothing since the start, by the reason: of others that wanted a link
/// here, and of this node with others. A node that was there and went has a reason here too, each
/// time that it is dialled in vain.
struct LinkMeter {
    std::map<ErrorCode, uint64_t> refused;
    std::map<ErrorCode, uint64_t> dials_failed;
};

}  // namespace teetee::net
