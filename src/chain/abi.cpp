// SPDX-License-Identifier: Apache-2.0
#include "chain/abi.hpp"

#include <algorithm>
#include <charconv>

#include "chain/limits.hpp"

namespace teetee::chain {
namespace {

constexpr size_t word_bytes = 32;

Error malformed(std::string detail) {
    return fail(ErrorCode::abi_malformed, "ABI: " + std::move(detail));
}

size_t padded(size_t byte_count) {
    return (byte_count + word_bytes - 1) / word_bytes * word_bytes;
}

// Reads the text of a type from its front.
class TypeParser {
  public:
    explicit TypeParser(std::string_view text) : rest_(text) {}

    Result<AbiType> type(size_t depth) {
        if (depth > abi_depth_max) return malformed("a type of more depth than is read here");
        AbiType type;
        if (rest_.starts_with("(")) {
            TT_TRY(type, tuple(depth));
        } else {
            TT_TRY(type, elementary());
        }
        while (rest_.starts_with("[")) {
            if (++depth > abi_depth_max) return malformed("a type of more depth than is read here");
            TT_TRY(type, array_of(std::move(type)));
        }
        return type;
    }
    bool at_end() const { return rest_.empty(); }

  private:
    bool consume(char expected) {
        if (rest_.empty() || rest_[0] != expected) return false;
        rest_.remove_prefix(1);
        return true;
    }

    Result<AbiType> tuple(size_t depth) {
        rest_.remove_prefix(1);
        AbiType out{.kind = AbiKind::tuple};
        do {
            TT_TRY(AbiType part, type(depth + 1));
            out.parts.push_back(std::move(part));
        } while (consume(','));
        if (!consume(')')) return malformed("a tuple without its end");
        return out;
    }

    // From 1 on; 0 where no digits stand.
    Result<size_t> number() {
        size_t value = 0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        const auto digits = static_cast<size_t>(end - rest_.data());
        if (digits == 0) return size_t{0};
        if (error != std::errc() || rest_[0] == '0') return malformed("a size of another form");
        rest_.remove_prefix(digits);
        return value;
    }

    Result<AbiType> array_of(AbiType element) {
        rest_.remove_prefix(1);
        TT_TRY(const size_t count, number());
        if (!consume(']')) return malformed("an array without its end");
        if (count > abi_values_max) return malformed("an array of more elements than is read here");
        AbiType out{.kind = count == 0 ? AbiKind::array : AbiKind::fixed_array, .size = count};
        out.parts.push_back(std::move(element));
        // Sizes multiply; bounded at each step, the product cannot overflow.
        if (out.head_bytes() > abi_values_max * word_bytes)
            return malformed("an array of more elements than is read here");
        return out;
    }

    Result<AbiType> elementary() {
        const size_t end =
            std::min(rest_.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), rest_.size());
        const std::string_view word = rest_.substr(0, end);
        rest_.remove_prefix(end);
        TT_TRY(const size_t size, number());
        if (word == "uint" || word == "int") {
            const size_t bits = size == 0 ? 256 : size;
            if (bits > 256 || bits % 8 != 0) return malformed("an integer of no such size");
            return AbiType{
                .kind = word == "int" ? AbiKind::signed_integer : AbiKind::unsigned_integer,
                .size = bits};
        }
        if (word == "bytes" && size != 0) {
            if (size > word_bytes) return malformed("fixed bytes of no such size");
            return AbiType{.kind = AbiKind::fixed_bytes, .size = size};
        }
        if (size == 0) {
            if (word == "bool") return AbiType{.kind = AbiKind::boolean};
            if (word == "address") return AbiType{.kind = AbiKind::address};
            if (word == "bytes") return AbiType{.kind = AbiKind::bytes};
            if (word == "string") return AbiType{.kind = AbiKind::string};
        }
        return malformed("the type " + quote_foreign(word) + " is not known");
    }

