// SPDX-License-Identifier: Apache-2.0
#include "node/peer_book.hpp"

#include <gtest/gtest.h>

namespace teetee::node {
namespace {

net::PeerInfo peer(uint8_t number) {
    net::PeerInfo out;
    out.node_id[0] = number;
    out.layers = {4, 8};
    return out;
}

TEST(peer_book, counts_links_failures_and_what_went_over_them) {
    PeerBook book;
    book.on_up(Instant(1), peer(1));
    book.on_ended(Instant(2), peer(1), {.bytes_sent = 10}, ErrorCode::connection_closed);
    book.on_up(Instant(3), peer(1));
    book.on_ended(Instant(4), peer(1), {.bytes_sent = 5}, std::nullopt);
    book.on_up(Instant(5), peer(1));
    const PeerBook::Peer& known = book.peers().at(peer(1).node_id);
    EXPECT_TRUE(known.is_linked);
    EXPECT_EQ(known.links, 3u);
    EXPECT_EQ(known.layers, (LayerRange{4, 8}));
    EXPECT_EQ(known.traffic.bytes_sent, 15u);
    EXPECT_EQ(known.failures, (std::map<ErrorCode, uint64_t>{{ErrorCode::connection_closed, 1}}));
}

TEST(peer_book, forgets_who_went_first_and_keeps_who_is_there) {
    PeerBook book;
    for (size_t i = 0; i < PeerBook::peers_max; ++i)
        book.on_up(Instant(static_cast<int64_t>(i)), peer(static_cast<uint8_t>(i)));
    book.on_ended(Instant(100), peer(7), {.frames_sent = 3}, ErrorCode::timed_out);
    book.on_ended(Instant(101), peer(5), {.frames_sent = 4}, ErrorCode::timed_out);
    book.on_up(Instant(102), peer(200));
    EXPECT_EQ(book.peers().size(), PeerBook::peers_max);
    EXPECT_FALSE(book.peers().contains(peer(7).node_id));
    EXPECT_TRUE(book.peers().contains(peer(5).node_id));
    EXPECT_TRUE(book.peers().contains(peer(0).node_id));
    EXPECT_EQ(book.forgotten().frames_sent, 3u);
}

}  // namespace
}  // namespace teetee::node
