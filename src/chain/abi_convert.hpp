// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "chain/abi.hpp"

namespace teetee::chain {

/// From and to a value of the ABI, for the types that generated bindings have
/// (tools/make_bindings.py). `from` is for values that decode_abi gave for the type that the
/// binding was made of. Structs bring both along themselves.
template <class T>
struct AbiConvert {
    static AbiValue to(const T& value) { return value.to_abi(); }
    static T from(const AbiValue& value) { return T::from_abi(value); }
};

template <>
struct AbiConvert<U256> {
    static AbiValue to(const U256& value) { return value; }
    static U256 from(const AbiValue& value) { return value.number(); }
};

template <>
struct AbiConvert<uint64_t> {
    static AbiValue to(uint64_t value) { return value; }
    static uint64_t from(const AbiValue& value) { return value.number().to_u64().value(); }
};

template <>
struct AbiConvert<int64_t> {
    static AbiValue to(int64_t value) {
        if (value >= 0) return static_cast<uint64_t>(value);
        return U256(~static_cast<uint64_t>(value) + 1).twos_complement();
    }
    static int64_t from(const AbiValue& value) {
        const bool negative = value.number() >= U256::power_of_two(255);
        if (!negative) return static_cast<int64_t>(value.number().to_u64().value());
        return static_cast<int64_t>(~value.number().twos_complement().to_u64().value() + 1);
    }
};

template <>
struct AbiConvert<bool> {
    static AbiValue to(bool value) { return uint64_t{value ? 1u : 0u}; }
    static bool from(const AbiValue& value) { return !value.number().is_zero(); }
};

template <size_t N>
struct AbiConvert<ByteArray<N>> {
    static AbiValue to(const ByteArray<N>& value) { return AbiValue::of(value); }
    static ByteArray<N> from(const AbiValue& value) {
        TT_ASSERT(value.bytes().size() == N);
        ByteArray<N> out;
        for (size_t i = 0; i < N; ++i) out[i] = value.bytes()[i];
        return out;
    }
};

template <>
struct AbiConvert<Bytes> {
    static AbiValue to(const Bytes& value) { return value; }
    static Bytes from(const AbiValue& value) { return value.bytes(); }
};

template <>
struct AbiConvert<std::string> {
    static AbiValue to(const std::string& value) { return AbiValue::of(as_bytes(value)); }
    static std::string from(const AbiValue& value) { return std::string(as_text(value.bytes())); }
};

template <class T>
struct AbiConvert<std::vector<T>> {
    static AbiValue to(const std::vector<T>& value) {
        std::vector<AbiValue> out;
        for (const T& element : value) out.push_back(AbiConvert<T>::to(element));
        return out;
    }
    static std::vector<T> from(const AbiValue& value) {
        std::vector<T> out;
        for (const AbiValue& element : value.elements())
            out.push_back(AbiConvert<T>::from(element));
        return out;
    }
};

template <class T>
AbiValue to_abi(const T& value) {
    return AbiConvert<T>::to(value);
}

/// Sets `out`, so that the type need not be named.
template <class T>
void from_abi(const AbiValue& value, T& out) {
    out = AbiConvert<T>::from(value);
}

}  // namespace teetee::chain
