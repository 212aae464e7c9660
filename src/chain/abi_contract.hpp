// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chain/abi.hpp"

namespace teetee::chain {

/// The first four bytes of a call, or of an error: keccak256 of "name(type,..)" cut off.
using Selector = ByteArray<4>;
Selector abi_selector(std::string_view signature);

/// The types by their names, which MUST be known: for types that a program is written with.
std::vector<AbiType> abi_types(std::initializer_list<std::string_view> names);

/// A selector and what comes behind it. Error: abi_malformed when a value is none of its type.
Result<Bytes> encode_call(const Selector& selector, std::span<const AbiType> types,
                          std::span<const AbiValue> values);
/// The values behind the selector. Error: abi_malformed, also for another selector.
Result<std::vector<AbiValue>> decode_call(const Selector& selector, std::span<const AbiType> types,
                                          ByteView data);

struct AbiEventField {
    AbiType type;
    bool is_indexed = false;
};

struct AbiEvent {
    /// keccak256 of "Name(type,..)", the first of its topics. No anonymous events.
    Digest topic{};
    std::vector<AbiEventField> fields{};
};

/// What a contract logged.
struct EventData {
    std::span<const Digest> topics;
    ByteView data;
};

/// The fields in the order of their declaration. Of an indexed field that does not fit a word the
/// log has the hash, which then stands for it. Error: abi_malformed, also for another event.
Result<std::vector<AbiValue>> decode_event(const AbiEvent& event, const EventData& log);

/// The reverse, for whoever stands in for a chain.
struct EncodedEvent {
    std::vector<Digest> topics;
    Bytes data;
};
Result<EncodedEvent> encode_event(const AbiEvent& event, std::span<const AbiValue> values);

/// An error that a contract declares.
struct AbiError {
    std::string name;
    Selector selector{};
    std::vector<AbiType> types{};
};

/// Why a call was reverted, for people: "Error('..')", "Panic(0x11: arithmetic overflow)",
/// "TooLate(5, 7)" of the known errors, or the bytes themselves. Foreign text is made safe and
/// everything cut to some length.
std::string describe_revert(ByteView data, std::span<const AbiError> known);

}  // namespace teetee::chain
