// SPDX-License-Identifier: Apache-2.0
#include "cli/dev_chain_file.hpp"

#include <gtest/gtest.h>

#include "cli/limits.hpp"

namespace teetee::cli {
namespace {

const DevChainFile sample = {.rpc_url = "http://127.0.0.1:5012", .pool = 7};

std::string refused(const std::string& text) {
    const auto file = parse_dev_chain_file(text);
    if (file) return "";
    EXPECT_EQ(file.error().code, ErrorCode::config_invalid);
    return file.error().detail;
}

std::string replaced(std::string_view what, std::string_view with) {
    std::string text = encode_dev_chain_file(sample);
    const size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), with);
}

TEST(dev_chain_file, comes_back_as_it_was_written) {
    EXPECT_EQ(parse_dev_chain_file(encode_dev_chain_file(sample)).value(), sample);
}

TEST(dev_chain_file, refuses_what_is_wrong_by_name) {
    EXPECT_NE(refused("[]").find("need an object"), std::string::npos);
    EXPECT_NE(refused("{").find("chain: "), std::string::npos);
    EXPECT_NE(refused("").find("chain: "), std::string::npos);
    EXPECT_NE(refused(replaced(R"("version":1)", R"("version":2)")).find("version: have 2"),
              std::string::npos);
    EXPECT_NE(refused(replaced(R"("version":1,)", "")).find("version"), std::string::npos);
    EXPECT_NE(refused(replaced("http:", "ftp:")).find("rpc_url: have "), std::string::npos);
    EXPECT_NE(refused(replaced("\"http://127.0.0.1:5012\"", "17")).find("rpc_url"),
              std::string::npos);
    EXPECT_NE(refused(replaced(":7", ":0")).find("pool: have 0"), std::string::npos);
    EXPECT_NE(refused(replaced(":7", ":-7")).find("pool"), std::string::npos);
    EXPECT_NE(refused(replaced(":7", ":\"7\"")).find("pool"), std::string::npos);
    EXPECT_NE(refused(replaced("{", R"({"more":1,)")).find("more"), std::string::npos);
    EXPECT_NE(refused(replaced("{", R"({"pool":7,)")).find("chain: "), std::string::npos);
    EXPECT_NE(refused(std::string(dev_chain_file_bytes_max + 1, ' ')).find("chain: "),
              std::string::npos);
}

TEST(dev_chain_file, a_created_pool_is_found_among_other_members) {
    EXPECT_EQ(parse_created_pool(R"({"pool":3,"model_root":"0x","block":9})").value(), 3u);
    for (const char* text : {"", "{}", R"({"pool":0})", R"({"pool":"3"})", R"({"error":{}})"}) {
        const auto pool = parse_created_pool(text);
        ASSERT_FALSE(pool) << text;
        EXPECT_EQ(pool.error().code, ErrorCode::config_invalid);
    }
}

TEST(dev_chain_file, an_opened_voucher_is_found_among_other_members) {
    const std::string id = "0x" + std::string(62, '0') + "1f";
    EXPECT_EQ(parse_opened_voucher(R"({"pool":3,"voucher":")" + id + "\"}").value()[31], 0x1f);
    for (const std::string& wrong : {std::string("0x1f"), id.substr(2), id + "00"})
        EXPECT_FALSE(parse_opened_voucher("{\"voucher\":\"" + wrong + "\"}")) << wrong;
    EXPECT_FALSE(parse_opened_voucher("{}"));
}

}  // namespace
}  // namespace teetee::cli
