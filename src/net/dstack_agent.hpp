// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "attest/dstack_messages.hpp"
#include "attest/evidence.hpp"
#include "base/world.hpp"

namespace teetee::net {

inline constexpr char dstack_socket[] = "/var/run/dstack.sock";
inline constexpr char tappd_socket[] = "/var/run/tappd.sock";

struct DstackAgentOptions {
    std::string socket = dstack_socket;
    attest::DstackApi api = attest::DstackApi::current;
    /// Of each question.
    Duration time_max = std::chrono::seconds(30);
};

/// The guest agent of a dstack (Phala Cloud) CVM, asked over its unix socket; every question has a
/// connection of its own and blocks. Errors are evidence_unavailable and name the socket; where it
/// is missing they say how to mount it.
///
/// The sealing key comes from the app's key provider and belongs to the app id: every version of
/// the app that its owner lets have the id can derive it, and nothing else.
class DstackAgent final : public attest::EvidenceProvider {
  public:
    explicit DstackAgent(DstackAgentOptions options) : options_(std::move(options)) {}

    Result<Bytes> quote(const ByteArray<64>& report_data) override;
    Result<crypto::Secret<32>> sealing_key(std::string_view purpose) override;
    bool simulated() const override { return false; }

  private:
    /// The body of a successful answer; who asks for a secret wipes it.
    Result<std::string> ask(const attest::DstackRequest& request) const;
    /// As evidence_unavailable, with the agent in front.
    Error in_agent(const Error& error) const;

    DstackAgentOptions options_;
};

}  // namespace teetee::net
