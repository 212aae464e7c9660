// SPDX-License-Identifier: Apache-2.0
#include "attest/ccel.hpp"

#include <gtest/gtest.h>

#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

struct Header {
    uint32_t type = 3;
    std::string signature = std::string("Spec ID Event03") + '\0';
    std::vector<std::pair<uint16_t, uint16_t>> algorithms = {{0x000b, 32}, {0x000c, 48}};
    uint8_t vendor_bytes = 0;
};

Bytes encode(const Header& header) {
    ByteWriter event;
    event.bytes(as_bytes(header.signature));
    event.bytes(Bytes(8));
    event.u32(static_cast<uint32_t>(header.algorithms.size()));
    for (const auto& [id, digest_bytes] : header.algorithms) {
        event.u16(id);
        event.u16(digest_bytes);
    }
    event.u8(header.vendor_bytes);
    ByteWriter out;
    out.u32(1);
    out.u32(header.type);
    out.bytes(Bytes(20));
    out.length_prefixed(event.view());
    return out.take();
}

Measurement digest(uint8_t fill) {
    Measurement out;
    out.fill(fill);
    return out;
}

struct Event {
    uint32_t index = 1;
    uint32_t type = 1;
    std::vector<std::pair<uint16_t, Bytes>> digests = {{0x000b, Bytes(32, 9)},
                                                       {0x000c, Bytes(48, 7)}};
};

Bytes encode(const Event& event) {
    ByteWriter out;
    out.u32(event.index);
    out.u32(event.type);
    out.u32(static_cast<uint32_t>(event.digests.size()));
    for (const auto& [id, bytes] : event.digests) {
        out.u16(id);
        out.bytes(bytes);
    }
    out.length_prefixed(as_bytes("event data"));
    return out.take();
}

Bytes join(std::initializer_list<Bytes> parts) {
    Bytes out;
    for (const Bytes& part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
}

std::string refusal(const Bytes& log) {
    const auto replayed = replay_ccel(log);
    if (replayed) return "accepted";
    EXPECT_EQ(replayed.error().code, ErrorCode::event_log_malformed);
    return replayed.error().detail;
}

TEST(ccel, extends_the_registers_in_order) {
    Event second;
    second.digests[1].second = Bytes(48, 8);
    const Bytes log = join({encode(Header{}), encode(Event{}), encode(second),
                            encode(Event{.index = 4}), encode(Event{.index = 0, .type = 3})});
    Rtmrs need{};
    extend_rtmr(need[0], digest(7));
    extend_rtmr(need[0], digest(8));
    extend_rtmr(need[3], digest(7));
    for (const Bytes& filling : {Bytes(), Bytes(100, 0xff), Bytes(100, 0x00)}) {
        const auto replayed = replay_ccel(join({log, filling}));
        ASSERT_TRUE(replayed) << replayed.error().message();
        EXPECT_EQ(replayed->rtmr, need);
        EXPECT_EQ(replayed->event_count, 5u);
        EXPECT_FALSE(replayed->app.compose_hash);
    }
}

TEST(ccel, rejects_every_truncation) {
    const Bytes log = join({encode(Header{}), encode(Event{})});
    const size_t header_bytes = encode(Header{}).size();
    for (size_t bytes = 0; bytes < log.size(); ++bytes) {
        if (bytes == header_bytes) continue;
        EXPECT_NE(refusal(Bytes(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(bytes))),
                  "accepted")
            << bytes;
    }
}

// The header's own size ends it early, and the log goes on behind it.
TEST(ccel, rejects_every_header_that_is_too_short) {
    const Bytes whole = encode(Header{});
    constexpr size_t size_at = 4 + 4 + 20;
    const size_t event_bytes = whole.size() - size_at - 4;
    for (size_t bytes = 0; bytes < event_bytes; ++bytes) {
        Bytes header(whole.begin(), whole.end() - static_cast<std::ptrdiff_t>(event_bytes - bytes));
        header[size_at] = static_cast<uint8_t>(bytes);
        EXPECT_NE(refusal(join({header, encode(Event{})})), "accepted") << bytes;
    }
}

TEST(ccel, rejects_a_foreign_header) {
    EXPECT_EQ(refusal(encode(Header{.type = 1})), "CCEL event 0: type: have 1, need 3");
    EXPECT_NE(refusal(encode(Header{.signature = "Spec ID Event02."})).find("signature"),
              std::string::npos);
    EXPECT_NE(refusal(encode(Header{.algorithms = {}})).find("algorithms: have 0"),
              std::string::npos);
    EXPECT_NE(refusal(encode(Header{.algorithms = {{0x000b, 32}}})).find("SHA-384"),
              std::string::npos);
    EXPECT_NE(refusal(encode(Header{.algorithms = {{0x000c, 32}}})).find("SHA-384"),
              std::string::npos);
    EXPECT_NE(refusal(encode(Header{.algorithms = {{0x000c, 48}, {0x000c, 48}}})).find("two"),
              std::string::npos);
    const std::vector<std::pair<uint16_t, uint16_t>> many(ccel_algorithms_max + 1, {0x000c, 48});
    EXPECT_NE(refusal(encode(Header{.algorithms = many})).find("need 1 to 8"), std::string::npos);
    EXPECT_NE(refusal(encode(Header{.vendor_bytes = 1})).find("vendor bytes: have 1, need 0"),
              std::string::npos);
}

TEST(ccel, rejects_foreign_events) {
    const auto refused = [](const Event& event) {
        return refusal(join({encode(Header{}), encode(event)}));
    };
    EXPECT_EQ(refused({.index = 0}), "CCEL event 1: register: have 0, need 1 to 4");
    EXPECT_EQ(refused({.index = 5}), "CCEL event 1: register: have 5, need 1 to 4");
    EXPECT_EQ(refused({.digests = {{0x000c, Bytes(48)}}}), "CCEL event 1: digests: have 1, need 2");
    EXPECT_EQ(refused({.digests = {{0x000c, Bytes(48)}, {0x0004, Bytes(20)}}}),
              "CCEL event 1: digest algorithm: have 4, need one that the log declares");
    EXPECT_EQ(refused({.digests = {{0x000c, Bytes(48)}, {0x000c, Bytes(48)}}}),
              "CCEL event 1: SHA-384 digests: have two, need one");
    EXPECT_EQ(refused({.digests = {{0x000b, Bytes(32)}, {0x000b, Bytes(32)}}}),
              "CCEL event 1: SHA-384 digests: have none, need one");
}

TEST(ccel, rejects_events_behind_the_filling) {
    EXPECT_NE(refusal(join({encode(Header{}), Bytes(16, 0xff), encode(Event{})})), "accepted");
    EXPECT_NE(refusal(join({encode(Header{}), Bytes(16), encode(Event{})})), "accepted");
}

TEST(ccel, rejects_too_long_a_log) {
    EXPECT_NE(refusal(Bytes(ccel_bytes_max + 1)).find("need at most"), std::string::npos);
}

}  // namespace
}  // namespace teetee::attest
