// SPDX-License-Identifier: Apache-2.0
#include "pipeline/directory.hpp"

#include <gtest/gtest.h>

#include "pipeline/directory_harness.hpp"

namespace teetee::pipeline::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// One directory that is told things by hand; node 0, layers 1 of 4.
struct Listener {
    explicit Listener(DirectoryOptions options = options_of(0)) : directory(std::move(options)) {
        directory.on_link_up(now, id_of(1));
        directory.on_link_up(now, id_of(2));
    }
    /// From node 1.
    Gossip hear(const attest::Advert& advert) {
        return hear(attest::sign_advert(key_of(index_of(advert.node_id)), advert));
    }
    Gossip hear(attest::SignedAdvert sent) {
        return directory.on_adverts(now, unix_now(), id_of(1), {std::move(sent)});
    }
    UnixSeconds unix_now() const { return unix_at(now); }

    Instant now = seconds(1000);
    Directory directory;
};

attest::Advert advert_of(uint32_t index, UnixSeconds issued_at) {
    return {.node_id = id_of(index),
            .model_root = model_root,
            .layers = layers_of(index),
            .url = url_of(index),
            .number = static_cast<uint64_t>(issued_at) * 1000,
            .issued_at = issued_at,
            .not_after = issued_at + 30};
}

TEST(directory, news_go_to_all_other_links_once) {
    Listener here;
    here.directory.on_link_up(here.now, id_of(3));
    const auto advert = advert_of(5, here.unix_now());
    const Gossip out = here.hear(advert);
    EXPECT_EQ(std::set(out.to.begin(), out.to.end()), (std::set{id_of(2), id_of(3)}));
    ASSERT_EQ(out.adverts.size(), 1u);
    EXPECT_EQ(attest::open_advert(out.adverts[0]).value(), advert);
    EXPECT_TRUE(here.hear(advert).adverts.empty());
    EXPECT_EQ(here.directory.counters().old, 1u);
    const auto nodes = here.directory.nodes(here.now);
    ASSERT_EQ(nodes.size(), 1u);
    EXPECT_EQ(nodes[0].advert, advert);
    // A new neighbour gets what is known, but not of itself.
    EXPECT_EQ(here.directory.on_link_up(here.now, id_of(4)).adverts.size(), 1u);
    EXPECT_EQ(here.directory.on_link_up(here.now, id_of(5)).adverts.size(), 0u);
}

TEST(directory, who_is_not_linked_is_not_heard) {
    Listener here;
    here.directory.on_link_down(here.now, id_of(1));
    EXPECT_TRUE(here.hear(advert_of(5, here.unix_now())).adverts.empty());
    EXPECT_TRUE(here.directory.nodes(here.now).empty());
}

TEST(directory, refuses_what_is_forged_foreign_or_of_another_time) {
    Listener here;
    const auto good = advert_of(5, here.unix_now());
    std::vector<attest::Advert> wrong(5, good);
    wrong[0].model_root[0] ^= 1;
    wrong[1].layers = {3, layer_count + 1};
    wrong[2] = advert_of(5, here.unix_now() - 90);
    wrong[3] = advert_of(5, here.unix_now() + 61);
    wrong[4].node_id = id_of(0);
    for (const attest::Advert& advert : wrong) EXPECT_TRUE(here.hear(advert).adverts.empty());
    auto forged = attest::sign_advert(key_of(5), good);
    forged.signature = attest::sign_advert(key_of(6), advert_of(6, here.unix_now())).signature;
    EXPECT_TRUE(here.hear(forged).adverts.empty());
    forged.encoded.pop_back();
    EXPECT_TRUE(here.hear(forged).adverts.empty());
    EXPECT_EQ(here.directory.counters().refused, 7u);
    EXPECT_TRUE(here.directory.nodes(here.now).empty());
    EXPECT_EQ(here.directory.remembered_count(), 0u);
    EXPECT_EQ(here.hear(good).adverts.size(), 1u);
}

