// SPDX-License-Identifier: Apache-2.0
// Of this module alone: what codec.cpp and codec_nodes.cpp share.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "wire.pb.h"
#include "wire/limits.hpp"
#include "wire/message.hpp"

namespace teetee::wire {

inline Error malformed(std::string what) {
    return fail(ErrorCode::frame_malformed, std::move(what));
}

inline Result<void> check_count(std::string_view what, uint64_t have, uint64_t max) {
    if (have <= max) return {};
    return fail(ErrorCode::limit_exceeded, std::string(what) + ": have " + std::to_string(have) +
                                               ", at most " + std::to_string(max));
}

inline std::string to_proto(ByteView bytes) {
    return std::string(as_text(bytes));
}

template <size_t N>
Result<ByteArray<N>> array_from_proto(std::string_view what, const std::string& bytes) {
    if (bytes.size() != N) {
        return malformed(std::string(what) + ": have " + std::to_string(bytes.size()) +
                         " bytes, need " + std::to_string(N));
    }
    ByteArray<N> out;
    std::ranges::copy(as_bytes(bytes), out.begin());
    return out;
}

inline Result<RequestId> request_from_proto(const std::string& bytes) {
    TT_TRY(const auto id, array_from_proto<16>("request", bytes));
    return RequestId{id};
}

inline Result<ErrorCode> error_code_from_proto(uint32_t number) {
    const auto code = static_cast<ErrorCode>(number);
    if (number > UINT16_MAX || to_string(code) == "unknown")
        return malformed("error code " + std::to_string(number));
    return code;
}

// write() fills the header, append_payload() of codec.cpp gives the rest, read() is the reverse of
// both.

void write(const Sign& sign, proto::Header& header);
Result<Message> read(const proto::Sign& in, const Limits& limits);
void write(const Record& record, proto::Header& header);
Result<Message> read(const proto::Record& in, ByteView payload, const Limits& limits);
void write(const Attest& attest, proto::Header& header);
Result<Message> read(const proto::Attest& in, const Limits& limits);
void write(const Quote& quote, proto::Header& header);
Result<Message> read(const proto::Quote& in, ByteView payload, const Limits& limits);
void write(const SignOff& ask, proto::Header& header);
Result<Message> read(const proto::SignOff& in, ByteView payload, const Limits& limits);
void write(const SignedOff& answer, proto::Header& header);
Result<Message> read(const proto::SignedOff& in, const Limits& limits);
void write(const Probe& probe, proto::Header& header);
Result<Message> read(const proto::Probe& in, ByteView payload, const Limits& limits);
void write(const Leave&, proto::Header& header);
void write(const Lost& lost, proto::Header& header);
Result<Message> read(const proto::Lost& in, const Limits&);
void write(const Adverts& adverts, proto::Header& header);
Result<Message> read(const proto::Adverts& in, const Limits& limits);

}  // namespace teetee::wire
