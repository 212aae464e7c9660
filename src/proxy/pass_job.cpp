// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/parse.hpp>

#include "client/answer_shape.hpp"
#include "client/partial_answer.hpp"
#include "net/rest.hpp"
#include "proxy/job.hpp"
#include "proxy/limits.hpp"

namespace teetee::proxy {
namespace {

/// Signed for where an answer that comes as a whole has no limit that is known here.
constexpr uint64_t tokens_default = 1024;
/// Between two turns of all entries.
constexpr Duration rest_time = std::chrono::milliseconds(500);

/// Takes the comments on payment out of a stream: they are between the entry and who pays.
class CommentFilter {
  public:
    using OnStanding = std::function<void(const billing::Standing&)>;
    explicit CommentFilter(OnStanding on_standing) : on_standing_(std::move(on_standing)) {}

    /// What of it is to be passed on; a line only when its end is there.
    std::string feed(std::string_view chunk) {
        buffer_ += chunk;
        std::string out;
        size_t begin = 0;
        for (size_t end = buffer_.find('\n'); end != std::string::npos;
             end = buffer_.find('\n', begin)) {
            const auto line = std::string_view(buffer_).substr(begin, end - begin);
            begin = end + 1;
            if (const auto standing = client::parse_standing_comment(line)) {
                on_standing_(*standing);
            } else {
                out.append(line).append("\n");
            }
        }
        buffer_.erase(0, begin);
        // What is longer is no such comment.
        if (buffer_.size() > comment_bytes_max) out += std::exchange(buffer_, {});
        return out;
    }
    std::string finish() { return std::exchange(buffer_, {}); }

  private:
    OnStanding on_standing_;
    std::string buffer_;
};

class PassJob {
  public:
    explicit PassJob(Job& job) : job_(job) {
        boost::system::error_code failed;
        const auto body = boost::json::parse(job.request.body, failed);
        if (failed || !body.is_object()) return;
        const auto& object = body.get_object();
        prompt_bytes_ = client::prompt_bytes_of(object);
        const auto count = static_cast<uint64_t>(
            std::min<int64_t>(client::answer_count_of(object), int64_t{choices_max}));
        const auto* stream = object.if_contains("stream");
        const bool is_stream = stream != nullptr && stream->is_bool() && stream->get_bool();
        const uint64_t most = client::tokens_max_of(object);
        // What streams is raised as it comes.
        tokens_ = is_stream ? 0 : count * (most == 0 ? tokens_default : most);
    }

    void run() {
        const SystemClock clock;
        // From when the first one has failed.
        Instant give_up_at = clock.now();
        std::optional<Error> first;
        while (!job_.writer.stop().stop_requested()) {
            for (const std::string& url : urls()) {
                const bool is_time_up = first && clock.now() >= give_up_at;
                if (is_time_up && !job_.options.entries->is_named(url)) continue;
                const auto done = try_at(url);
                if (done || job_.writer.has_begun()) return;
                if (!first) give_up_at = clock.now() + job_.options.patience;
                if (!first) first = done.error();
                if (!is_of_the_way(done.error().code))
                    return respond_failure(job_, done.error(), {});
            }
            if (clock.now() >= give_up_at) break;
            net::rest(rest_time);
        }
        if (first && !job_.writer.has_begun()) respond_failure(job_, *first, {});
    }

  private:
    /// Another entry, or the same one a moment later, may do better.
    static bool is_of_the_way(ErrorCode code) {
        return code != ErrorCode::unsupported && code != ErrorCode::payment_required &&
               code != ErrorCode::voucher_exhausted && code != ErrorCode::voucher_ended &&
               code != ErrorCode::voucher_unknown && code != ErrorCode::host_unknown &&
               code != ErrorCode::invalid_argument && code != ErrorCode::limit_exceeded;
    }

    std::vector<std::string> urls() const {
        auto out = job_.options.entries->urls();
        const auto first = std::ranges::find(out, job_.options.entries->preferred());
        if (first != out.end()) std::rotate(out.begin(), first, out.end());
        return out;
    }