TEST(directory, clocks_within_the_skew_hide_nobody) {
    for (const int skew : {-60, 60}) {
        Listener here;
        EXPECT_EQ(here.hear(advert_of(5, here.unix_now() + skew)).adverts.size(), 1u);
        // It lives its lifetime from when it was heard.
        EXPECT_EQ(here.directory.nodes(here.now + milliseconds(29999)).size(), 1u);
        EXPECT_EQ(here.directory.nodes(here.now + seconds(30)).size(), 0u);
    }
}

TEST(directory, a_replay_resurrects_nobody) {
    Listener here;
    const auto older = advert_of(5, here.unix_now() - 5);
    const auto last = advert_of(5, here.unix_now());
    here.hear(last);
    for (int i = 0; i < 200; ++i) {
        here.now += seconds(1);
        here.directory.on_timer(here.now, here.unix_now());
        EXPECT_TRUE(here.hear(last).adverts.empty());
        EXPECT_TRUE(here.hear(older).adverts.empty());
        EXPECT_EQ(here.directory.nodes(here.now).size(), i + 1 < 30 ? 1u : 0u);
    }
    EXPECT_EQ(here.directory.remembered_count(), 0u);
}

TEST(directory, a_higher_number_supersedes) {
    Listener here;
    auto advert = advert_of(5, here.unix_now());
    here.hear(advert);
    advert.url = "tls://elsewhere:1";
    EXPECT_TRUE(here.hear(advert).adverts.empty()) << "two adverts of one number";
    ++advert.number;
    EXPECT_EQ(here.hear(advert).adverts.size(), 1u);
    ASSERT_EQ(here.directory.nodes(here.now).size(), 1u);
    EXPECT_EQ(here.directory.nodes(here.now)[0].advert, advert);
}

TEST(directory, own_adverts_come_at_each_refresh_and_at_once_when_draining) {
    Listener here;
    EXPECT_TRUE(here.directory.on_timer(here.now, here.unix_now()).adverts.empty());
    EXPECT_EQ(here.directory.set_own({.url = "nonsense"}).error().code,
              ErrorCode::advert_malformed);
    ASSERT_TRUE(here.directory.set_own(own_of(0)));
    const auto next = [&] {
        const Gossip out = here.directory.on_timer(here.now, here.unix_now());
        EXPECT_EQ(out.to.size(), out.adverts.empty() ? 0u : 2u);
        return out.adverts.empty() ? std::optional<attest::Advert>()
                                   : attest::open_advert(out.adverts.at(0)).value();
    };
    EXPECT_LE(here.directory.due_at(), here.now);
    const auto first = next();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->node_id, id_of(0));
    EXPECT_EQ(first->not_after, here.unix_now() + 30);
    EXPECT_FALSE(next());
    OwnState own = own_of(0);
    own.load.rows_queued = 9;
    ASSERT_TRUE(here.directory.set_own(own));
    EXPECT_FALSE(next()) << "load alone waits for the refresh";
    EXPECT_EQ(here.directory.due_at(), here.now + seconds(10));
    own.draining = true;
    ASSERT_TRUE(here.directory.set_own(own));
    const auto second = next();
    ASSERT_TRUE(second);
    EXPECT_TRUE(second->draining);
    EXPECT_EQ(second->number, first->number + 1);
    here.now += seconds(10);
    EXPECT_TRUE(next());
}

TEST(directory, its_own_earlier_life_is_superseded) {
    Listener here;
    ASSERT_TRUE(here.directory.set_own(own_of(0)));
    here.directory.on_timer(here.now, here.unix_now());
    const auto ahead = advert_of(0, here.unix_now() + 50);
    EXPECT_TRUE(here.hear(ahead).adverts.empty());
    EXPECT_TRUE(here.directory.nodes(here.now).empty());
    here.now += seconds(10);
    const Gossip out = here.directory.on_timer(here.now, here.unix_now());
    EXPECT_EQ(attest::open_advert(out.adverts.at(0)).value().number, ahead.number + 1);
}

