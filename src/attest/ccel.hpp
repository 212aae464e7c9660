// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "attest/event_log.hpp"

namespace teetee::attest {

/// Replays the firmware's binary log of a TD (/sys/firmware/acpi/tables/data/CCEL): the crypto
/// agile format of the "TCG PC Client Platform Firmware Profile Specification", section 10, with
/// measurement registers 1 to 4 for RTMR0 to RTMR3 (UEFI 2.10, section 38.4.1). Events of type
/// EV_NO_ACTION are not measured. Behind the last event the area is filled with 0x00 or 0xff.
/// Error: event_log_malformed, with the event's index, what it has and what it needs.
Result<ReplayedLog> replay_ccel(ByteView bytes);

}  // namespace teetee::attest
