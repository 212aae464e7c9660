// SPDX-License-Identifier: Apache-2.0
#include "net/configfs_tsm.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/fresh_quote.hpp"
#include "attest/limits.hpp"
#include "net/kernel_file.hpp"

namespace teetee::net {
namespace {

constexpr size_t word_bytes_max = 64;
constexpr int tries_max = 5;
constexpr std::string_view tdx_provider = "tdx_guest";

Error unavailable(std::string detail) {
    return fail(ErrorCode::evidence_unavailable, "configfs-tsm: " + std::move(detail));
}

Result<std::string> read_word(const std::string& path) {
    TT_TRY(const Bytes content, read_kernel_file(path, word_bytes_max));
    std::string word(as_text(content));
    while (word.ends_with('\n')) word.pop_back();
    return word;
}

}  // namespace

Result<std::unique_ptr<ConfigfsTsm>> ConfigfsTsm::open(const std::string& reports) {
    const std::string name = "teetee-" + std::to_string(::getpid());
    for (int i = 0; i < tries_max; ++i) {
        const std::string folder = reports + "/" + name + "-" + std::to_string(i);
        if (::mkdir(folder.c_str(), 0700) == 0) {
            return std::unique_ptr<ConfigfsTsm>(new ConfigfsTsm(folder));
        }
        if (errno == EEXIST) continue;
        const std::string reason = std::strerror(errno);
        return unavailable(folder + ": cannot make it: " + reason +
                           "; need Linux 6.7 or later with CONFIG_TSM_REPORTS in a TDX guest, "
                           "configfs mounted on /sys/kernel/config and the right to write there");
    }
    return unavailable(reports + "/" + name + "-*: have " + std::to_string(tries_max) +
                       " folders, need a free name: remove what an earlier process left");
}

ConfigfsTsm::~ConfigfsTsm() {
    ::rmdir(folder_.c_str());
}

Result<void> ConfigfsTsm::check_provider() const {
    TT_TRY(const std::string provider, read_word(folder_ + "/provider"));
    if (provider == tdx_provider) return {};
    return fail(ErrorCode::unsupported, folder_ + "/provider: have " + quote_foreign(provider) +
                                            ", need " + quote_foreign(tdx_provider));
}

Result<uint64_t> ConfigfsTsm::generation() const {
    TT_TRY(const std::string word, read_word(folder_ + "/generation"));
    uint64_t value = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (failed == std::errc() && end == word.data() + word.size()) return value;
    return fail(ErrorCode::io_failed,
                folder_ + "/generation: have " + quote_foreign(word) + ", need a number");
}

Result<std::optional<Bytes>> ConfigfsTsm::ask(const ByteArray<64>& report_data) const {
    TT_TRY(const uint64_t before, generation());
    TT_CHECK(write_kernel_file(folder_ + "/inblob", report_data));
    TT_TRY(Bytes quote, read_kernel_file(folder_ + "/outblob", attest::quote_bytes_max));
    TT_TRY(const uint64_t after, generation());
    if (after != before + 1) return std::optional<Bytes>();
    return std::optional(std::move(quote));
}

Result<Bytes> ConfigfsTsm::quote(const ByteArray<64>& report_data) {
    if (auto checked = check_provider(); !checked) return unavailable(checked.error().detail);
    for (int i = 0; i < tries_max; ++i) {
        auto quote = ask(report_data);
        if (!quote) return unavailable(quote.error().detail);
        if (!*quote) continue;
        auto fresh = attest::take_fresh_quote(std::move(**quote), report_data);
        if (!fresh) return unavailable(folder_ + ": " + fresh.error().detail);
        return fresh;
    }
    return unavailable(folder_ + ": have another writer at each of " + std::to_string(tries_max) +
                       " tries, need the folder alone");
}

Result<crypto::Secret<32>> ConfigfsTsm::sealing_key(std::string_view) {
    return unavailable(
        "have no key that outlives this process, need a TEE that derives one "
        "(dstack's guest agent does)");
}

}  // namespace teetee::net
