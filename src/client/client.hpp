// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/entries.hpp"
#include "client/partial_answer.hpp"
#include "client/payer.hpp"

namespace teetee::client {

struct ClientOptions {
    /// Those of several clients, or of this one alone.
    std::shared_ptr<Entries> entries;
    /// How long an answer may go without a token while no entry goes on with it: one that has died
    /// may be started again. Each that the user named has a turn whatever it takes, others only
    /// before that is over.
    Duration patience = std::chrono::seconds(15);
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
    /// The body that the entry was sent, and the text that it gave: what its receipt has hashes of.
    std::string request{};
    std::string text{};
};

/// What an entry answered instead of an answer.
struct Refusal {
    /// 0 where it came in the middle of a stream.
    int status = 0;
    net::HttpHeaders headers{};
    /// The beginning of the body: all of it, of an error in the shape of OpenAI's API.
    std::string body;
};

/// Asks a network through whichever entry answers. When the connection to one breaks, or it cannot
/// go on, another one is told the request and the tokens that are there, and goes on: the caller
/// sees one answer. No entry is told anything before its evidence has been verified. Waits on the
/// calling thread.
class Client {
  public:
    struct Question {
        std::string path = "/v1/chat/completions";
        /// Of a path that answer_shape_of knows.
        boost::json::object body;
        net::HttpHeaders headers{};
        /// Ends the answer early, from any thread.
        std::stop_token stop{};
    };
    /// Each may be empty.
    struct Events {
        std::function<void(std::string_view)> on_text{};
        /// As AnswerReader tells them.
        std::function<void(const boost::json::object&)> on_event{};
        std::function<void(std::string_view)> on_comment{};
        /// This entry, with the route as it is now, is to be asked instead of the one before.
        std::function<void(const std::string& url)> on_opened{};
        /// It is to go on behind so many tokens.
        std::function<void(const std::string& url, size_t token_count, const Error& why)>
            on_moved{};
        /// An entry is about to be asked for what is behind so many tokens.
        std::function<void(const Entries::Opened& entry, size_t token_count)> on_asked{};
    };

    /// Begins with the entry that is preferred; verifies it when it is asked.
    explicit Client(ClientOptions options);
    /// Verifies the route of the first entry that lets it. Error: that of the first.
    static Result<Client> connect(ClientOptions options);

    /// As it was verified last.
    const VerifiedEntry::Route& route() const { return route_; }

    /// The parts of the answer, the last one complete. An answer of which nobody can go on with
    /// what has come, several at a time say, is begun by others only as long as nothing of it has
    /// come. Errors: the entry's where the request is at fault; cancelled; else why the answer was
    /// interrupted.
    Result<std::vector<AnswerPart>> ask(const Question& question, const Events& events);
    /// What the entry said that was asked last, where that is why there is no answer.
    const std::optional<Refusal>& refusal() const { return refusal_; }

    /// The entry that was asked last, or is to be asked first; nullptr while there is none.
    const VerifiedEntry* entry() const { return opened_ ? &opened_->entry : nullptr; }

    /// Errors: receipt_unknown; receipt_malformed; those of connecting and verifying.
    Result<std::string> fetch_receipt(const AnswerPart& part);

  private:
    /// An answer on its way.
    struct Asking;

    Result<void> open();
    void choose_urls();
    Result<VerifiedEntry::Answer> post(Asking& asking);
    Result<void> go_on(Asking& asking);
    Result<void> take_end(Asking& asking, const Result<VerifiedEntry::Answer>& answer);
    Result<void> turn_to_next(Asking& asking, const Error& why);

    ClientOptions options_;
    /// In the order in which they are tried, and whose turn it is.
    std::vector<std::string> urls_;
    size_t turn_ = 0;
    /// The one whose turn it is, when it has been verified.
    std::shared_ptr<const Entries::Opened> opened_;
    VerifiedEntry::Route route_;
    std::optional<Refusal> refusal_;
};

}  // namespace teetee::client
