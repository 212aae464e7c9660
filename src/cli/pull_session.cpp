// SPDX-License-Identifier: Apache-2.0
#include "cli/pull_session.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/model_file.hpp"
#include "cli/progress.hpp"
#include "cli/shell_word.hpp"
#include "cli/state_folder.hpp"
#include "hub/headers.hpp"
#include "hub/source_record.hpp"
#include "model/hyperparameters.hpp"
#include "model/kv_budget.hpp"
#include "net/address.hpp"
#include "net/file.hpp"
#include "net/loopback.hpp"

namespace teetee::cli {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

/// `source`: who named it.
Result<std::string> clean_endpoint(std::string url, const std::string& source) {
    while (url.ends_with('/')) url.pop_back();
    const auto parsed = net::parse_url(url);
    if (!parsed) return fail(ErrorCode::invalid_argument, source + ": " + parsed.error().detail);
    if (url.find_first_of("?#") == url.npos) return url;
    return fail(ErrorCode::invalid_argument,
                source + ": have " + quote_foreign(url) + ", need a URL without a query");
}

std::string digest_text(const hub::FileDigest& digest) {
    const bool is_sha256 = digest.kind == hub::FileDigest::Kind::sha256;
    return (is_sha256 ? "sha256:" : "git:") + digest.hex;
}

/// The index reader's word on a model, on its beginning and on all of it. Says once where this
/// program cannot run it: others can, and the next version may.
class GgufCheck {
  public:
    explicit GgufCheck(const PullFile& wanted) : wanted_(wanted) {}

    Result<void> check_head(const std::string& path, uint64_t head_bytes, uint64_t file_bytes) {
        TT_TRY(const auto file, net::File::open(path));
        Bytes head(head_bytes);
        TT_CHECK(file.read(0, head));
        const auto gguf = model::Gguf::parse_head(head, file_bytes);
        // An index that is longer than this is looked at when all is there.
        if (!gguf && gguf.error().code == ErrorCode::gguf_truncated) return {};
        if (!gguf) return gguf.error();
        tell_architecture(*gguf);
        return wanted_.check_index ? wanted_.check_index(*gguf) : Result<void>();
    }

    Result<void> check(const std::string& path) {
        TT_TRY(const auto file, ModelFile::open(path));
        tell_architecture(file.gguf);
        return wanted_.check_data ? wanted_.check_data(file.gguf) : Result<void>();
    }

  private:
    void tell_architecture(const model::Gguf& gguf) {
        const auto read = model::hyperparameters_from(gguf);
        if (read || is_told_) return;
        is_told_ = true;
        PullSession::say("this program cannot run the model: " + read.error().message());
    }

    const PullFile& wanted_;
    bool is_told_ = false;
};

hub::WebOptions web_options(const PullOptions& options, const PullEndpoint& endpoint,
                            const std::stop_token& stop) {
    hub::WebOptions out{.ca_file = options.ca_file, .token = endpoint.token, .stop = stop};
    if (const auto origin = hub::origin_of(endpoint.url)) out.token_origin = *origin;
    out.on_wait = [](const hub::Failure& why, Duration pause) {
        const double seconds = std::chrono::duration<double>(pause).count();
        PullSession::say(fmt::format("{}; trying again in {:.1f} s", why.error.detail, seconds));
    };
    return out;
}

}  // namespace

Error explain_url_status(int status, const net::HttpHeaders& headers) {
    if (status == 401 || status == 403)
        return fail(ErrorCode::access_denied,
                    "have HTTP status " + std::to_string(status) +
                        ": the server wants to know who asks; --token-file sends it a token");
    if (status == 404) return fail(ErrorCode::not_found, "have HTTP status 404: no such file");
    return hub::failure_of_status(status, headers, 0).error;
}