    std::string_view rest_;
};

bool fits(const AbiType& type, const U256& number) {
    switch (type.kind) {
        case AbiKind::unsigned_integer:
            return number.bit_count() <= type.size;
        case AbiKind::signed_integer:
            return number.sign_extended(static_cast<unsigned>(type.size)) == number;
        case AbiKind::boolean:
            return number <= U256(1);
        default:
            return false;
    }
}

// Types side by side, as the members of a tuple are.
class TypeList {
  public:
    explicit TypeList(std::span<const AbiType> types) : types_(types), count_(types.size()) {}
    // The elements of an array: one type as often as there are elements.
    TypeList(const AbiType& element, size_t count) : types_(&element, 1), count_(count) {}

    size_t count() const { return count_; }
    const AbiType& at(size_t index) const { return types_[std::min(index, types_.size() - 1)]; }
    bool is_dynamic() const {
        return std::any_of(types_.begin(), types_.end(),
                           [](const AbiType& type) { return type.is_dynamic(); });
    }
    // Saturates: a foreign length may stand behind count.
    size_t head_bytes() const {
        if (types_.size() != count_) {
            const size_t each = types_[0].head_bytes();
            return count_ > SIZE_MAX / each ? SIZE_MAX : each * count_;
        }
        size_t total = 0;
        for (const AbiType& type : types_) total += type.head_bytes();
        return total;
    }

  private:
    std::span<const AbiType> types_;
    size_t count_;
};

TypeList parts_of(const AbiType& type, size_t count) {
    if (type.kind == AbiKind::tuple) return TypeList(type.parts);
    return TypeList(type.parts[0], count);
}

Error no_value_of(const AbiType& type) {
    return malformed("a value that is no " + type.name());
}

void append_word(Bytes& out, const U256& number) {
    const Word word = number.to_word();
    out.insert(out.end(), word.begin(), word.end());
}

Result<Bytes> encode_list(const TypeList& types, std::span<const AbiValue> values);

Result<Bytes> encode_bytes(const AbiType& type, const AbiValue& value) {
    const auto* bytes = std::get_if<Bytes>(&value.value);
    if (bytes == nullptr) return no_value_of(type);
    Bytes out;
    if (type.kind == AbiKind::address) {
        if (bytes->size() != 20) return no_value_of(type);
        out.resize(12);
    } else if (type.kind == AbiKind::fixed_bytes) {
        if (bytes->size() != type.size) return no_value_of(type);
    } else {
        if (type.kind == AbiKind::string && !is_utf8(as_text(*bytes))) return no_value_of(type);
        append_word(out, bytes->size());
    }
    out.insert(out.end(), bytes->begin(), bytes->end());
    out.resize(padded(out.size()));
    return out;
}

Result<Bytes> encode_value(const AbiType& type, const AbiValue& value) {
    switch (type.kind) {
        case AbiKind::unsigned_integer:
        case AbiKind::signed_integer:
        case AbiKind::boolean: {
            const auto* number = std::get_if<U256>(&value.value);
            if (number == nullptr || !fits(type, *number)) return no_value_of(type);
            Bytes out;
            append_word(out, *number);
            return out;
        }
        case AbiKind::address:
        case AbiKind::fixed_bytes:
        case AbiKind::bytes:
        case AbiKind::string:
            return encode_bytes(type, value);
        case AbiKind::fixed_array:
        case AbiKind::array:
        case AbiKind::tuple:
            break;
    }
    const auto* elements = std::get_if<std::vector<AbiValue>>(&value.value);
    if (elements == nullptr) return no_value_of(type);
    if (type.kind == AbiKind::fixed_array && elements->size() != type.size)
        return no_value_of(type);
    Bytes out;
    if (type.kind == AbiKind::array) append_word(out, elements->size());
    TT_TRY(const Bytes list, encode_list(parts_of(type, elements->size()), *elements));
    out.insert(out.end(), list.begin(), list.end());
    return out;
}

Result<Bytes> encode_list(const TypeList& types, std::span<const AbiValue> values) {
    if (types.count() != values.size()) {
        return malformed("have " + std::to_string(values.size()) + " values, need " +
                         std::to_string(types.count()));
    }
    Bytes head;
    Bytes tail;
    const size_t head_bytes = values.empty() ? 0 : types.head_bytes();
    for (size_t i = 0; i < values.size(); ++i) {
        TT_TRY(const Bytes encoded, encode_value(types.at(i), values[i]));
        const bool is_dynamic = types.at(i).is_dynamic();
        if (is_dynamic) append_word(head, head_bytes + tail.size());
        Bytes& part = is_dynamic ? tail : head;
        part.insert(part.end(), encoded.begin(), encoded.end());
    }
    head.insert(head.end(), tail.begin(), tail.end());
    return head;
}

class Decoder {
  public:
    // `data` is what offsets count from.
    Result<std::vector<AbiValue>> list(const TypeList& types, ByteView data) {
        if (types.count() == 0) return std::vector<AbiValue>();
        if (types.head_bytes() > data.size()) return malformed("the data is cut off");
        std::vector<AbiValue> out;
        ByteView head = data;
        for (size_t i = 0; i < types.count(); ++i) {
            const AbiType& type = types.at(i);
            ByteView place = head;
            if (type.is_dynamic()) {
                TT_TRY(place, behind_offset(data, head));
            }
            TT_TRY(AbiValue value, this->value(type, place));
            out.push_back(std::move(value));
            head = head.subspan(type.head_bytes());
        }
        return out;
    }

