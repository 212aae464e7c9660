// SPDX-License-Identifier: Apache-2.0
#include "net/collateral_cache.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "attest/limits.hpp"
#include "attest/time_text.hpp"
#include "crypto/hash.hpp"
#include "net/limits.hpp"

namespace teetee::net {
namespace {

namespace fs = std::filesystem;

/// In the order of their names.
std::vector<std::string> json_files_in(const std::string& folder) {
    std::vector<std::string> paths;
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        if (at->path().extension() == ".json") paths.push_back(at->path().string());
    }
    std::ranges::sort(paths);
    if (paths.size() > collateral_files_max) paths.resize(collateral_files_max);
    return paths;
}

std::string describe(const attest::VerifiedCollateral& collateral) {
    return "issued " + attest::format_utc(collateral.issued()) + ", until " +
           attest::format_utc(collateral.expires()) + ", evaluation number " +
           std::to_string(collateral.tcb_info.head.evaluation_number);
}

}  // namespace

CollateralCache::CollateralCache(const World& world, CollateralCacheOptions options)
    : world_(world), options_(std::move(options)), shelf_(options_.shelf, world_.rng) {}

CollateralCache::~CollateralCache() = default;

std::shared_ptr<const attest::VerifiedCollateral> CollateralCache::find(
    const attest::PlatformId& platform) {
    const std::scoped_lock lock(mutex_);
    return shelf_.find(platform, world_.clock.unix_now());
}

void CollateralCache::want(const attest::PlatformId& platform) {
    const std::scoped_lock lock(mutex_);
    if (!shelf_.want(platform, world_.clock.unix_now())) return;
    is_woken_ = true;
    woken_.notify_all();
}

uint64_t CollateralCache::version() const {
    const std::scoped_lock lock(mutex_);
    return shelf_.version();
}

std::optional<attest::Collateral> CollateralCache::documents(
    const attest::PlatformId& platform) const {
    const std::scoped_lock lock(mutex_);
    const auto found = documents_.find(platform);
    if (found == documents_.end() || !shelf_.find(platform, world_.clock.unix_now()))
        return std::nullopt;
    return found->second;
}

void CollateralCache::start() {
    thread_ = std::jthread([this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            tend(stop);
            rest(stop);
        }
    });
}

void CollateralCache::tend(const std::stop_token& stop) {
    read_folder();
    while (!options_.services.empty() && !stop.stop_requested()) {
        std::unique_lock lock(mutex_);
        const auto due = shelf_.next_due(world_.clock.unix_now());
        lock.unlock();
        if (!due) break;
        fetch(*due, stop);
    }
    std::unique_lock lock(mutex_);
    const auto notices = shelf_.take_notices(world_.clock.unix_now());
    lock.unlock();
    if (!options_.tells_what_runs_out) return;
    for (const attest::CollateralNotice& notice : notices) tell(notice);
}

void CollateralCache::rest(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    Duration time = options_.poll_time;
    if (const auto due = shelf_.next_due_at(); due && !options_.services.empty()) {
        const UnixSeconds left_s = *due - world_.clock.unix_now();
        time = std::min<Duration>(time, std::chrono::seconds(std::max<UnixSeconds>(1, left_s)));
    }
    woken_.wait_for(lock, stop, time, [this] { return std::exchange(is_woken_, false); });
}

void CollateralCache::read_folder() {
    if (options_.folder.empty()) return;
    const std::vector<std::string> paths = json_files_in(options_.folder);
    std::erase_if(seen_,
                  [&](const auto& one) { return !std::ranges::binary_search(paths, one.first); });
    for (const std::string& path : paths) read_file_at(path);
}

void CollateralCache::read_file_at(const std::string& path) {
    const auto read = [&]() -> Result<void> {
        TT_TRY(const File file, File::open(path));
        const auto [known, is_new] = seen_.try_emplace(path, file.state());
        if (!is_new && known->second == file.state()) return {};
        known->second = file.state();
        TT_TRY(const Bytes text, read_file(path, attest::collateral_bytes_max));
        TT_TRY(const attest::Collateral collateral, attest::parse_collateral(as_text(text)));
        TT_TRY(auto checked, check(collateral));
        return take(std::move(checked), path);
    };
    const auto done = read();
    // A file that is gone since it was listed is none.
    if (done || done.error().code == ErrorCode::not_found) return;
    world_.log.warn("collateral in " + path + " is not used: " + done.error().message());
}

