// SPDX-License-Identifier: Apache-2.0
#include "attest/ccel.hpp"

#include <algorithm>
#include <map>

#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

constexpr uint32_t ev_no_action = 3;
constexpr uint16_t algorithm_sha384 = 0x000c;
constexpr std::string_view signature = {"Spec ID Event03\0", 16};
/// Platform class, three version bytes and the size of UINTN: nothing depends on them.
constexpr size_t specification_bytes = 8;
constexpr size_t sha1_bytes = 20;

/// Digest size of each algorithm that the header declares.
using Algorithms = std::map<uint16_t, uint16_t>;

Error malformed(std::string_view component, std::string_view have, std::string_view need) {
    return fail(
        ErrorCode::event_log_malformed,
        std::string(component) + ": have " + std::string(have) + ", need " + std::string(need));
}

Error malformed(std::string_view component, uint64_t have, uint64_t need) {
    return malformed(component, std::to_string(have), std::to_string(need));
}

Result<Algorithms> read_algorithms(ByteReader& reader) {
    TT_TRY(const uint32_t count, reader.read_u32());
    if (count == 0 || count > ccel_algorithms_max) {
        return malformed("algorithms", std::to_string(count),
                         "1 to " + std::to_string(ccel_algorithms_max));
    }
    Algorithms algorithms;
    for (uint32_t i = 0; i < count; ++i) {
        TT_TRY(const uint16_t id, reader.read_u16());
        TT_TRY(const uint16_t digest_bytes, reader.read_u16());
        if (!algorithms.emplace(id, digest_bytes).second) {
            return malformed("algorithm " + std::to_string(id), "two", "one");
        }
    }
    const auto sha384 = algorithms.find(algorithm_sha384);
    if (sha384 == algorithms.end() || sha384->second != sizeof(Measurement)) {
        return malformed("algorithms", "none", "SHA-384 of 48 bytes");
    }
    return algorithms;
}

// The first event has the old format, so that readers of that know what follows.
Result<Algorithms> read_header(ByteReader& reader) {
    TT_CHECK(reader.read_u32());  // a register, which it does not extend
    TT_TRY(const uint32_t type, reader.read_u32());
    TT_CHECK(reader.read_bytes(sha1_bytes));
    if (type != ev_no_action) return malformed("type", type, ev_no_action);
    TT_TRY(const uint32_t event_bytes, reader.read_u32());
    TT_TRY(const ByteView event, reader.read_bytes(event_bytes));
    ByteReader fields(event);
    TT_TRY(const ByteView word, fields.read_bytes(signature.size()));
    if (as_text(word) != signature) {
        return malformed("signature", quote_foreign(as_text(word)), "\"Spec ID Event03\"");
    }
    TT_CHECK(fields.read_bytes(specification_bytes));
    TT_TRY(Algorithms algorithms, read_algorithms(fields));
    TT_TRY(const uint8_t vendor_bytes, fields.read_u8());
    if (vendor_bytes != fields.remaining()) {
        return malformed("vendor bytes", vendor_bytes, fields.remaining());
    }
    return algorithms;
}

Result<Measurement> read_digests(ByteReader& reader, const Algorithms& algorithms) {
    TT_TRY(const uint32_t count, reader.read_u32());
    if (count != algorithms.size()) return malformed("digests", count, algorithms.size());
    std::optional<Measurement> digest;
    for (uint32_t i = 0; i < count; ++i) {
        TT_TRY(const uint16_t id, reader.read_u16());
        const auto algorithm = algorithms.find(id);
        if (algorithm == algorithms.end()) {
            return malformed("digest algorithm", std::to_string(id), "one that the log declares");
        }
        TT_TRY(const ByteView bytes, reader.read_bytes(algorithm->second));
        if (id != algorithm_sha384) continue;
        if (digest) return malformed("SHA-384 digests", "two", "one");
        std::copy(bytes.begin(), bytes.end(), digest.emplace().begin());
    }
    if (!digest) return malformed("SHA-384 digests", "none", "one");
    return *digest;
}

Result<void> read_event(ByteReader& reader, const Algorithms& algorithms, Rtmrs& rtmr) {
    TT_TRY(const uint32_t index, reader.read_u32());
    TT_TRY(const uint32_t type, reader.read_u32());
    TT_TRY(const Measurement digest, read_digests(reader, algorithms));
    TT_TRY(const uint32_t event_bytes, reader.read_u32());
    TT_CHECK(reader.read_bytes(event_bytes));
    if (type == ev_no_action) return {};
    if (index < 1 || index > rtmr.size()) {
        return malformed("register", std::to_string(index), "1 to 4");
    }
    extend_rtmr(rtmr[index - 1], digest);
    return {};
}

bool is_filling(ByteView rest) {
    return (rest[0] == 0x00 || rest[0] == 0xff) &&
           std::all_of(rest.begin(), rest.end(), [&](uint8_t byte) { return byte == rest[0]; });
}

Error in_event(size_t index, Error error) {
    error.code = ErrorCode::event_log_malformed;
    return in_context("CCEL event " + std::to_string(index), std::move(error));
}

}  // namespace

Result<ReplayedLog> replay_ccel(ByteView bytes) {
    if (bytes.size() > ccel_bytes_max) {
        return malformed("CCEL", std::to_string(bytes.size()) + " bytes",
                         "at most " + std::to_string(ccel_bytes_max));
    }
    ByteReader reader(bytes);
    auto algorithms = read_header(reader);
    if (!algorithms) return in_event(0, std::move(algorithms).error());
    ReplayedLog log;
    log.event_count = 1;
    while (!reader.at_end() && !is_filling(bytes.subspan(reader.position()))) {
        if (auto event = read_event(reader, *algorithms, log.rtmr); !event) {
            return in_event(log.event_count, std::move(event).error());
        }
        ++log.event_count;
    }
    return log;
}

}  // namespace teetee::attest
