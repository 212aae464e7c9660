// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/partial_answer.hpp"
#include "client/payer.hpp"
#include "client/verified_entry.hpp"

namespace teetee::client {

struct ClientOptions {
    /// Entries to begin with, at least one, the one to be asked first in front; the others are
    /// learned from them.
    std::vector<std::string> urls;
    Privacy privacy{};
    std::shared_ptr<const Terms> terms;
    /// How long an answer may go without a token while no entry goes on with it: one that has died
    /// may be started again.
    Duration patience = std::chrono::seconds(15);
    /// As in EntryOptions.
    Duration silence_max = EntryOptions{}.silence_max;
    /// Null: answers are free.
    std::shared_ptr<Payer> payer{};
};

/// What one entry gave of an answer.
struct AnswerPart {
    std::string entry_url;
    size_t token_count = 0;
    /// "" where nothing was computed.
    std::string receipt_path;
    /// It ends where it was no longer paid for.
    bool ended_by_payment = false;
};

/// Asks a network through whichever entry answers. When the connection to one breaks, or it cannot
/// go on, another one is told the request and the tokens that are there, and goes on: the caller
/// sees one answer. No entry is told anything before its evidence has been verified. Waits on the
/// calling thread.
class Client {
  public:
    struct Events {
        std::function<void(std::string_view)> on_text;
        /// This entry, with the route as it is now, is to be asked instead of the one before.
        std::function<void(const std::string& url)> on_opened;
        /// It is to go on behind so many tokens.
        std::function<void(const std::string& url, size_t token_count, const Error& why)> on_moved;
    };

    /// Verifies the route of the first entry that lets it. Error: that of the first.
    static Result<Client> connect(ClientOptions options);

    /// As it was verified last.
    const VerifiedEntry::Route& route() const { return route_; }

    /// `body`: of /v1/chat/completions. The parts of its answer, the last one complete. Errors: the
    /// entry's where the request is at fault; else why the answer was interrupted.
    Result<std::vector<AnswerPart>> ask(const boost::json::object& body, const Events& events);

    /// The entry that was asked last, or is to be asked first; nullptr while there is none.
    const VerifiedEntry* entry() const { return entry_ ? &*entry_ : nullptr; }

    /// Errors: receipt_unknown; receipt_malformed; those of connecting and verifying.
    Result<std::string> fetch_receipt(const AnswerPart& part);

  private:
    /// An answer on its way.
    struct Asking;

    explicit Client(ClientOptions options) : options_(std::move(options)), urls_(options_.urls) {}

    Result<VerifiedEntry> open(const std::string& url, Duration silence_max);
    void learn_entries();
    Result<VerifiedEntry::Answer> post(const boost::json::object& body, const Events& events,
                                       Asking& asking);
    Result<void> go_on(const boost::json::object& body, const Events& events, Asking& asking);
    Result<void> turn_to_next(Asking& asking, const Error& why);

    ClientOptions options_;
    /// In the order in which they are tried, and whose turn it is.
    std::vector<std::string> urls_;
    size_t turn_ = 0;
    /// The one whose turn it is, when it has been verified.
    std::optional<VerifiedEntry> entry_;
    VerifiedEntry::Route route_;
    Instant learned_at_{};
};

}  // namespace teetee::client
