// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "attest/dev_tee.hpp"
#include "attest/peer.hpp"
#include "attest/stage_record.hpp"
#include "attest/verdict_cache.hpp"

namespace teetee::sim {

/// The programs that the nodes run, by their measurements.
enum class Build : uint8_t { lasting, revocable };

/// How long evidence is accepted by a clock that is right, and when it is renewed; short, so that a
/// run sees it expire.
inline constexpr UnixSeconds evidence_lifetime_s = 20;
inline constexpr Duration evidence_renewal = std::chrono::seconds(10);

/// A statement and what proves it.
struct Evidence {
    attest::Statement statement{};
    Build build = Build::lasting;
    Bytes statement_bytes{};
    Bytes quote{};
    /// As a TLS peer would show it.
    Bytes certificate{};
    /// Of no other evidence of this world.
    uint64_t number = 0;
};

/// Who one life of a node is.
struct Identity {
    crypto::SecpKey receipt_key;
    std::shared_ptr<const Evidence> evidence{};

    const crypto::Address& id() const { return receipt_key.address(); }
};

/// By whose clock and which policy evidence is judged.
struct Judge {
    UnixSeconds now = 0;
    /// The policy has lost Build::revocable.
    bool knows_revocation = false;
    auto operator<=>(const Judge&) const = default;
};

/// The nodes' TEEs, and what they make of each other's evidence: quotes are made by dev TEEs and
/// verified as a node does at its handshakes, certificate and all.
class Trust {
  public:
    explicit Trust(std::vector<LayerRange> slots);

    Identity make_identity(const Digest& secret, uint32_t slot, Build build, UnixSeconds now);
    /// Of the same node, as of now.
    std::shared_ptr<const Evidence> renew(const Evidence& evidence, UnixSeconds now);
    static Bytes quote(Build build, const ByteArray<64>& report_data);

    /// attest::verify_peer. What it was asked before it is not asked again: the same evidence by
    /// the same clock and policy.
    Result<void> verify(const Evidence& evidence, const Judge& judge);

    const attest::PeerExpectation& expectation() const { return expectation_; }
    const attest::Policy& policy(bool knows_revocation) const {
        return knows_revocation ? later_policy_ : policy_;
    }

  private:
    std::shared_ptr<const Evidence> prove(attest::Statement statement, Build build,
                                          UnixSeconds now);

    attest::PeerExpectation expectation_;
    attest::Policy policy_;
    attest::Policy later_policy_;
    attest::VerdictCache verdicts_;
    std::map<std::pair<uint64_t, Judge>, Result<void>> known_;
    uint64_t next_number_ = 1;
};

/// What must hold if Trust::verify accepts it, worked out without it.
bool is_valid(const Evidence& evidence, const Judge& judge);

}  // namespace teetee::sim
