// SPDX-License-Identifier: Apache-2.0
#include "hub/hugging_face.hpp"

#include <gtest/gtest.h>

#include "hub/limits.hpp"

namespace teetee::hub {
namespace {

const std::string commit(40, 'c');
const std::string git_oid(40, '1');
const std::string sha256(64, '2');

std::string model_with(const std::string& members) {
    return R"({"_id":"1","id":"a/b","sha":")" + commit + R"(","private":false)" + members + "}";
}

std::string file_with(const std::string& path, const std::string& size = "7") {
    return R"([{"type":"file","oid":")" + git_oid + R"(","size":)" + size + R"(,"path":")" + path +
           R"("}])";
}

TEST(hf_model, has_its_commit_licence_and_gate) {
    const auto plain =
        parse_hf_model(model_with(R"(,"gated":false,"tags":["gguf","license:mit"],"siblings":[])"));
    ASSERT_TRUE(plain) << plain.error().message();
    EXPECT_EQ(plain->commit, commit);
    EXPECT_EQ(plain->licence, "mit");
    EXPECT_FALSE(plain->gated);
    const auto gated = parse_hf_model(
        model_with(R"(,"gated":"manual","cardData":{"license":"other","license_name":"llama3",)"
                   R"("license_link":"LICENSE"})"));
    EXPECT_EQ(gated->licence, "llama3 (LICENSE)");
    EXPECT_TRUE(gated->gated);
    EXPECT_EQ(parse_hf_model(model_with(""))->licence, "");
}

TEST(hf_model, shows_nothing_that_a_terminal_would_obey) {
    const auto model =
        parse_hf_model(model_with(R"(,"cardData":{"license":"\u001b[2J)" +
                                  std::string(2 * shown_text_bytes_max, 'x') + R"("})"));
    EXPECT_EQ(model->licence.find('\x1b'), std::string::npos);
    EXPECT_LE(model->licence.size(), shown_text_bytes_max + 3);
}

TEST(hf_model, refuses_what_is_no_description) {
    for (const std::string text : {"", "[]", "{}", R"({"sha":"main"})", R"({"sha":7})",
                                   R"({"sha":"../../x"})", R"({"error":"x"})", "<html>"})
        EXPECT_EQ(parse_hf_model(text).error().code, ErrorCode::hub_malformed) << text;
    EXPECT_EQ(parse_hf_model(std::string(answer_bytes_max + 1, ' ')).error().code,
              ErrorCode::limit_exceeded);
}

TEST(hf_files, have_sizes_and_digests_of_lfs_and_of_git) {
    const auto files = parse_hf_files(
        R"([{"type":"directory","oid":"x","size":0,"path":"sub"},
            {"type":"file","oid":")" +
        git_oid + R"(","size":9,"path":"config.json"},
            {"type":"file","oid":")" +
        git_oid + R"(","size":5000000000,"path":"sub/a.gguf","xetHash":"y","lfs":{"oid":")" +
        sha256 + R"(","size":5000000000,"pointerSize":135}}])");
    ASSERT_TRUE(files) << files.error().message();
    EXPECT_EQ(*files, (std::vector<HfFile>{
                          {"config.json", 9, {FileDigest::Kind::git_blob, git_oid}},
                          {"sub/a.gguf", 5000000000, {FileDigest::Kind::sha256, sha256}}}));
}

TEST(hf_files, leave_out_names_that_nothing_fetched_has) {
    EXPECT_TRUE(parse_hf_files(file_with("\\u00e4.gguf"))->empty());
    EXPECT_TRUE(parse_hf_files(file_with("a\\\\b.gguf"))->empty());
    EXPECT_EQ(parse_hf_files(file_with("a b.gguf"))->size(), 1u);
}

