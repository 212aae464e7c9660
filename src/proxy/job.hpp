// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>

#include "proxy/exchange_writer.hpp"
#include "proxy/server.hpp"

namespace teetee::proxy {

/// What people ask /proxy/status for; from any thread.
class Counters {
  public:
    struct Counts {
        uint64_t requests = 0;
        uint64_t refused = 0;
        uint64_t failed = 0;
        /// Times that another entry went on.
        uint64_t moved = 0;
        uint64_t active = 0;
    };
    void add(uint64_t Counts::*which) {
        const std::lock_guard lock(mutex_);
        ++(counts_.*which);
    }
    void end_active() {
        const std::lock_guard lock(mutex_);
        --counts_.active;
    }
    Counts counts() const {
        const std::lock_guard lock(mutex_);
        return counts_;
    }

  private:
    mutable std::mutex mutex_;
    Counts counts_;
};

/// One request on its way, on a thread of its own.
struct Job {
    const ServerOptions& options;
    Counters& counters;
    Log& log;
    net::HttpRequest request;
    /// What the entry gets as Authorization; "": nothing.
    std::string authorization;
    /// Of every answer: an id, and what lets a page in a browser read it.
    net::HttpHeaders page_headers;
    ExchangeWriter& writer;
};

/// Says of an answer which entry gives it and what was verified of that.
net::HttpHeaders headers_of(const Job& job, const client::Entries::Opened& entry);

/// Of an answer that is none; of an error that came in the middle of a stream the one that the
/// entry would have answered with.
int status_of(const client::Refusal& refusal);
/// Before anything was answered: as the entry has refused, or else why there is no answer.
void respond_failure(Job& job, const Error& error, const std::optional<client::Refusal>& refusal);
/// The end of a stream that is not whole.
void end_stream_with(Job& job, const Error& error, const std::optional<client::Refusal>& refusal);

/// Of the header of a request, what an entry is told.
net::HttpHeaders entry_headers(const Job& job);
/// Of the header of an entry's answer, what an application is told.
net::HttpHeaders passed_headers(const net::HttpHeaders& headers);

/// An answer that another entry can go on with; false where the request is none that asks for one,
/// and nothing was done.
bool answer_resumably(Job& job);
/// Whatever it is, to an entry and back.
void pass_on(Job& job);

}  // namespace teetee::proxy