TEST(directory, a_lost_link_makes_suspect_until_news_come) {
    Listener here;
    const auto is_suspect = [&] { return here.directory.nodes(here.now).at(0).suspect; };
    here.hear(advert_of(2, here.unix_now()));
    EXPECT_TRUE(here.directory.nodes(here.now).at(0).linked);
    EXPECT_FALSE(is_suspect());
    here.directory.on_link_down(here.now, id_of(2));
    EXPECT_FALSE(here.directory.nodes(here.now).at(0).linked);
    EXPECT_TRUE(is_suspect());
    // May have been on its way when the link broke.
    here.now += seconds(1);
    here.hear(advert_of(2, here.unix_now()));
    EXPECT_TRUE(is_suspect());
    here.now += seconds(1);
    here.hear(advert_of(2, here.unix_now()));
    EXPECT_FALSE(is_suspect());
    here.directory.suspect(here.now, id_of(2));
    EXPECT_TRUE(is_suspect());
    here.directory.on_link_up(here.now, id_of(2));
    EXPECT_FALSE(is_suspect());
}

TEST(directory, a_peer_that_floods_is_throttled_and_no_other) {
    DirectoryOptions options = options_of(0);
    options.adverts_per_peer = {.burst = 10, .interval = seconds(1)};
    Listener here(options);
    const auto flood = [&](uint32_t from) {
        std::vector<attest::SignedAdvert> batch(
            1000, attest::sign_advert(key_of(5), advert_of(5, here.unix_now())));
        const uint64_t before = here.directory.counters().throttled;
        here.directory.on_adverts(here.now, here.unix_now(), id_of(from), std::move(batch));
        return 1000 - (here.directory.counters().throttled - before);
    };
    EXPECT_EQ(flood(1), 10u);
    EXPECT_EQ(flood(1), 0u);
    EXPECT_EQ(flood(2), 10u);
    // Nothing is gained by linking anew.
    here.directory.on_link_down(here.now, id_of(1));
    here.directory.on_timer(here.now, here.unix_now());
    here.directory.on_link_up(here.now, id_of(1));
    EXPECT_EQ(flood(1), 0u);
    here.now += seconds(3);
    EXPECT_EQ(flood(1), 3u);
}