TEST(hf_files, refuse_paths_that_lead_elsewhere) {
    for (const std::string path : {"", "/etc/passwd", "../a", "a/../../b", "a/..", "..", ".",
                                   "a//b", "a/", "a\\u0000b", "a\\nb"})
        EXPECT_EQ(parse_hf_files(file_with(path)).error().code, ErrorCode::hub_malformed) << path;
    EXPECT_FALSE(parse_hf_files(file_with(std::string(path_bytes_max + 1, 'a'))));
}

TEST(hf_files, refuse_sizes_and_digests_that_cannot_be) {
    for (const std::string size : {"-1", "1.5", "\"7\"", "null", "1e3", "4398046511105",
                                   "18446744073709551615", "99999999999999999999"})
        EXPECT_EQ(parse_hf_files(file_with("a", size)).error().code, ErrorCode::hub_malformed)
            << size;
    const std::string lfs = R"([{"type":"file","size":1,"path":"a","lfs":{"oid":")";
    EXPECT_TRUE(parse_hf_files(lfs + sha256 + R"(","size":1}}])"));
    EXPECT_FALSE(parse_hf_files(lfs + git_oid + R"(","size":1}}])"));
    EXPECT_FALSE(parse_hf_files(lfs + sha256 + R"("}}])"));
    EXPECT_FALSE(parse_hf_files(R"([{"type":"file","oid":"x","size":1,"path":"a"}])"));
}

TEST(hf_files, refuse_what_is_no_list_or_too_long_a_one) {
    for (const char* text : {"", "{}", "[1]", R"({"error":"x"})"})
        EXPECT_EQ(parse_hf_files(text).error().code, ErrorCode::hub_malformed) << text;
    std::string many = "[";
    const std::string one = file_with("a").substr(1, file_with("a").size() - 2);
    for (size_t i = 0; i <= files_max; ++i) many += (i > 0 ? "," : "") + one;
    EXPECT_EQ(parse_hf_files(many + "]").error().code, ErrorCode::hub_malformed);
}

TEST(hf_urls, are_those_of_the_hub) {
    const HfReference reference{.repository = "a/b", .revision = "refs/pr/1"};
    EXPECT_EQ(hf_model_url("https://h", reference),
              "https://h/api/models/a/b/revision/refs%2Fpr%2F1");
    EXPECT_EQ(hf_files_url({"https://h", "a/b", commit}),
              "https://h/api/models/a/b/tree/" + commit + "?recursive=true");
    EXPECT_EQ(hf_file_url({"https://h", "a/b", commit}, "c d/e.gguf"),
              "https://h/a/b/resolve/" + commit + "/c%20d/e.gguf");
}

TEST(hf_refusal, says_what_to_do) {
    const HfReference reference{.repository = "a/b"};
    struct Case {
        int status;
        const char* code;
        bool token;
        ErrorCode error;
        const char* advice;
    };
    for (const Case& c : {
             Case{401, "GatedRepo", false, ErrorCode::access_denied, "accept its conditions at"},
             Case{401, "GatedRepo", false, ErrorCode::access_denied, "HF_TOKEN"},
             Case{403, "GatedRepo", true, ErrorCode::access_denied, "ask for access at"},
             Case{401, "RepoNotFound", false, ErrorCode::access_denied, "no such repository"},
             Case{401, "", true, ErrorCode::access_denied, "does not take the token"},
             Case{403, "", true, ErrorCode::access_denied, "forbids"},
             Case{404, "RevisionNotFound", false, ErrorCode::not_found, "no revision 'main'"},
             Case{404, "EntryNotFound", false, ErrorCode::not_found, "no such file"},
             Case{404, "RepoNotFound", true, ErrorCode::not_found, "no such repository"},
             Case{451, "", false, ErrorCode::hub_refused, "451"},
         }) {
        const net::HttpHeaders headers = {{"x-error-code", c.code}};
        const Error error =
            explain_hf_refusal({c.status, headers, "https://h", reference, c.token});
        EXPECT_EQ(error.code, c.error) << error.message();
        EXPECT_NE(error.detail.find(c.advice), std::string::npos) << error.message();
    }
}

}  // namespace
}  // namespace teetee::hub
