// SPDX-License-Identifier: Apache-2.0
#include <boost/json/serialize.hpp>

#include "base/strict_json.hpp"
#include "proxy/answer_editor.hpp"
#include "proxy/job.hpp"

namespace teetee::proxy {
namespace {

/// As an entry reads it; what this refuses is passed on, for the entry to refuse.
constexpr JsonLimits body_limits = {.bytes_max = 64u << 20, .depth_max = 64};

constexpr std::string_view receipts_path = "/v1/receipts/";

class AnswerJob {
  public:
    AnswerJob(Job& job, const AskedAnswer& asked)
        : job_(job), asked_(asked), editor_(asked), collector_(asked.shape) {}

    void run(boost::json::object body) {
        client::Client client({.entries = job_.options.entries,
                               .patience = job_.options.patience,
                               .payer = job_.options.payer});
        client::Client::Events events;
        events.on_asked = [this](const client::Entries::Opened& entry, size_t known_count) {
            headers_ = headers_of(job_, entry);
            editor_.on_part(known_count);
        };
        events.on_moved = [this](const std::string& url, size_t token_count, const Error& why) {
            job_.counters.add(&Counters::Counts::moved);
            job_.log.warn(url + " goes on with an answer behind token " +
                          std::to_string(token_count) + ": " + std::string(to_string(why.code)));
        };
        events.on_event = [this](const boost::json::object& event) { on_event(event); };
        events.on_comment = [this](std::string_view line) {
            if (!asked_.is_stream) return;
            begin();
            job_.writer.write(std::string(line) + "\n\n");
        };
        const auto parts = client.ask({.path = job_.request.target,
                                       .body = entry_request(asked_, std::move(body)),
                                       .headers = entry_headers(job_),
                                       .stop = job_.writer.stop()},
                                      events);
        if (!parts) return fail_with(parts.error(), client.refusal());
        if (failed_) return fail_with(*failed_, {});
        if (asked_.is_stream) {
            begin();
            job_.writer.write("data: [DONE]\n\n");
            return job_.writer.finish();
        }
        if (!parts->back().receipt_path.empty())
            headers_["teetee-receipt"] = parts->back().receipt_path;
        net::HttpResponse response;
        response.headers = headers_;
        response.body = boost::json::serialize(collector_.whole(editor_.seed())) + "\n";
        job_.writer.respond(std::move(response));
    }

  private:
    void on_event(const boost::json::object& event) {
        const auto* id = event.if_contains("id");
        // That of the first part; if there are others, the last event names the last one's.
        if (id != nullptr && id->is_string() && headers_.count("teetee-receipt") == 0)
            headers_["teetee-receipt"] = std::string(receipts_path) + std::string(id->get_string());
        const auto edited = editor_.edit(event);
        if (!edited) return;
        if (asked_.is_stream) {
            begin();
            job_.writer.write("data: " + boost::json::serialize(*edited) + "\n\n");
        } else if (const auto added = collector_.add(*edited); !added) {
            failed_ = added.error();
        }
    }

    void begin() {
        if (job_.writer.has_begun()) return;
        net::HttpHeaders headers = headers_;
        headers["cache-control"] = "no-store";
        headers["x-accel-buffering"] = "no";
        job_.writer.begin(200, "text/event-stream", std::move(headers));
    }

    void fail_with(const Error& error, const std::optional<client::Refusal>& refusal) {
        if (job_.writer.has_begun()) return end_stream_with(job_, error, refusal);
        respond_failure(job_, error, refusal);
    }

    Job& job_;
    AskedAnswer asked_;
    AnswerEditor editor_;
    AnswerCollector collector_;
    net::HttpHeaders headers_;
    std::optional<Error> failed_;
};

}  // namespace

bool answer_resumably(Job& job) {
    if (job.request.method != "POST") return false;
    if (!client::answer_shape_of(job.request.target)) return false;
    auto body = parse_strict_json(job.request.body, body_limits);
    if (!body) return false;
    const auto asked = read_asked_answer(job.request.target, *body);
    if (!asked) return false;
    AnswerJob(job, *asked).run(std::move(body->get_object()));
    return true;
}

}  // namespace teetee::proxy
