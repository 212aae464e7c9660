// SPDX-License-Identifier: Apache-2.0
#include "cli/client_flags.hpp"

#include <mutex>

#include <fmt/format.h>

namespace teetee::cli {
namespace {

/// Commands' collateral is asked for by one thread; here several verify entries.
class SharedCollateral final : public attest::CollateralSource {
  public:
    explicit SharedCollateral(std::shared_ptr<attest::CollateralSource> source)
        : source_(std::move(source)) {}

    std::shared_ptr<const attest::VerifiedCollateral> find(
        const attest::PlatformId& platform) override {
        const std::lock_guard lock(mutex_);
        return source_->find(platform);
    }
    void want(const attest::PlatformId& platform) override {
        const std::lock_guard lock(mutex_);
        source_->want(platform);
    }
    uint64_t version() const override {
        const std::lock_guard lock(mutex_);
        return source_->version();
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<attest::CollateralSource> source_;
};

}  // namespace

void ClientFlags::add_to(CLI::App& command) {
    NetworkFiles::add_to(command);
    payment.add_to(command);
    collateral.add_services_to(command);
    command
        .add_option("--entry", entries,
                    "URL of an entry's attested API, https://HOST:PORT; with --sealed of any of "
                    "its APIs. May be repeated: where one does not answer, the next one does; "
                    "others are learned from them")
        ->delimiter(',')
        ->envname("TEETEE_ENTRY");
    command
        .add_option("--patience-seconds", patience_s,
                    "How long an answer may wait for an entry that begins or goes on with it")
        ->capture_default_str()
        ->check(CLI::Range(0, 3600));
    command
        .add_option("--silence-seconds", silence_s,
                    "How long an entry may say nothing until another one is asked; one that is "
                    "busy says so every 8 s")
        ->capture_default_str()
        ->check(CLI::Range(1, 3600));
    command.add_flag("--sealed", sealed,
                     "Seal requests to the key in the entry's evidence, instead of attested TLS");
}

Result<ClientSetting> ClientSetting::open(const ClientFlags& flags, Duration verified_for) {
    ClientSetting out;
    TT_TRY(out.payment, flags.payment.open(flags));
    TT_TRY(out.terms, NetworkTerms::load(flags));
    out.payment.complete(out.terms);
    TT_TRY(auto terms, out.terms.for_client());
    terms.collateral = std::make_shared<SharedCollateral>(std::move(terms.collateral));
    client::Entries::Options entries;
    entries.urls = flags.entries;
    entries.privacy = flags.sealed ? client::Privacy::sealed : client::Privacy::attested_tls;
    if (entries.urls.empty()) {
        entries.urls = {flags.sealed ? fmt::format("http://127.0.0.1:{}", flags.port)
                                     : fmt::format("https://127.0.0.1:{}", flags.port + 1)};
    }
    for (std::string& url : entries.urls) {
        while (url.ends_with('/')) url.pop_back();
    }
    entries.terms = std::make_shared<client::Terms>(std::move(terms));
    entries.silence_max = std::chrono::seconds(flags.silence_s);
    entries.verified_for = verified_for;
    out.options = {.entries = std::make_shared<client::Entries>(std::move(entries)),
                   .patience = std::chrono::seconds(flags.patience_s),
                   .payer = out.payment.payer};
    return out;
}

}  // namespace teetee::cli
