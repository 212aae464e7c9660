// SPDX-License-Identifier: Apache-2.0
#include "api/metrics.hpp"

#include <string>
#include <string_view>

namespace teetee::api {

net::HttpResponse metrics(const node::NodeStatus& status) {
    const pipeline::Counters& counters = status.counters;
    const struct {
        std::string_view name;
        std::string_view type;
        std::string_view help;
        uint64_t value;
    } samples[] = {
        {"ready", "gauge", "1 while every layer is served", status.ready ? 1u : 0u},
        {"requests_active", "gauge", "Requests being computed", status.active_count},
        {"requests_queued", "gauge", "Requests that wait for KV memory", status.queued_count},
        {"prompt_tokens_total", "counter", "Prompt tokens computed", counters.prompt_tokens},
        {"cached_tokens_total", "counter", "Prompt tokens taken from the prefix cache",
         counters.cached_tokens},
        {"completion_tokens_total", "counter", "Tokens delivered", counters.completion_tokens},
        {"tokens_drafted_total", "counter", "Tokens guessed ahead", counters.tokens_drafted},
        {"drafts_right_total", "counter", "Of these, tokens that led to a further one",
         counters.drafts_right},
        {"model_tokens_drafted_total", "counter", "Of those guessed ahead, the draft model's",
         counters.model_tokens_drafted},
        {"model_drafts_right_total", "counter", "Of these, tokens that led to a further one",
         counters.model_drafts_right},
        {"drafts_late_total", "counter", "Drafts that were not there in time",
         counters.drafts_late},
        {"batches_total", "counter", "Batches computed", counters.batches},
        {"routes", "gauge", "Routes that are ready", status.routes.size()},
        {"reroutes_total", "counter", "Times that a request went on over another route",
         counters.reroutes},
        {"resumes_total", "counter", "Of these, times with what the nodes had computed before",
         counters.resumes},
        {"rows_replayed_total", "counter", "Rows sent once more without being computed",
         counters.rows_replayed},
        {"requests_failed_total", "counter", "Requests given up", counters.sequences_failed},
        {"kv_positions", "gauge", "Positions of the KV cache", status.kv_positions},
        {"kv_positions_free", "gauge", "Of these, neither reserved nor retained",
         status.kv_positions_free},
        {"prefix_pages", "gauge", "Pages that the prefix cache retains", status.prefix_pages},
        {"prefix_pages_retained_total", "counter", "Pages taken into the prefix cache",
         counters.prefix_pages_retained},
        {"prefix_pages_evicted_total", "counter", "Pages given up for new requests",
         counters.prefix_pages_evicted},
        {"prefixes_unknown_total", "counter", "Requests started over because a node had lost pages",
         counters.prefixes_unknown},
        {"fresh_quotes_missing_total", "counter", "Fresh quotes that receipts do without",
         status.fresh_quotes_missing},
    };
    net::HttpResponse response;
    response.content_type = "text/plain; version=0.0.4";
    for (const auto& sample : samples) {
        const std::string name = "teetee_" + std::string(sample.name);
        response.body += "# HELP " + name + " " + std::string(sample.help) + "\n# TYPE " + name +
                         " " + std::string(sample.type) + "\n" + name + " " +
                         std::to_string(sample.value) + "\n";
    }
    return response;
}

}  // namespace teetee::api
