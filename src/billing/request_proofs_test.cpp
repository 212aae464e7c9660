// SPDX-License-Identifier: Apache-2.0
#include "billing/request_proofs.hpp"

#include <gtest/gtest.h>

namespace teetee::billing {
namespace {

constexpr UnixSeconds now = 1'700'000'000;

class request_proofs : public testing::Test {
  protected:
    RequestProofs::Request request(UnixSeconds at) const {
        return {.deployment = {84532, {0xc0}},
                .terms = {.voucher = {7},
                          .entry = {0x4e},
                          .body_hash = {9},
                          .time_ms = static_cast<uint64_t>(at) * 1000 + 5},
                .session_key = key.address()};
    }
    RequestProof sign(const RequestProofs::Request& what) const {
        return {what.terms.time_ms,
                key.sign_recoverable(chain::request_digest(what.deployment, what.terms))};
    }
    ErrorCode admit(const RequestProofs::Request& what, const RequestProof& proof,
                    UnixSeconds at = now) {
        const auto checked = proofs.check(what, proof, at);
        if (checked) proofs.remember(what, at);
        return checked ? ErrorCode{} : checked.error().code;
    }

    crypto::SecpKey key = crypto::SecpKey::from_bytes(Bytes(32, 5)).value();
    RequestProofs proofs{3};
};

TEST_F(request_proofs, let_a_request_through_once) {
    const auto first = request(now);
    EXPECT_EQ(admit(first, sign(first)), ErrorCode{});
    EXPECT_EQ(admit(first, sign(first)), ErrorCode::payment_in_use);
    EXPECT_EQ(admit(first, sign(first), now + 299), ErrorCode::payment_in_use);
    auto later = request(now);
    ++later.terms.time_ms;
    EXPECT_EQ(admit(later, sign(later)), ErrorCode{});
}

TEST_F(request_proofs, are_of_the_session_key_for_this_very_request) {
    const auto signed_one = request(now);
    const RequestProof proof = sign(signed_one);
    auto other = signed_one;
    other.terms.body_hash[3] = 1;
    EXPECT_EQ(admit(other, proof), ErrorCode::signature_invalid);
    other = signed_one;
    other.terms.entry[3] = 1;
    EXPECT_EQ(admit(other, proof), ErrorCode::signature_invalid);
    other = signed_one;
    other.terms.voucher[3] = 1;
    EXPECT_EQ(admit(other, proof), ErrorCode::signature_invalid);
    other = signed_one;
    other.deployment.chain_id = 1;
    EXPECT_EQ(admit(other, proof), ErrorCode::signature_invalid);
    other = signed_one;
    other.session_key[0] ^= 1;
    EXPECT_EQ(admit(other, proof), ErrorCode::signature_invalid);
}

TEST_F(request_proofs, do_not_come_from_another_time) {
    for (const UnixSeconds off : {-301, 301}) {
        const auto stale = request(now + off);
        EXPECT_EQ(admit(stale, sign(stale)), ErrorCode::signature_invalid);
    }
    // One of the future is remembered until it would be refused as old.
    const auto future = request(now + 300);
    EXPECT_EQ(admit(future, sign(future)), ErrorCode{});
    EXPECT_EQ(admit(future, sign(future), now + 600), ErrorCode::payment_in_use);
    EXPECT_EQ(admit(future, sign(future), now + 601), ErrorCode::signature_invalid);
    auto far = request(now);
    far.terms.time_ms = UINT64_MAX;
    EXPECT_EQ(admit(far, sign(far)), ErrorCode::signature_invalid);
}

TEST_F(request_proofs, are_remembered_in_bounds) {
    for (UnixSeconds i = 0; i < 3; ++i) {
        const auto each = request(now + i);
        EXPECT_EQ(admit(each, sign(each)), ErrorCode{});
    }
    const auto more = request(now + 5);
    EXPECT_EQ(admit(more, sign(more)), ErrorCode::overloaded);
    const auto later = request(now + 601);
    EXPECT_EQ(admit(later, sign(later), now + 601), ErrorCode{});
}

}  // namespace
}  // namespace teetee::billing
