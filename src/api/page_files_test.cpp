// SPDX-License-Identifier: Apache-2.0
#include "api/page_files.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "api/limits.hpp"
#include "net/file.hpp"
#include "net/test_folder.hpp"

namespace teetee::api {
namespace {

Bytes bytes(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

std::map<std::string, Bytes> some_files() {
    return {{"index.html", bytes("<!doctype html>")},
            {"assets/app-0a1b2C_-.js", bytes("export {};")},
            {"assets/app-0a1b2C_-.js.gz", bytes("squeezed")},
            {"assets/plain.css", bytes("body {}")},
            {"favicon.svg", bytes("<svg/>")}};
}

net::HttpResponse get(const PageFiles& page, const std::string& path,
                      net::HttpHeaders headers = {}) {
    net::HttpRequest request;
    request.method = "GET";
    request.path = request.target = path;
    request.headers = std::move(headers);
    return page.answer(request);
}

TEST(page_files, are_served_with_their_types) {
    const PageFiles page = PageFiles::build(some_files()).value();
    EXPECT_EQ(page.file_count(), 4u);
    const auto index = get(page, "/");
    EXPECT_EQ(index.status, 200);
    EXPECT_EQ(index.content_type, "text/html; charset=utf-8");
    EXPECT_EQ(index.content(), "<!doctype html>");
    EXPECT_EQ(index.headers.at("cache-control"), "no-cache");
    EXPECT_EQ(get(page, "/index.html").shared_body, index.shared_body);
    const auto script = get(page, "/assets/app-0a1b2C_-.js");
    EXPECT_EQ(script.content_type, "text/javascript; charset=utf-8");
    EXPECT_EQ(script.headers.at("cache-control"), "public, max-age=31536000, immutable");
    // Without a hash in the name it may be another one tomorrow.
    EXPECT_EQ(get(page, "/assets/plain.css").headers.at("cache-control"), "no-cache");
    EXPECT_EQ(get(page, "/favicon.svg").headers.at("cache-control"), "no-cache");
}

TEST(page_files, the_page_stands_under_its_views) {
    const PageFiles page = PageFiles::build(some_files()).value();
    for (const char* path : {"/chat", "/chat/", "/models", "/models/7", "/contribute", "/dashboard",
                             "/explorer", "/explorer/receipt/0a1b"}) {
        EXPECT_TRUE(page.has(path)) << path;
        EXPECT_EQ(get(page, path).content(), "<!doctype html>") << path;
    }
    for (const char* path : {"", "chat", "/chats", "/v1/models", "/generate", "/health", "/assets",
                             "/assets/", "/assets/none.js", "/chat//", "/chat/a//b"}) {
        EXPECT_FALSE(page.has(path)) << path;
        EXPECT_EQ(get(page, path).status, 404) << path;
    }
}

TEST(page_files, no_path_leads_out) {
    const PageFiles page = PageFiles::build(some_files()).value();
    for (const char* path :
         {"/..", "/../index.html", "/./index.html", "/assets/../index.html", "//index.html",
          "/%69ndex.html", "/%2e%2e/index.html", "/assets/%2e%2e/index.html", "/assets%2fplain.css",
          "/chat/..", "/chat/../../etc/passwd", "/chat/%2e%2e", "/chat/.hidden", "/chat\\x",
          "/index.html/", "/index.html/x", "/assets/app-0a1b2C_-.js.gz", "/chat/a b",
          "/chat/\x01"}) {
        EXPECT_FALSE(page.has(path)) << path;
    }
}

TEST(page_files, are_sent_compressed_to_whom_takes_that) {
    const PageFiles page = PageFiles::build(some_files()).value();
    const std::string path = "/assets/app-0a1b2C_-.js";
    for (const char* takes : {"gzip", "br, gzip;q=0.5", "deflate ,GZIP", "gzip; q=1.0"}) {
        const auto squeezed = get(page, path, {{"accept-encoding", takes}});
        EXPECT_EQ(squeezed.content(), "squeezed") << takes;
        EXPECT_EQ(squeezed.headers.at("content-encoding"), "gzip");
        EXPECT_EQ(squeezed.content_type, "text/javascript; charset=utf-8");
        EXPECT_NE(squeezed.headers.at("vary").find("Accept-Encoding"), std::string::npos);
    }
    for (const char* takes : {"", "br", "gzip;q=0", "gzip; q=0.000", "xgzip"}) {
        const auto plain = get(page, path, {{"accept-encoding", takes}});
        EXPECT_EQ(plain.content(), "export {};") << takes;
        EXPECT_FALSE(plain.headers.contains("content-encoding"));
    }
    EXPECT_EQ(get(page, "/", {{"accept-encoding", "gzip"}}).content(), "<!doctype html>");
}

TEST(page_files, are_not_sent_again_to_whom_has_them) {
    const PageFiles page = PageFiles::build(some_files()).value();
    const std::string path = "/assets/app-0a1b2C_-.js";
    const std::string plain = get(page, path).headers.at("etag");
    const std::string squeezed = get(page, path, {{"accept-encoding", "gzip"}}).headers.at("etag");
    EXPECT_NE(plain, squeezed);
    EXPECT_NE(plain, get(page, "/").headers.at("etag"));
    for (const std::string& known : {plain, "\"other\", W/" + plain, std::string("*")}) {
        const auto unchanged = get(page, path, {{"if-none-match", known}});
        EXPECT_EQ(unchanged.status, 304) << known;
        EXPECT_TRUE(unchanged.content().empty());
        EXPECT_EQ(unchanged.headers.at("etag"), plain);
        EXPECT_TRUE(unchanged.headers.contains("content-security-policy"));
    }
    EXPECT_EQ(get(page, path, {{"if-none-match", squeezed}}).status, 200);
    EXPECT_EQ(get(page, path, {{"if-none-match", "\"other\""}}).status, 200);
}

TEST(page_files, nothing_of_others_runs_in_the_page) {
    const PageFiles page = PageFiles::build(some_files()).value();
    for (const char* path : {"/", "/chat", "/assets/plain.css"}) {
        const auto headers = get(page, path).headers;
        const std::string& policy = headers.at("content-security-policy");
        for (const char* rule : {"default-src 'none'", "script-src 'self';", "style-src 'self';",
                                 "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
                                 "require-trusted-types-for 'script'"}) {
            EXPECT_NE(policy.find(rule), std::string::npos) << rule;
        }
        EXPECT_EQ(policy.find("unsafe"), std::string::npos);
        EXPECT_EQ(headers.at("x-content-type-options"), "nosniff");
        EXPECT_EQ(headers.at("referrer-policy"), "no-referrer");
        EXPECT_EQ(headers.at("cross-origin-opener-policy"), "same-origin");
        EXPECT_NE(headers.at("permissions-policy").find("camera=()"), std::string::npos);
    }
}

TEST(page_files, a_browser_that_follows_a_link_wants_the_page) {
    EXPECT_TRUE(PageFiles::is_preferred(
        {{"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}}));
    EXPECT_TRUE(PageFiles::is_preferred({{"accept", "application/json, Text/HTML ;q=0.1"}}));
    EXPECT_FALSE(PageFiles::is_preferred({{"accept", "*/*"}}));
    EXPECT_FALSE(PageFiles::is_preferred({{"accept", "application/json, text/html;q=0"}}));
    EXPECT_FALSE(PageFiles::is_preferred({}));
}

TEST(page_files, refuse_what_no_page_is_made_of) {
    const auto refused = [](const std::string& path) {
        auto files = some_files();
        files[path] = bytes("x");
        const auto built = PageFiles::build(std::move(files));
        return !built && built.error().code == ErrorCode::config_invalid;
    };
    for (const char* path :
         {".hidden.js", "assets/.map", "a b.js", "a%2e.js", "tool.exe", "noending", "run.sh",
          "x.wasm", "\xc3\xbc.js", "lonely.js.gz", "a\\b.js", "-/..js"}) {
        EXPECT_TRUE(refused(path)) << path;
    }
    EXPECT_TRUE(refused(std::string(page_name_bytes_max, 'a') + ".js"));
    EXPECT_FALSE(refused("assets/worker-ABCDEFGH.js"));
    auto files = some_files();
    files.erase("index.html");
    EXPECT_FALSE(PageFiles::build(std::move(files)));
}

TEST(page_files, are_read_from_a_folder_and_nowhere_else) {
    const net::TestFolder folder;
    const std::string& at = folder.path();
    std::filesystem::create_directory(at + "/assets");
    ASSERT_TRUE(net::write_file_atomic(at + "/index.html", as_bytes("page")));
    ASSERT_TRUE(net::write_file_atomic(at + "/assets/a.js", as_bytes("script")));
    const auto page = PageFiles::load(at);
    ASSERT_TRUE(page) << page.error().message();
    EXPECT_EQ(get(*page, "/assets/a.js").content(), "script");
    EXPECT_EQ(page->bytes(), 10u);
    std::filesystem::create_symlink("/etc/hostname", at + "/secret.txt");
    const auto linked = PageFiles::load(at);
    ASSERT_FALSE(linked);
    EXPECT_EQ(linked.error().code, ErrorCode::io_failed);
    EXPECT_NE(linked.error().detail.find("secret.txt"), std::string::npos);
    EXPECT_FALSE(PageFiles::load(at + "/none"));
}

}  // namespace
}  // namespace teetee::api
