// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>

#include "chain/u256.hpp"

namespace teetee::chain {

// The published vectors of ../shared/data, which not every checkout has beside it.

inline std::string vector_path(const std::string& name) {
    return std::string(TEETEE_SHARED_DATA) + "/vectors/" + name;
}

inline bool have_shared_vectors() {
    return std::filesystem::exists(vector_path("ethereum-tests")) &&
           std::filesystem::exists(vector_path("ethers-testcases"));
}

#define TT_REQUIRE_SHARED_VECTORS() \
    if (!have_shared_vectors()) GTEST_SKIP() << "no shared data"

inline boost::json::value parse_test_json(const std::string& text) {
    boost::json::parse_options options;
    options.max_depth = 256;
    return boost::json::parse(text, {}, options);
}

inline boost::json::value read_json_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return parse_test_json(std::string(std::istreambuf_iterator<char>(file), {}));
}

inline boost::json::value read_vectors(const std::string& name) {
    return read_json_file(vector_path(name));
}

inline boost::json::value read_packed_vectors(const std::string& name) {
    const std::string command = "gzip -dc '" + vector_path(name) + "'";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string text;
    std::array<char, 65536> buffer;
    while (const size_t count = fread(buffer.data(), 1, buffer.size(), pipe.get()))
        text.append(buffer.data(), count);
    return parse_test_json(text);
}

inline std::string text_of(const boost::json::value& value) {
    return std::string(value.as_string());
}

inline Bytes bytes_of(const boost::json::value& value) {
    return from_hex(text_of(value)).value();
}

/// A JSON number, or hex of any number of digits ("0x" is 0, leading zeros are allowed).
inline U256 number_of(const boost::json::value& value) {
    if (value.is_int64()) return static_cast<uint64_t>(value.as_int64());
    if (value.is_uint64()) return value.as_uint64();
    std::string digits = text_of(value).substr(2);
    if (digits.size() % 2 != 0) digits.insert(0, "0");
    return U256::from_bytes(from_hex(digits).value()).value();
}

inline const boost::json::value* member(const boost::json::value& object, const char* key) {
    return object.as_object().if_contains(key);
}

}  // namespace teetee::chain
