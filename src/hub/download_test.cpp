// SPDX-License-Identifier: Apache-2.0
#include "hub/download.hpp"

#include <filesystem>

#include "net/http_server.hpp"
#include "net/test_folder.hpp"
#include "net/test_support.hpp"

namespace teetee::hub {
namespace {

using std::chrono::milliseconds;

/// A server of one file that may fall silent in the middle of an answer.
class download_from : public testing::Test {
  protected:
    download_from() {
        for (size_t i = 0; i < 3u << 20; ++i) content += static_cast<char>(i * i >> 7);
        thread.call([this] {
            server =
                net::HttpServer::listen(thread.loop(), {"127.0.0.1", 0}, {},
                                        [this](const net::HttpRequest& request,
                                               const std::shared_ptr<net::HttpExchange>& exchange) {
                                            answer(request, exchange);
                                        })
                    .value();
        });
        options.url = "http://127.0.0.1:" + std::to_string(server->port()) + "/model";
        options.path = folder.path() + "/model";
    }
    ~download_from() override {
        thread.call([this] {
            held.clear();
            server.reset();
        });
    }

    void answer(const net::HttpRequest& request,
                const std::shared_ptr<net::HttpExchange>& exchange) {
        if (is_endless) {
            exchange->begin_stream(200, "application/octet-stream", linked);
            exchange->write(content);
            exchange->finish();
            return;
        }
        const std::string_view range = field(request.headers, "range");
        const size_t dash = range.find('-');
        const size_t first = std::stoul(std::string(range.substr(6, dash - 6)));
        const size_t last = std::stoul(std::string(range.substr(dash + 1)));
        const std::string content_range = "bytes " + std::to_string(first) + "-" +
                                          std::to_string(last) + "/" +
                                          std::to_string(content.size());
        ranges.push_back({first, last + 1});
        exchange->begin_stream(206, "application/octet-stream",
                               {{"content-range", content_range}, {"etag", "\"1\""}});
        const std::string part = content.substr(first, last + 1 - first);
        if (silences > 0 && part.size() > 1) {
            --silences;
            exchange->write(part.substr(0, part.size() / 2));
            held.push_back(exchange);
            return;
        }
        exchange->write(part);
        exchange->finish();
    }

    Result<Downloaded> fetch() {
        WebOptions web_options{.silence_max = milliseconds(300)};
        web_options.retry.pause_first = milliseconds(1);
        web_options.on_wait = [this](const Failure& why, Duration) {
            const std::lock_guard lock(mutex);
            reasons.push_back(why.error.code);
        };
        web_options.stop = stop.get_token();
        return download(Web(web_options, clock, rng), options);
    }
    std::string fetched() const {
        return std::string(as_text(*net::read_file(options.path, 8u << 20)));
    }

    net::TestFolder folder;
    std::string content;
    DownloadOptions options;
    std::stop_source stop;
    std::mutex mutex;
    std::vector<ErrorCode> reasons;
    // On the server's thread.
    int silences = 0;
    /// Knows neither ranges nor how long the file is.
    bool is_endless = false;
    net::HttpHeaders linked;
    std::vector<ByteRange> ranges;
    std::vector<std::shared_ptr<net::HttpExchange>> held;
    SystemClock clock;
    SystemRng rng;
    std::unique_ptr<net::HttpServer> server;
    /// Last, so that it stops before what its calls use is gone.
    net::LoopThread thread;
};

TEST_F(download_from, a_server_that_falls_silent_goes_on_where_it_was) {
    silences = 4;
    const auto downloaded = fetch();
    ASSERT_TRUE(downloaded) << downloaded.error().message();
    EXPECT_EQ(downloaded->fetched_bytes, content.size());
    EXPECT_EQ(downloaded->bytes, content.size());
    EXPECT_TRUE(fetched() == content);
    EXPECT_EQ(reasons, std::vector<ErrorCode>(4, ErrorCode::timed_out));
    EXPECT_FALSE(std::filesystem::exists(options.path + ".part"));
    EXPECT_FALSE(std::filesystem::exists(options.path + ".part.json"));
}

TEST_F(download_from, one_that_is_stopped_is_gone_on_with_by_the_next) {
    silences = 3;
    uint64_t seen = 0;
    options.on_progress = [&](DownloadPhase phase, uint64_t done, uint64_t) {
        if (phase == DownloadPhase::fetching && done >= content.size() / 2) stop.request_stop();
        seen = std::max(seen, done);
    };
    EXPECT_EQ(fetch().error().code, ErrorCode::cancelled);
    EXPECT_FALSE(std::filesystem::exists(options.path));
    stop = std::stop_source();
    silences = 0;
    const auto downloaded = fetch();
    ASSERT_TRUE(downloaded) << downloaded.error().message();
    EXPECT_GE(downloaded->resumed_bytes, content.size() / 2);
    EXPECT_EQ(downloaded->resumed_bytes + downloaded->fetched_bytes, content.size());
    EXPECT_TRUE(fetched() == content);
}

TEST_F(download_from, what_the_check_refuses_is_not_kept) {
    options.check = [](const std::string& path) -> Result<void> {
        return fail(ErrorCode::gguf_malformed, path);
    };
    EXPECT_EQ(fetch().error().code, ErrorCode::gguf_malformed);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(download_from, a_server_that_does_not_say_how_long_the_file_is) {
    is_endless = true;
    // There is no disk with so much room.
    options.bytes = uint64_t{1} << 42;
    const auto full = fetch();
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().code, ErrorCode::io_failed);
    EXPECT_NE(full.error().detail.find("make room"), std::string::npos) << full.error().detail;
    // What is known is a bound.
    options.bytes = content.size() - 1;
    EXPECT_EQ(fetch().error().code, ErrorCode::http_malformed);
    options.bytes = content.size();
    ASSERT_TRUE(fetch());
    EXPECT_TRUE(fetched() == content);
}

TEST_F(download_from, what_nobody_knows_the_length_of_is_as_long_as_there_is_room) {
    is_endless = true;
    const Web web({}, clock, rng);
    const auto part = PartFile::open(options.path);
    ASSERT_TRUE(part);
    Transfer transfer(web, *part, {.url = options.url, .bytes_max = 1u << 20}, {});
    const auto refused = transfer.run();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::io_failed);
    EXPECT_NE(refused.error().detail.find("make room"), std::string::npos);
    EXPECT_LE(transfer.done().bytes(), 1u << 20);
}

TEST_F(download_from, list_and_redirect_must_agree) {
    is_endless = true;
    options.bytes = content.size();
    options.commit = std::string(40, 'a');
    linked = {{"x-linked-size", std::to_string(content.size() + 1)}};
    EXPECT_EQ(fetch().error().code, ErrorCode::download_mismatch);
    linked = {{"x-repo-commit", std::string(40, 'b')}};
    EXPECT_EQ(fetch().error().code, ErrorCode::download_mismatch);
    linked = {{"x-linked-size", std::to_string(content.size())}, {"x-repo-commit", options.commit}};
    EXPECT_TRUE(fetch());
}

TEST_F(download_from, a_folder_that_cannot_be_written_to_is_named) {
    options.path = "/proc/nowhere/model";
    const auto failed = fetch();
    EXPECT_EQ(failed.error().code, ErrorCode::io_failed);
    EXPECT_NE(failed.error().detail.find("/proc/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace teetee::hub