    /// Errors where nothing was answered.
    Result<void> try_at(const std::string& url) {
        TT_TRY(const auto entry, job_.options.entries->open(url));
        job_.options.entries->learn(entry->entry);
        std::unique_ptr<client::AnswerPayment> payment;
        while (!job_.writer.stop().stop_requested()) {
            auto headers = entry_headers(job_);
            if (payment) {
                const client::Purchase purchase = {job_.request.body, prompt_bytes_, tokens_};
                const auto claim = payment->pay(entry->entry, purchase);
                if (!claim && payment->tries_again(claim.error().code)) continue;
                if (!claim) return claim.error();
                headers.emplace(billing::payment_header_name, billing::encode_payment(*claim));
            }
            const auto sent = send(*entry, std::move(headers), payment.get());
            if (!sent) job_.options.entries->forget(entry);
            if (!sent) return sent.error();
            if (sent->status != 402 && sent->status != 401) return {};
            // Held back, in case that it can be paid for.
            const bool may_pay = job_.options.payer != nullptr && sent->status == 402;
            if (may_pay && !payment) {
                payment = job_.options.payer->begin();
                continue;
            }
            const auto code = client::read_entry_error(sent->beginning).error.code;
            if (payment && payment->tries_again(code)) continue;
            respond_failure(job_, fail(code, "refused"),
                            client::Refusal{sent->status, sent->headers, sent->beginning});
            return {};
        }
        return fail(ErrorCode::cancelled, "the client has gone");
    }

    /// Passes the answer on as it comes, but for refusals over money.
    Result<client::VerifiedEntry::Answer> send(const client::Entries::Opened& entry,
                                               net::HttpHeaders headers,
                                               client::AnswerPayment* payment) {
        CommentFilter comments([&](const billing::Standing& standing) {
            if (payment != nullptr) payment->on_standing(entry.entry, standing);
        });
        bool is_held_back = false;
        bool is_stream = false;
        bool is_too_large = false;
        std::string body;
        const auto take = [&](const client::VerifiedEntry::Answer& head) {
            is_held_back = head.status == 402 || head.status == 401;
            const auto type = head.headers.find("content-type");
            is_stream = type != head.headers.end() && type->second.starts_with("text/event-stream");
            if (is_stream && !is_held_back) {
                net::HttpHeaders all = headers_of(job_, entry);
                all.merge(passed_headers(head.headers));
                job_.writer.begin(head.status, type->second, std::move(all));
            }
        };
        const auto answer = entry.entry.send({.method = job_.request.method,
                                              .path = job_.request.target,
                                              .body = job_.request.body,
                                              .headers = std::move(headers),
                                              .on_head = take,
                                              .on_body =
                                                  [&](std::string_view chunk) {
                                                      if (is_held_back) return true;
                                                      if (is_stream) {
                                                          job_.writer.write(comments.feed(chunk));
                                                          return true;
                                                      }
                                                      body += chunk;
                                                      is_too_large =
                                                          body.size() > passed_body_bytes_max;
                                                      return !is_too_large;
                                                  },
                                              .stop = job_.writer.stop()});
        // A stream that is cut stays cut.
        if (!answer) return answer;
        if (is_too_large) return fail(ErrorCode::limit_exceeded, "the answer is too large");
        job_.options.entries->prefer(entry.entry.url());
        if (is_held_back) return answer;
        if (is_stream) {
            if (std::string rest = comments.finish(); !rest.empty())
                job_.writer.write(std::move(rest));
            job_.writer.finish();
            return answer;
        }
        net::HttpResponse response;
        response.status = answer->status;
        response.headers = headers_of(job_, entry);
        response.headers.merge(passed_headers(answer->headers));
        const auto type = answer->headers.find("content-type");
        if (type != answer->headers.end()) response.content_type = type->second;
        response.body = std::move(body);
        job_.writer.respond(std::move(response));
        return answer;
    }

    Job& job_;
    size_t prompt_bytes_ = 0;
    uint64_t tokens_ = 0;
};

}  // namespace

void pass_on(Job& job) {
    PassJob(job).run();
}

}  // namespace teetee::proxy
