// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <set>

#include "base/world.hpp"
#include "chain/typed_data.hpp"

namespace teetee::billing {

/// By a voucher's session key: that it wants this request served. What it signed for money does
/// not show that, as a settlement makes it public.
struct RequestProof {
    /// When it was signed, Unix milliseconds.
    uint64_t time_ms = 0;
    crypto::RecoverableSignature signature{};
    bool operator==(const RequestProof&) const = default;
};

/// Lets each request that is paid by voucher through once.
class RequestProofs {
  public:
    explicit RequestProofs(size_t remembered_max = 1 << 16) : remembered_max_(remembered_max) {}

    /// How far the client's clock may be off.
    static constexpr UnixSeconds time_off_s_max = 300;

    struct Request {
        chain::Deployment deployment{};
        chain::RequestTerms terms{};
        crypto::Address session_key{};
    };
    /// Errors: signature_invalid (of another key or for another request; or its time is too far
    /// off, with this entry's), payment_in_use (it was served before), overloaded while there is
    /// no room to remember it.
    Result<void> check(const Request& request, const RequestProof& proof, UnixSeconds now);
    /// It is served.
    void remember(const Request& request, UnixSeconds now);

  private:
    struct Seen {
        UnixSeconds forget_at = 0;
        Digest request{};
    };
    size_t remembered_max_;
    std::deque<Seen> by_arrival_;
    std::set<Digest> seen_;
};

}  // namespace teetee::billing