  private:
    static Result<U256> word(ByteView data) {
        if (data.size() < word_bytes) return malformed("the data is cut off");
        return U256::from_bytes(data.first(word_bytes));
    }

    // A length or an offset: no more than there are bytes.
    static Result<size_t> small_number(ByteView data, size_t most) {
        TT_TRY(const U256 number, word(data));
        if (number > U256(most)) return malformed("a length or offset that leads outside");
        return static_cast<size_t>(*number.to_u64());
    }

    static Result<ByteView> behind_offset(ByteView data, ByteView head) {
        TT_TRY(const size_t offset, small_number(head, data.size()));
        return data.subspan(offset);
    }

    Result<AbiValue> value(const AbiType& type, ByteView data) {
        if (++value_count_ > abi_values_max)
            return malformed("more than " + std::to_string(abi_values_max) + " values");
        switch (type.kind) {
            case AbiKind::unsigned_integer:
            case AbiKind::signed_integer:
            case AbiKind::boolean: {
                TT_TRY(const U256 number, word(data));
                if (!fits(type, number)) return no_value_of(type);
                return AbiValue(number);
            }
            case AbiKind::address:
                return padded_bytes(type, data, {.begin = word_bytes - 20, .count = 20});
            case AbiKind::fixed_bytes:
                return padded_bytes(type, data, {.begin = 0, .count = type.size});
            case AbiKind::bytes:
            case AbiKind::string: {
                TT_TRY(const size_t count, small_number(data, data.size()));
                return padded_bytes(type, data.subspan(word_bytes), {.begin = 0, .count = count});
            }
            case AbiKind::fixed_array:
            case AbiKind::tuple:
                return elements(type, type.size, data);
            case AbiKind::array: {
                TT_TRY(const size_t count, small_number(data, data.size() / word_bytes));
                return elements(type, count, data.subspan(word_bytes));
            }
        }
        return no_value_of(type);
    }

    Result<AbiValue> elements(const AbiType& type, size_t count, ByteView data) {
        TT_TRY(auto decoded, list(parts_of(type, count), data));
        return AbiValue(std::move(decoded));
    }

    struct Run {
        size_t begin = 0;
        size_t count = 0;
    };

