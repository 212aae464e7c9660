// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/interrupt_watch.hpp"
#include "cli/key_file.hpp"
#include "net/http_client.hpp"

namespace teetee::cli {
namespace {

struct LoadOptions {
    std::string url = "http://127.0.0.1:5002";
    std::string prompt = "Once upon a time";
    uint32_t streams = 8;
    uint32_t seconds = 30;
    uint32_t tokens_max = 64;
    std::string api_key_file;
};

/// What the streams go by.
struct Load {
    const LoadOptions& options;
    std::string api_key;
    /// Ctrl-C: what has come until then is reported.
    std::stop_token stop;
};

/// What the streams have seen, from all threads.
class Tally {
  public:
    struct Stream {
        double first_token_s = 0;
        double whole_s = 0;
        uint64_t tokens = 0;
    };
    void add(const Stream& stream) {
        const std::lock_guard lock(mutex_);
        streams_.push_back(stream);
    }
    void add_failure(const std::string& why) {
        const std::lock_guard lock(mutex_);
        ++failures_[why];
    }
    const std::vector<Stream>& streams() const { return streams_; }
    const std::map<std::string, uint64_t>& failures() const { return failures_; }

  private:
    std::mutex mutex_;
    std::vector<Stream> streams_;
    std::map<std::string, uint64_t> failures_;
};

double seconds_since(Instant begin) {
    return std::chrono::duration<double>(SystemClock().now() - begin).count();
}

/// One streamed answer. Events are counted and not read: the text is of no matter here.
void ask_once(const Load& load, uint64_t seed, Tally& tally) {
    const LoadOptions& options = load.options;
    net::HttpClientRequest request;
    request.method = "POST";
    request.url = options.url + "/v1/completions";
    request.headers["content-type"] = "application/json";
    if (!load.api_key.empty()) request.headers["authorization"] = "Bearer " + load.api_key;
    request.body = boost::json::serialize(boost::json::object{{"prompt", options.prompt},
                                                              {"max_tokens", options.tokens_max},
                                                              {"seed", seed},
                                                              {"stream", true}});
    request.time_max = std::chrono::hours(1);
    request.silence_max = std::chrono::seconds(60);
    request.stop = load.stop;
    Tally::Stream seen;
    std::string tail;
    bool is_done = false;
    const Instant begin = SystemClock().now();
    request.on_body_chunk = [&](std::string_view chunk) {
        tail.append(chunk);
        size_t from = 0;
        for (size_t end = tail.find("\n\n"); end != std::string::npos;
             end = tail.find("\n\n", from)) {
            const std::string_view event = std::string_view(tail).substr(from, end - from);
            if (event.starts_with("data: {")) {
                if (seen.tokens++ == 0) seen.first_token_s = seconds_since(begin);
            }
            is_done = is_done || event == "data: [DONE]";
            from = end + 2;
        }
        tail.erase(0, from);
        return true;
    };
    const auto response = net::http_fetch(request);
    if (load.stop.stop_requested() && !is_done) return;
    if (!response) return tally.add_failure(std::string(to_string(response.error().code)));
    if (response->status != 200)
        return tally.add_failure("status " + std::to_string(response->status));
    if (!is_done || seen.tokens == 0) return tally.add_failure("cut");
    seen.whole_s = seconds_since(begin);
    // The last event has the end, and no token of its own.
    --seen.tokens;
    tally.add(seen);
}

double percentile(std::vector<double> values, double part) {
    if (values.empty()) return 0;
    const auto at = static_cast<size_t>(part * static_cast<double>(values.size() - 1) + 0.5);
    std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(at), values.end());
    return values[at];
}

boost::json::object percentiles(const std::vector<double>& seconds) {
    return {{"p50_ms", 1000 * percentile(seconds, 0.5)},
            {"p90_ms", 1000 * percentile(seconds, 0.9)},
            {"p99_ms", 1000 * percentile(seconds, 0.99)}};
}

boost::json::object report_of(const LoadOptions& options, const Tally& tally, double took_s) {
    std::vector<double> first;
    std::vector<double> between;
    uint64_t tokens = 0;
    for (const Tally::Stream& stream : tally.streams()) {
        first.push_back(stream.first_token_s);
        tokens += stream.tokens;
        if (stream.tokens > 1) {
            between.push_back((stream.whole_s - stream.first_token_s) /
                              static_cast<double>(stream.tokens - 1));
        }
    }
    boost::json::object failures;
    uint64_t failed = 0;
    for (const auto& [why, count] : tally.failures()) {
        failures[why] = count;
        failed += count;
    }
    return {{"streams", options.streams},
            {"seconds", took_s},
            {"answers", tally.streams().size()},
            {"failed", failed},
            {"failures", std::move(failures)},
            {"tokens", tokens},
            {"tokens_per_second", static_cast<double>(tokens) / took_s},
            {"time_to_first_token", percentiles(first)},
            {"time_per_token", percentiles(between)}};
}

void show(const boost::json::object& report) {
    const auto row = [&](std::string_view name, std::string_view key) {
        const auto& p = report.at(key).as_object();
        return fmt::format("{:<22}{:>9.1f} ms{:>9.1f} ms{:>9.1f} ms\n", name,
                           p.at("p50_ms").as_double(), p.at("p90_ms").as_double(),
                           p.at("p99_ms").as_double());
    };
    std::string text = fmt::format(
        "{} answers over {} streams, {} failed, {:.1f} tokens/s\n",
        report.at("answers").to_number<uint64_t>(), report.at("streams").to_number<uint64_t>(),
        report.at("failed").to_number<uint64_t>(), report.at("tokens_per_second").as_double());
    text += fmt::format("{:<22}{:>12}{:>12}{:>12}\n", "", "p50", "p90", "p99");
    text += row("time to first token", "time_to_first_token");
    text += row("time per token", "time_per_token");
    for (const auto& one : report.at("failures").as_object()) {
        text += fmt::format("failed: {} times {}\n", one.value().to_number<uint64_t>(),
                            std::string_view(one.key()));
    }
    print_text(text);
}

Result<void> measure(const LoadOptions& options, Session& session) {
    std::string api_key;
    if (!options.api_key_file.empty()) {
        TT_TRY(api_key, read_key_file(options.api_key_file));
    } else if (const char* given = std::getenv("TEETEE_API_KEY"); given != nullptr) {
        api_key = given;
    }
    Tally tally;
    // Before there are threads, which take its mask of signals.
    const InterruptWatch watch;
    const Load load = {options, std::move(api_key), watch.token()};
    const Instant begin = SystemClock().now();
    const Instant end = begin + std::chrono::seconds(options.seconds);
    std::atomic<uint64_t> next_seed = 1;
    std::vector<std::jthread> threads;
    for (uint32_t i = 0; i < options.streams; ++i) {
        threads.emplace_back([&] {
            while (SystemClock().now() < end && !load.stop.stop_requested())
                ask_once(load, next_seed++, tally);
        });
    }
    threads.clear();
    const auto report = report_of(options, tally, seconds_since(begin));
    if (session.json) {
        print_json(report);
    } else {
        show(report);
    }
    if (report.at("failed").to_number<uint64_t>() == 0 && !tally.streams().empty()) return {};
    return fail(ErrorCode::stage_failed, "not every answer was whole");
}

}  // namespace

void add_load(CLI::App& app, Session& session) {
    auto options = std::make_shared<LoadOptions>();
    CLI::App* command = add_command(
        app, session, "load", "Ask an entry over many streams at once, and say how fast it answers",
        options, measure);
    command->add_option("--url", options->url, "The entry's plain API")->capture_default_str();
    command->add_option("--streams", options->streams, "Answers at a time")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_option("--seconds", options->seconds, "How long new answers are begun")
        ->check(CLI::Range(1, 86400))
        ->capture_default_str();
    command->add_option("-n,--tokens-max", options->tokens_max, "Tokens of an answer at most")
        ->check(CLI::Range(1, 1 << 20))
        ->capture_default_str();
    command->add_option("--prompt,-p", options->prompt, "What is asked")->capture_default_str();
    command->add_option("--api-key-file", options->api_key_file,
                        "A file with a key, where the entry asks for one; default: the key in "
                        "TEETEE_API_KEY");
}

}  // namespace teetee::cli
