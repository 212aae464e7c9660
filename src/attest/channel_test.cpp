// SPDX-License-Identifier: Apache-2.0
#include "attest/channel.hpp"

#include <gtest/gtest.h>

#include "attest/dev_node.hpp"

namespace teetee::attest {
namespace {

TEST(channel, accepts_the_attested_nodes_proof) {
    const auto node = test::make_node();
    const Bytes exporter(32, 5);
    for (const ChannelRole role : {ChannelRole::dialer, ChannelRole::listener}) {
        const Bytes proof = sign_channel(node.receipt_key, exporter, role);
        EXPECT_EQ(proof.size(), 65u);
        EXPECT_TRUE(verify_channel(node.statement, exporter, role, proof));
    }
}

TEST(channel, rejects_another_session_role_or_signer) {
    const auto node = test::make_node();
    const auto other = test::make_node(2);
    const Bytes exporter(32, 5);
    const Bytes relayed(32, 6);
    const Bytes proof = sign_channel(node.receipt_key, exporter, ChannelRole::dialer);
    const auto code = [&](const Statement& peer, const Bytes& session, ChannelRole role) {
        return verify_channel(peer, session, role, proof).error().code;
    };
    EXPECT_EQ(code(node.statement, relayed, ChannelRole::dialer), ErrorCode::channel_unbound);
    EXPECT_EQ(code(node.statement, exporter, ChannelRole::listener), ErrorCode::channel_unbound);
    EXPECT_EQ(code(other.statement, exporter, ChannelRole::dialer), ErrorCode::channel_unbound);
}

TEST(channel, rejects_a_proof_of_a_wrong_shape) {
    const auto node = test::make_node();
    const Bytes exporter(32, 5);
    for (const size_t size : {0u, 64u, 65u, 66u}) {
        EXPECT_EQ(verify_channel(node.statement, exporter, ChannelRole::dialer, Bytes(size, 1))
                      .error()
                      .code,
                  ErrorCode::channel_unbound);
    }
}

}  // namespace
}  // namespace teetee::attest