Result<CollateralCache::Checked> CollateralCache::check(
    const attest::Collateral& collateral) const {
    TT_TRY(auto verified,
           attest::verify_collateral(collateral, options_.roots, world_.clock.unix_now()));
    TT_TRY(const auto platform, attest::platform_of(verified));
    const Digest content = crypto::sha256(as_bytes(attest::encode_collateral(collateral)));
    return Checked{std::move(verified), platform, content, collateral};
}

Result<void> CollateralCache::take(Checked checked, const std::string& origin) {
    const std::string text = "collateral for " + to_string(checked.platform) + " from " + origin +
                             ": " + describe(checked.collateral);
    std::unique_lock lock(mutex_);
    TT_TRY(const auto put,
           shelf_.put(std::move(checked.collateral), checked.content, world_.clock.unix_now()));
    if (put == attest::CollateralShelf::Put::taken)
        documents_.insert_or_assign(checked.platform, std::move(checked.documents));
    lock.unlock();
    if (put == attest::CollateralShelf::Put::taken) world_.log.info(text);
    return {};
}

void CollateralCache::fetch(const attest::PlatformId& platform, const std::stop_token& stop) {
    std::optional<Error> failure;
    for (const PcsClient& service : options_.services) {
        auto fetched = fetch_from(service, platform, stop);
        if (stop.stop_requested()) return;
        if (fetched) {
            const std::scoped_lock lock(mutex_);
            return shelf_.on_fetched(platform, world_.clock.unix_now());
        }
        world_.log.warn("collateral for " + to_string(platform) + ": " + fetched.error().message());
        failure = std::move(fetched).error();
    }
    const std::scoped_lock lock(mutex_);
    shelf_.on_failed(platform, *failure, world_.clock.unix_now());
}

Result<void> CollateralCache::fetch_from(const PcsClient& service,
                                         const attest::PlatformId& platform,
                                         const std::stop_token& stop) {
    TT_TRY(const auto collateral,
           service.fetch(platform, attest::TcbUpdate::standard, world_.rng, stop));
    auto checked = check(collateral);
    if (!checked) return in_context(service.url(), std::move(checked).error());
    if (checked->platform != platform) {
        return fail(ErrorCode::collateral_mismatch, service.url() + ": have collateral for " +
                                                        to_string(checked->platform) +
                                                        ", need it for " + to_string(platform));
    }
    if (auto taken = take(std::move(*checked), service.url()); !taken) {
        return in_context(service.url(), std::move(taken).error());
    }
    keep(platform, collateral);
    return {};
}

void CollateralCache::keep(const attest::PlatformId& platform,
                           const attest::Collateral& collateral) {
    if (options_.folder.empty()) return;
    std::error_code failed;
    fs::create_directories(options_.folder, failed);
    const std::string path = options_.folder + "/" + to_string(platform) + ".json";
    const std::string text = attest::encode_collateral(collateral);
    if (const auto written = write_file_atomic(path, as_bytes(text)); !written) {
        world_.log.warn("collateral is not kept: " + written.error().message());
    } else if (const auto file = File::open(path); file) {
        seen_.insert_or_assign(path, file->state());
    }
}

std::string CollateralCache::describe_need() const {
    std::string text;
    for (const PcsClient& service : options_.services) {
        text += (text.empty() ? "an answer from " : " or ") + service.url();
    }
    if (options_.folder.empty()) return text.empty() ? "a service or a folder" : text;
    return text + (text.empty() ? "" : ", or ") + "newer documents in " + options_.folder +
           " ('teetee attest collateral' writes them)";
}

void CollateralCache::tell(const attest::CollateralNotice& notice) {
    const std::string text =
        "collateral for " + to_string(notice.platform) +
        (notice.expired ? " has run out at " : " runs out at ") +
        attest::format_utc(notice.expires) +
        (notice.expired ? " and its nodes are refused" : " and then its nodes are refused") +
        "; need " + describe_need() +
        (notice.last_failure.empty() ? "" : "; the last try: " + notice.last_failure);
    world_.log.write(notice.expired ? LogLevel::error : LogLevel::warn, text);
}

}  // namespace teetee::net
