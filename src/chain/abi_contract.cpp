// SPDX-License-Identifier: Apache-2.0
#include "chain/abi_contract.hpp"

#include <algorithm>
#include <utility>

#include "crypto/hash.hpp"

namespace teetee::chain {
namespace {

constexpr size_t selector_bytes = 4;
constexpr size_t shown_data_bytes_max = 36;
constexpr size_t shown_text_bytes_max = 512;

Error malformed(std::string detail) {
    return fail(ErrorCode::abi_malformed, "ABI: " + std::move(detail));
}

bool has_selector(ByteView data, const Selector& selector) {
    return data.size() >= selector_bytes &&
           std::equal(selector.begin(), selector.end(), data.begin());
}

bool fits_word(const AbiType& type) {
    switch (type.kind) {
        case AbiKind::bytes:
        case AbiKind::string:
        case AbiKind::fixed_array:
        case AbiKind::array:
        case AbiKind::tuple:
            return false;
        default:
            return true;
    }
}

// Solidity documentation, "Panic via assert and Error via require".
std::string_view panic_meaning(const U256& code) {
    constexpr std::pair<uint64_t, std::string_view> meanings[] = {
        {0x00, "compiler's own"},        {0x01, "assertion"},
        {0x11, "arithmetic overflow"},   {0x12, "division by zero"},
        {0x21, "no such enumerator"},    {0x22, "storage array encoded wrongly"},
        {0x31, "pop of an empty array"}, {0x32, "index out of bounds"},
        {0x41, "too much memory"},       {0x51, "call of an unset function"}};
    for (const auto& [known, meaning] : meanings) {
        if (code == U256(known)) return meaning;
    }
    return "unknown";
}

std::string shown(const AbiType& type, const AbiValue& value) {
    switch (type.kind) {
        case AbiKind::boolean:
            return value.number().is_zero() ? "false" : "true";
        case AbiKind::unsigned_integer:
            return value.number().to_decimal();
        case AbiKind::signed_integer: {
            const bool negative = value.number() >= U256::power_of_two(255);
            return negative ? "-" + value.number().twos_complement().to_decimal()
                            : value.number().to_decimal();
        }
        case AbiKind::string:
            return quote_foreign(as_text(value.bytes()));
        case AbiKind::address:
        case AbiKind::fixed_bytes:
        case AbiKind::bytes: {
            const ByteView bytes = value.bytes();
            const bool cut = bytes.size() > shown_data_bytes_max;
            return "0x" + to_hex(bytes.first(std::min(bytes.size(), shown_data_bytes_max))) +
                   (cut ? "..." : "");
        }
        default:
            break;
    }
    // Elements stay away: an error is a line.
    return "[" + std::to_string(value.elements().size()) + " values]";
}

std::string shown_arguments(std::string_view name, std::span<const AbiType> types,
                            std::span<const AbiValue> values) {
    std::string out = std::string(name) + "(";
    for (size_t i = 0; i < values.size(); ++i) {
        out += i == 0 ? "" : ", ";
        out += shown(types[i], values[i]);
        if (out.size() > shown_text_bytes_max) return out.substr(0, shown_text_bytes_max) + "...";
    }
    return out + ")";
}

struct EventTypes {
    std::vector<AbiType> indexed;
    std::vector<AbiType> plain;
};

EventTypes event_types(const AbiEvent& event) {
    static const AbiType hash = {.kind = AbiKind::fixed_bytes, .size = 32};
    EventTypes out;
    for (const AbiEventField& field : event.fields) {
        if (field.is_indexed) {
            out.indexed.push_back(fits_word(field.type) ? field.type : hash);
        } else {
            out.plain.push_back(field.type);
        }
    }
    return out;
}

}  // namespace

Selector abi_selector(std::string_view signature) {
    const Digest hash = crypto::keccak256(as_bytes(signature));
    Selector out;
    std::copy_n(hash.begin(), out.size(), out.begin());
    return out;
}

std::vector<AbiType> abi_types(std::initializer_list<std::string_view> names) {
    std::vector<AbiType> out;
    for (const std::string_view name : names) {
        auto type = parse_abi_type(name);
        TT_ASSERT(type);
        out.push_back(std::move(*type));
    }
    return out;
}

Result<Bytes> encode_call(const Selector& selector, std::span<const AbiType> types,
                          std::span<const AbiValue> values) {
    TT_TRY(const Bytes arguments, encode_abi(types, values));
    Bytes out(selector.begin(), selector.end());
    out.insert(out.end(), arguments.begin(), arguments.end());
    return out;
}

Result<std::vector<AbiValue>> decode_call(const Selector& selector, std::span<const AbiType> types,
                                          ByteView data) {
    if (!has_selector(data, selector))
        return malformed("another selector than " + to_hex(selector));
    return decode_abi(types, data.subspan(selector_bytes));
}

Result<std::vector<AbiValue>> decode_event(const AbiEvent& event, const EventData& log) {
    if (log.topics.empty() || log.topics[0] != event.topic)
        return malformed("another event than " + to_hex(event.topic));
    const auto [indexed, plain] = event_types(event);
    if (log.topics.size() != 1 + indexed.size()) {
        return malformed("have " + std::to_string(log.topics.size()) + " topics, need " +
                         std::to_string(1 + indexed.size()));
    }
    Bytes words;
    for (const Digest& topic : log.topics.subspan(1))
        words.insert(words.end(), topic.begin(), topic.end());
    TT_TRY(auto indexed_values, decode_abi(indexed, words));
    TT_TRY(auto plain_values, decode_abi(plain, log.data));
    std::vector<AbiValue> out;
    auto next_indexed = indexed_values.begin();
    auto next_plain = plain_values.begin();
    for (const AbiEventField& field : event.fields)
        out.push_back(std::move(field.is_indexed ? *next_indexed++ : *next_plain++));
    return out;
}

Result<EncodedEvent> encode_event(const AbiEvent& event, std::span<const AbiValue> values) {
    if (values.size() != event.fields.size())
        return malformed("event: values do not fit its fields");
    const auto [indexed, plain] = event_types(event);
    std::vector<AbiValue> indexed_values;
    std::vector<AbiValue> plain_values;
    for (size_t i = 0; i < values.size(); ++i)
        (event.fields[i].is_indexed ? indexed_values : plain_values).push_back(values[i]);
    TT_TRY(const Bytes words, encode_abi(indexed, indexed_values));
    EncodedEvent out{.topics = {event.topic}, .data = {}};
    for (size_t at = 0; at < words.size(); at += sizeof(Digest)) {
        Digest& topic = out.topics.emplace_back();
        std::copy_n(words.begin() + static_cast<ptrdiff_t>(at), topic.size(), topic.begin());
    }
    TT_TRY(out.data, encode_abi(plain, plain_values));
    return out;
}

std::string describe_revert(ByteView data, std::span<const AbiError> known) {
    static const AbiError message = {
        .name = "Error", .selector = abi_selector("Error(string)"), .types = abi_types({"string"})};
    static const AbiError panic = {.name = "Panic",
                                   .selector = abi_selector("Panic(uint256)"),
                                   .types = abi_types({"uint256"})};
    if (data.empty()) return "no reason given";
    if (const auto values = decode_call(message.selector, message.types, data))
        return shown_arguments(message.name, message.types, *values);
    if (const auto values = decode_call(panic.selector, panic.types, data)) {
        const U256& code = (*values)[0].number();
        return "Panic(" + code.to_quantity() + ": " + std::string(panic_meaning(code)) + ")";
    }
    for (const AbiError& error : known) {
        if (const auto values = decode_call(error.selector, error.types, data))
            return shown_arguments(error.name, error.types, *values);
    }
    static const AbiType bytes = {.kind = AbiKind::bytes};
    return "unknown error " + shown(bytes, AbiValue::of(data));
}

}  // namespace teetee::chain