Result<PullEndpoint> choose_endpoint(const PullOptions& options, const PullHub& hub) {
    PullEndpoint out;
    const std::string named = *hub.mirror_variable == '\0' ? "" : variable(hub.mirror_variable);
    const std::string trusted = named.empty() ? std::string(hub.url) : named;
    TT_TRY(out.url, options.mirror.empty() ? clean_endpoint(trusted, hub.mirror_variable)
                                           : clean_endpoint(options.mirror, "--mirror"));
    const bool is_own = options.mirror.empty() || options.mirror == trusted;
    std::string token;
    if (!options.token_file.empty()) {
        TT_TRY(const auto bytes, net::read_file(options.token_file, hub::token_bytes_max));
        TT_TRY(token, hub::clean_token(as_text(bytes)));
        if (token.empty())
            return fail(ErrorCode::invalid_argument, options.token_file + ": no token in it");
    } else if (!is_own && *hub.token_variable != '\0' && !variable(hub.token_variable).empty()) {
        PullSession::say(
            fmt::format("{} is not sent to a --mirror; --token-file is", hub.token_variable));
    } else if (is_own && *hub.token_variable != '\0') {
        auto given = hub::clean_token(variable(hub.token_variable));
        if (!given) return in_context(hub.token_variable, std::move(given).error());
        token = std::move(*given);
    }
    TT_TRY(const auto url, net::parse_url(out.url));
    if (token.empty() || url.tls || net::is_loopback(url.address.host)) {
        out.token = std::move(token);
        return out;
    }
    if (!options.token_file.empty())
        return fail(ErrorCode::invalid_argument,
                    out.url + ": a token is not sent over plain http; need https");
    PullSession::say(fmt::format("{} is not sent over plain http", hub.token_variable));
    return out;
}

PullSession::PullSession(const PullOptions& options, const PullEndpoint& endpoint)
    : options_(options), web_(web_options(options, endpoint, stop_.get_token()), clock_, rng_) {
    signals_.on_signal([this](int) { stop_.request_stop(); });
    signal_thread_ = std::jthread([this] { signals_.run(); });
}

PullSession::~PullSession() {
    signals_.post([this] { signals_.stop(); });
}

Result<hub::WebAnswer> PullSession::ask(const std::string& url, const std::string& accept,
                                        const hub::ExplainStatus& explain) const {
    auto answer = web_.ask_patiently({.url = url, .headers = {{"accept", accept}}});
    // The query may be a signature that lets anybody in.
    if (!answer) return in_context(url.substr(0, url.find('?')), std::move(answer).error());
    if (answer->status == 200) return answer;
    return explain(answer->status, answer->headers);
}

Result<hub::Downloaded> PullSession::fetch(const PullFile& file) const {
    const std::string name = std::filesystem::path(file.path).filename().string();
    TransferBar fetching("fetching " + name);
    TransferBar checking("checking " + name);
    hub::DownloadOptions download = {.url = file.url,
                                     .path = file.path,
                                     .digest = file.digest,
                                     .bytes = file.bytes,
                                     .commit = file.commit,
                                     .connections = options_.connections,
                                     .explain = file.explain};
    GgufCheck check(file);
    if (file.is_gguf) {
        download.check_head = [&check](const std::string& path, uint64_t head, uint64_t all) {
            return check.check_head(path, head, all);
        };
        download.check = [&check](const std::string& path) { return check.check(path); };
    }
    download.on_progress = [&](hub::DownloadPhase phase, uint64_t done, uint64_t total) {
        if (phase == hub::DownloadPhase::checking) fetching.erase();
        (phase == hub::DownloadPhase::checking ? checking : fetching).draw(done, total);
    };
    download.on_resume = [&](uint64_t done, uint64_t total) {
        say(fmt::format("{}: going on, {} of {} are there", name, model::show_byte_count(done),
                        model::show_byte_count(total)));
    };
    return hub::download(web_, download);
}

Result<hub::FileDigest> PullSession::hash(const std::string& path) const {
    TransferBar checking("checking " + std::filesystem::path(path).filename().string());
    TT_TRY(const auto file, net::File::open(path));
    return hub::hash_file(
        file, {.progress = [&](uint64_t done, uint64_t total) { checking.draw(done, total); },
               .stop = stop()});
}