    // The run inside of the words that hold it; all other bytes of these are zero.
    Result<AbiValue> padded_bytes(const AbiType& type, ByteView data, Run run) {
        const size_t held_bytes = padded(run.begin + run.count);
        if (held_bytes > data.size()) return malformed("the data is cut off");
        const ByteView held = data.first(held_bytes);
        const ByteView bytes = held.subspan(run.begin, run.count);
        const auto is_zero = [](uint8_t byte) { return byte == 0; };
        const ByteView before = held.first(run.begin);
        const ByteView after = held.subspan(run.begin + run.count);
        if (!std::all_of(before.begin(), before.end(), is_zero) ||
            !std::all_of(after.begin(), after.end(), is_zero)) {
            return malformed("the padding of a " + type.name() + " is not zero");
        }
        copied_bytes_ += bytes.size();
        if (copied_bytes_ > abi_bytes_max)
            return malformed("more than " + std::to_string(abi_bytes_max) + " bytes");
        if (type.kind == AbiKind::string && !is_utf8(as_text(bytes)))
            return malformed("a string that is not UTF-8");
        return AbiValue::of(bytes);
    }

    size_t value_count_ = 0;
    size_t copied_bytes_ = 0;
};

}  // namespace

bool AbiType::is_dynamic() const {
    if (kind == AbiKind::bytes || kind == AbiKind::string || kind == AbiKind::array) return true;
    return std::any_of(parts.begin(), parts.end(),
                       [](const AbiType& part) { return part.is_dynamic(); });
}

size_t AbiType::head_bytes() const {
    if (is_dynamic() || parts.empty()) return word_bytes;
    if (kind == AbiKind::fixed_array) return size * parts[0].head_bytes();
    size_t total = 0;
    for (const AbiType& part : parts) total += part.head_bytes();
    return total;
}

std::string AbiType::name() const {
    switch (kind) {
        case AbiKind::unsigned_integer:
            return "uint" + std::to_string(size);
        case AbiKind::signed_integer:
            return "int" + std::to_string(size);
        case AbiKind::boolean:
            return "bool";
        case AbiKind::address:
            return "address";
        case AbiKind::fixed_bytes:
            return "bytes" + std::to_string(size);
        case AbiKind::bytes:
            return "bytes";
        case AbiKind::string:
            return "string";
        case AbiKind::fixed_array:
            return parts[0].name() + "[" + std::to_string(size) + "]";
        case AbiKind::array:
            return parts[0].name() + "[]";
        case AbiKind::tuple:
            break;
    }
    std::string out = "(";
    for (const AbiType& part : parts) out += part.name() + ",";
    out.back() = ')';
    return out;
}

Result<AbiType> parse_abi_type(std::string_view text) {
    if (text.size() > abi_type_bytes_max) return malformed("a type of too long a name");
    TypeParser parser(text);
    TT_TRY(AbiType type, parser.type(0));
    if (!parser.at_end()) return malformed("the type " + quote_foreign(text) + " is not known");
    return type;
}

const U256& AbiValue::number() const {
    const auto* number = std::get_if<U256>(&value);
    TT_ASSERT(number != nullptr);
    return *number;
}

const Bytes& AbiValue::bytes() const {
    const auto* bytes = std::get_if<Bytes>(&value);
    TT_ASSERT(bytes != nullptr);
    return *bytes;
}

const std::vector<AbiValue>& AbiValue::elements() const {
    const auto* elements = std::get_if<std::vector<AbiValue>>(&value);
    TT_ASSERT(elements != nullptr);
    return *elements;
}

Result<Bytes> encode_abi(std::span<const AbiType> types, std::span<const AbiValue> values) {
    return encode_list(TypeList(types), values);
}

Result<std::vector<AbiValue>> decode_abi(std::span<const AbiType> types, ByteView data) {
    return Decoder().list(TypeList(types), data);
}

}  // namespace teetee::chain
