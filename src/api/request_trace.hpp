// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "api/http_meter.hpp"
#include "base/structured_log.hpp"
#include "net/http_server.hpp"

namespace teetee::api {

/// What one answer of a request came to, for log and metrics.
struct AnswerFacts {
    uint32_t prompt_tokens = 0;
    uint32_t cached_tokens = 0;
    uint32_t completion_tokens = 0;
    /// From its submission; nullopt where no token came.
    std::optional<Duration> first_token{};
    /// Behind its first token.
    Duration rest{};
};

/// One request to the API, from its arrival until its answer is whole or its client has gone: then
/// it is counted, and has a line in the log. Neither has anything of what was asked or answered,
/// nor who asked. On the loop's thread only.
class RequestTrace {
  public:
    struct World {
        const Clock& clock;
        /// Answers may end after the API is gone.
        std::shared_ptr<HttpMeter> meter;
        /// Null: none.
        StructuredLog* log = nullptr;
    };
    struct Request {
        /// As x-request-id says it.
        std::string id;
        std::string method;
        /// Of its path; MUST be of a table that outlives the meter.
        std::string_view route;
        bool is_sealed = false;
        /// Asked by programs all the time: its line is for debugging.
        bool is_probe = false;
    };
    RequestTrace(const World& world, Request request);
    RequestTrace(const RequestTrace&) = delete;
    RequestTrace& operator=(const RequestTrace&) = delete;
    ~RequestTrace() { end("cut"); }

    void add_answer(const AnswerFacts& answer);

    void on_status(int status) { status_ = status; }
    /// Of an answer that is an error: in its body, which this node has made.
    void on_error_body(std::string_view body);
    void on_stream() { is_streamed_ = true; }
    /// Of an answer that failed while it was streamed: it is counted by the status that it would
    /// have had.
    void on_failure(int status, std::string_view code) {
        failed_status_ = status;
        error_ = code;
    }
    /// "done", "gone" (the client), "cut" (the answer failed while it was streamed). The first
    /// call counts.
    void end(std::string_view outcome);

    /// Tells the trace of all that goes through the exchange.
    static std::shared_ptr<net::HttpExchange> observe(std::shared_ptr<net::HttpExchange> exchange,
                                                      std::shared_ptr<RequestTrace> trace);

  private:
    void write_line(std::string_view outcome, Duration took);

    World world_;
    Request request_;
    Instant began_at_;
    int status_ = 0;
    int failed_status_ = 0;
    std::string error_;
    bool is_streamed_ = false;
    bool has_ended_ = false;
    size_t answers_ = 0;
    AnswerFacts total_;
};

}  // namespace teetee::api