void PullSession::say(const std::string& line) {
    // A bar may stand on this line.
    const char* const start = isatty(STDERR_FILENO) != 0 ? "\r\x1b[K" : "";
    std::fprintf(stderr, "%steetee: %s\n", start, line.c_str());
}

std::string choose_path(const PullOptions& options, const std::string& usual_place) {
    namespace fs = std::filesystem;
    if (options.out.empty()) return models_home() + "/" + usual_place;
    std::error_code failed;
    if (!options.out.ends_with('/') && !fs::is_directory(options.out, failed)) return options.out;
    return (fs::path(options.out) / fs::path(usual_place).filename()).string();
}

std::string beside(const std::string& path, std::string_view ending) {
    constexpr std::string_view suffix = ".gguf";
    const bool has_suffix = path.size() > suffix.size() && path.ends_with(suffix);
    return path.substr(0, path.size() - (has_suffix ? suffix.size() : 0)) + std::string(ending);
}

std::optional<hub::FileDigest> find_digest(const std::string& path, const SourceState& wanted) {
    const auto text = net::read_file(beside(path, ".source.json"), hub::source_record_bytes_max);
    if (!text) return std::nullopt;
    const auto record = hub::parse_source_record(as_text(*text));
    if (!record || record->source != wanted.source || record->state != wanted.state)
        return std::nullopt;
    return record->digest;
}

Result<void> note_digest(const std::string& path, const SourceState& source,
                         const hub::FileDigest& digest) {
    const std::string text = hub::encode_source_record(
        {.source = source.source, .state = source.state, .digest = digest});
    return net::write_file_atomic(beside(path, ".source.json"), as_bytes(text));
}

PullReport report_model(const PulledModel& model) {
    const hub::Downloaded& came = model.downloaded;
    PullReport out;
    out.json = {{"file", model.path},
                {"source", model.source},
                {"bytes", came.bytes},
                {"digest", digest_text(came.digest)},
                {"licence", model.licence},
                {"commit", model.commit},
                {"fetched_bytes", came.fetched_bytes},
                {"resumed_bytes", came.resumed_bytes},
                {"was_there", came.was_there}};
    std::string how = "fetched and checked";
    if (came.was_there) how = "was there already, checked";
    if (came.resumed_bytes > 0)
        how = fmt::format("checked; {} were there, {} fetched now",
                          model::show_byte_count(came.resumed_bytes),
                          model::show_byte_count(came.fetched_bytes));
    out.text = fmt::format("{}\n  {}, {}, {}\n", model.path, model::show_byte_count(came.bytes),
                           digest_text(came.digest), how);
    if (!model.licence.empty()) out.text += "  licence: " + model.licence + "\n";
    out.text += next_commands(model.path);
    return out;
}

std::string next_commands(const std::string& path) {
    const std::string word = shell_word(path);
    return fmt::format(
        "next: teetee shard cut --model {} --shards 2 --out shards\n"
        "  or: teetee up --model {}\n",
        word, word);
}

PullReport report_plan(const std::vector<PlannedFile>& files, const std::string& licence) {
    PullReport out;
    boost::json::array list;
    uint64_t total = 0;
    for (const PlannedFile& file : files) {
        boost::json::object entry = {{"url", file.url}, {"file", file.path}};
        entry["bytes"] = file.bytes ? boost::json::value(*file.bytes) : boost::json::value();
        entry["digest"] =
            file.digest ? boost::json::value(digest_text(*file.digest)) : boost::json::value();
        list.push_back(std::move(entry));
        total += file.bytes.value_or(0);
        out.text += fmt::format("{:>10}  {}\n            from {}\n",
                                file.bytes ? model::show_byte_count(*file.bytes) : "?", file.path,
                                file.url);
    }
    out.text +=
        fmt::format("{:>10}  in all{}; nothing was fetched\n", model::show_byte_count(total),
                    licence.empty() ? "" : ", licence: " + licence);
    out.json = {
        {"dry_run", true}, {"files", std::move(list)}, {"bytes", total}, {"licence", licence}};
    return out;
}

}  // namespace teetee::cli