TEST(directory, memory_is_bounded_and_nobody_known_is_displaced) {
    DirectoryOptions options = options_of(0);
    options.nodes_max = 6;
    options.nodes_per_layers_max = 2;
    Listener here(options);
    const auto hear_all = [&] {
        for (uint32_t index = 1; index <= 40; ++index) {
            here.hear(advert_of(index, here.unix_now()));
            EXPECT_LE(here.directory.remembered_count(), 6u);
        }
    };
    const auto ids = [&] {
        std::set<uint32_t> out;
        for (const KnownNode& node : here.directory.nodes(here.now))
            out.insert(index_of(node.advert.node_id));
        return out;
    };
    hear_all();
    // Four slots: two of each until all six places are taken.
    EXPECT_EQ(ids(), (std::set<uint32_t>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(here.directory.counters().without_room, 34u);
    here.now += seconds(10);
    hear_all();
    EXPECT_EQ(ids(), (std::set<uint32_t>{1, 2, 3, 4, 5, 6})) << "who is known stays so";
    // 1 and 5 fill a slot; 2 may not move into it, but 1 may say more.
    auto moved = advert_of(2, here.unix_now() + 1);
    moved.layers = layers_of(1);
    EXPECT_TRUE(here.hear(moved).adverts.empty());
    EXPECT_EQ(here.hear(advert_of(1, here.unix_now() + 1)).adverts.size(), 1u);
    // There is room again when their adverts are out of date by every clock.
    here.now += seconds(91);
    here.directory.on_timer(here.now, here.unix_now());
    EXPECT_EQ(here.directory.remembered_count(), 0u);
    EXPECT_EQ(here.hear(advert_of(40, here.unix_now())).adverts.size(), 1u);
}

std::set<std::string> wanted_urls(const Directory& directory, Instant now) {
    std::set<std::string> out;
    for (const WantedLink& link : directory.wanted(now)) out.insert(link.url);
    return out;
}

TEST(directory, each_slot_dials_the_next_and_the_tail_the_entries) {
    for (uint32_t own = 0; own < slot_count; ++own) {
        Listener here(options_of(own));
        for (uint32_t index = slot_count; index < 3 * slot_count; ++index)
            here.hear(advert_of(index, here.unix_now()));
        const uint32_t next = (own + 1) % slot_count;
        EXPECT_EQ(wanted_urls(here.directory, here.now),
                  (std::set{url_of(next + slot_count), url_of(next + 2 * slot_count)}));
        EXPECT_TRUE(here.directory.wanted(here.now + seconds(30)).empty());
    }
}

TEST(directory, of_two_that_would_dial_each_other_one_does) {
    // Rings of one and of two stages.
    for (const std::vector<LayerRange>& cut :
         {std::vector<LayerRange>{{0, 4}, {0, 4}}, std::vector<LayerRange>{{0, 3}, {3, 4}}}) {
        std::vector<bool> dials;
        for (const uint32_t own : {0u, 1u}) {
            DirectoryOptions options = options_of(own);
            options.layers = cut[own];
            Listener here(options);
            attest::Advert other = advert_of(1 - own, here.unix_now());
            other.layers = cut[1 - own];
            here.hear(other);
            dials.push_back(!here.directory.wanted(here.now).empty());
        }
        EXPECT_NE(dials[0], dials[1]);
        if (cut[1].begin != 0) {
            EXPECT_TRUE(dials[0]) << "the earlier layers dial";
        }
    }
}

TEST(directory, the_registry_is_dialled_where_no_advert_is_known) {
    Listener here;
    ASSERT_TRUE(here.directory.set_own(own_of(0)));
    here.directory.set_registry({{.url = url_of(0)},
                                 {.url = "tls://old-name:1", .node_id = id_of(0)},
                                 {.url = url_of(5)},
                                 {.url = url_of(5)},
                                 {.url = "tls://other-name:1", .node_id = id_of(6)},
                                 {.url = url_of(7), .node_id = id_of(8)}});
    EXPECT_EQ(here.directory.wanted(here.now).size(), 3u);
    EXPECT_EQ(wanted_urls(here.directory, here.now),
              (std::set<std::string>{url_of(5), "tls://other-name:1", url_of(7)}));
    // Node 7 has taken 8's place; nodes 6 and 7 are no neighbours, and need no link.
    for (const uint32_t index : {5u, 6u, 7u}) here.hear(advert_of(index, here.unix_now()));
    EXPECT_EQ(wanted_urls(here.directory, here.now), std::set{url_of(5)});
    EXPECT_EQ(here.directory.wanted(here.now).at(0).node_id, id_of(5));
    // Cut off from all: begin anew.
    EXPECT_EQ(here.directory.wanted(here.now + seconds(30)).size(), 3u);
    EXPECT_TRUE(here.directory.nodes(here.now + seconds(30)).empty());

    // Another slot's entry is a way in, and no more.
    here.directory.set_registry(
        {{.url = url_of(9), .layers = layers_of(9)}, {.url = url_of(10), .layers = layers_of(10)}});
    EXPECT_EQ(wanted_urls(here.directory, here.now), (std::set{url_of(5), url_of(9)}));
    for (const uint32_t index : {1u, 2u}) here.directory.on_link_down(here.now, id_of(index));
    EXPECT_EQ(wanted_urls(here.directory, here.now), (std::set{url_of(5), url_of(9), url_of(10)}));

    here.directory.set_registry(std::vector<RegistryEntry>(5000, {.url = "tls://h:1"}));
    EXPECT_EQ(here.directory.wanted(here.now).size(), 2u);
}

TEST(gossip, a_random_graph_converges_under_loss_and_deaths) {
    for (const uint64_t seed : {1, 2, 3}) {
        GossipWorld world({.seed = seed, .node_count = 30, .loss_percent = 10});
        world.connect_at_random();
        world.run_for(seconds(25));
        EXPECT_TRUE(world.all_know_the_living()) << "seed " << seed;
        for (const uint32_t index : {3u, 11u, 17u, 23u, 29u}) world.kill(index);
        world.connect_at_random();
        world.run_for(seconds(31));
        EXPECT_TRUE(world.all_know_the_living()) << "seed " << seed;
        EXPECT_EQ(world.living_count(), 25u);
        // A node comes back with its key, one comes for the first time.
        world.start(3);
        world.start(30);
        world.connect_at_random();
        world.run_for(seconds(25));
        EXPECT_TRUE(world.all_know_the_living()) << "seed " << seed;
        EXPECT_EQ(world.living_count(), 27u);
    }
}

TEST(gossip, a_newcomer_is_known_everywhere_after_a_few_hops) {
    GossipWorld world({.seed = 4, .node_count = 30});
    world.connect_in_a_line();
    world.run_for(seconds(5));
    world.start(30);
    world.link(29, 30);
    // 30 hops of 50 ms at most, and as many back for what it is told.
    world.run_for(milliseconds(1600));
    EXPECT_TRUE(world.all_know_the_living());
    EXPECT_EQ(world.living_count(), 31u);
}

TEST(gossip, a_node_that_restarts_with_its_key_supersedes_itself) {
    GossipWorld world({.seed = 5, .node_count = 12});
    world.connect_at_random();
    world.run_for(seconds(15));
    world.kill(7);
    EXPECT_TRUE(world.some_suspect(7));
    world.run_for(seconds(2));
    world.start(7, {.url = "tls://moved:1"});
    world.connect_at_random();
    world.run_for(seconds(1));
    EXPECT_TRUE(world.all_know_the_living());
}

TEST(gossip, clocks_that_differ_by_a_minute_hide_nobody) {
    GossipWorld world({.seed = 6, .node_count = 12, .clock_skew_max = seconds(30)});
    world.connect_at_random();
    world.run_for(seconds(60));
    EXPECT_TRUE(world.all_know_the_living());
    world.kill(4);
    world.run_for(seconds(31));
    EXPECT_TRUE(world.all_know_the_living());
}

TEST(gossip, a_flood_ends) {
    GossipWorld world({.seed = 7, .node_count = 30});
    world.connect_at_random();
    world.run_for(seconds(9));
    const uint64_t before = world.adverts_sent();
    world.run_for(seconds(60));
    // Six refreshes: each advert over each link at most once in each direction.
    EXPECT_LE(world.adverts_sent() - before, 6u * 30 * 2 * world.link_count());
    // And over a tree's worth of links at least.
    EXPECT_GE(world.adverts_sent() - before, 6u * 30 * 29);
    EXPECT_EQ(world.throttled_count(), 0u);
}

TEST(gossip, what_a_liar_makes_up_is_bounded_and_hides_nobody) {
    GossipWorld world({.seed = 8, .node_count = 10, .nodes_max = 40});
    world.connect_at_random();
    world.run_for(seconds(15));
    const uint64_t before = world.adverts_sent();
    for (uint32_t round = 0; round < 20; ++round) {
        world.flood_from(0, 100);
        world.run_for(seconds(1));
    }
    EXPECT_TRUE(world.living_are_known());
    EXPECT_LE(world.remembered_max(), 40u);
    // What found room went over each link twice at most.
    EXPECT_LE(world.adverts_sent() - before, (40u + 3 * 10) * 2 * world.link_count());
    world.run_for(seconds(120));
    EXPECT_EQ(world.remembered_max(), 9u);
}

}  // namespace
}  // namespace teetee::pipeline::testing
