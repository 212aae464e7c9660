// SPDX-License-Identifier: Apache-2.0
#include "api/metrics.hpp"

#include <string>

#include "api/metric_page.hpp"
#include "api/process_status.hpp"
#include "base/bytes.hpp"

namespace teetee::api {
namespace {

using Report = node::NodeReport;

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

double timestamp(UnixSeconds at) {
    return static_cast<double>(at);
}

uint64_t flag(bool value) {
    return value ? 1 : 0;
}

/// "0-3": first and last layer.
std::string stage_name(LayerRange layers) {
    return std::to_string(layers.begin) + "-" + std::to_string(layers.end - 1);
}

/// As much of it as tells the nodes of a network apart.
std::string peer_name(const wire::NodeId& id) {
    return "0x" + to_hex(id).substr(0, 16);
}

void add_node(const MetricSources& sources, const Report& report, MetricPage& page) {
    const std::string& software = sources.node.statement().software_version;
    page.add("teetee_build_info", uint64_t{1},
             {software.substr(software.find(' ') + 1), report.entry ? "entry" : "stage",
              stage_name(report.stage.layers)});
    page.add("teetee_ready", flag(report.ready));
    page.add("teetee_draining", flag(report.is_draining));
    page.add("teetee_simulated", flag(sources.node.simulated()));
    page.add("teetee_routes", report.stage.routes);
    page.add("teetee_evidence_expiry_timestamp_seconds", timestamp(report.evidence_ends));
    if (report.collateral_ends)
        page.add("teetee_collateral_expiry_timestamp_seconds", timestamp(*report.collateral_ends));
}

void add_stage(const Report& report, MetricPage& page) {
    const Report::Stage& stage = report.stage;
    const std::string name = stage_name(stage.layers);
    page.add("teetee_stage_compute_seconds", stage.meter.compute, {name});
    if (!report.entry) {
        page.add("teetee_stage_wait_seconds", stage.meter.wait, {name});
        page.add("teetee_stage_batches_queued", stage.batches_queued, {name});
        page.add("teetee_stage_bytes_queued", stage.bytes_queued, {name});
    }
    page.add("teetee_stage_wire_seconds_total", seconds(report.traffic.send_time), {name, "send"});
    page.add("teetee_stage_wire_seconds_total", seconds(report.traffic.receive_time),
             {name, "receive"});
    page.add("teetee_stage_wire_bytes_total", report.traffic.bytes_sent, {name, "send"});
    page.add("teetee_stage_wire_bytes_total", report.traffic.bytes_received, {name, "receive"});
    page.add("teetee_stage_wire_frames_total", report.traffic.frames_sent, {name, "send"});
    page.add("teetee_stage_wire_frames_total", report.traffic.frames_received, {name, "receive"});
    page.add("teetee_stage_batch_rows", stage.meter.rows, {name});
    page.add("teetee_stage_rows_total", stage.counters.rows, {name});
    page.add("teetee_stage_sequences", stage.sequences, {name});
    page.add("teetee_stage_kv_pages", stage.kv_capacity.positions / stage.page_positions, {name});
    page.add("teetee_stage_kv_pages_free", stage.kv_free.positions / stage.page_positions, {name});
    page.add("teetee_stage_rows_dropped_total", stage.counters.rows_dropped, {name});
    page.add("teetee_stage_messages_dropped_total", stage.counters.messages_dropped, {name});
    page.add("teetee_batches_total", stage.counters.batches);
    page.add("teetee_rows_replayed_total", stage.counters.rows_replayed);
    page.add("teetee_requests_failed_total", stage.counters.sequences_failed);
    page.add("teetee_prefixes_unknown_total", stage.counters.prefixes_unknown);
    page.add("teetee_kv_positions", stage.kv_capacity.positions);
    page.add("teetee_kv_positions_free", stage.kv_free.positions);
    page.add("teetee_prefix_pages", stage.pages_retained);
}

void add_routes(const Report::Entry& entry, MetricPage& page) {
    size_t number = 0;
    for (const Report::Entry::Route& route : entry.routes) {
        const std::string name = std::to_string(++number);
        page.add("teetee_route_round_trip_seconds", seconds(route.round_trip), {name});
        for (const Report::Entry::Hop& hop : route.hops) {
            page.add("teetee_route_stage_kv_positions", hop.positions_max,
                     {name, stage_name(hop.layers)});
            page.add("teetee_route_stage_kv_positions_free", hop.positions_free,
                     {name, stage_name(hop.layers)});
        }
    }
}

void add_entry(const Report& report, MetricPage& page) {
    if (!report.entry) return;
    const Report::Entry& entry = *report.entry;
    const pipeline::Counters& counters = report.stage.counters;
    page.add("teetee_requests_active", entry.requests_active);
    page.add("teetee_requests_queued", entry.requests_queued);
    page.add("teetee_request_queue_seconds", entry.meter.queue);
    page.add("teetee_batch_pass_seconds", entry.meter.pass);
    page.add("teetee_batches_in_flight", entry.batches_in_flight);
    page.add("teetee_prompt_tokens_total", counters.prompt_tokens);
    page.add("teetee_cached_tokens_total", counters.cached_tokens);
    page.add("teetee_completion_tokens_total", counters.completion_tokens);
    page.add("teetee_tokens_drafted_total", counters.tokens_drafted);
    page.add("teetee_drafts_right_total", counters.drafts_right);
    page.add("teetee_model_tokens_drafted_total", counters.model_tokens_drafted);
    page.add("teetee_model_drafts_right_total", counters.model_drafts_right);
    page.add("teetee_drafts_late_total", counters.drafts_late);
    page.add("teetee_reroutes_total", counters.reroutes);
    page.add("teetee_resumes_total", counters.resumes);
    page.add("teetee_prefix_pages_retained_total", counters.prefix_pages_retained);
    page.add("teetee_prefix_pages_evicted_total", counters.prefix_pages_evicted);
    page.add("teetee_fresh_quotes_missing_total", entry.fresh_quotes_missing);
    page.add("teetee_nodes_unregistered", entry.nodes_unregistered);
    add_routes(entry, page);
}

void add_peers(const Report& report, MetricPage& page) {
    for (const Report::Peer& peer : report.peers) {
        const std::string name = peer_name(peer.node_id);
        page.add("teetee_peer_up", flag(peer.is_linked), {name, stage_name(peer.layers)});
        if (peer.round_trip)
            page.add("teetee_peer_round_trip_seconds", seconds(*peer.round_trip), {name});
        page.add("teetee_peer_links_total", peer.links, {name});
        for (const auto& [code, count] : peer.failures)
            page.add("teetee_peer_failures_total", count, {name, std::string(to_string(code))});
        page.add("teetee_peer_sent_bytes_total", peer.traffic.bytes_sent, {name});
        page.add("teetee_peer_received_bytes_total", peer.traffic.bytes_received, {name});
        if (peer.evidence_ends) {
            page.add("teetee_peer_evidence_expiry_timestamp_seconds",
                     timestamp(*peer.evidence_ends), {name});
        }
        if (peer.collateral_ends) {
            page.add("teetee_peer_collateral_expiry_timestamp_seconds",
                     timestamp(*peer.collateral_ends), {name});
        }
    }
    for (const auto& [code, count] : report.handshakes.refused)
        page.add("teetee_links_refused_total", count, {std::string(to_string(code))});
    for (const auto& [code, count] : report.handshakes.dials_failed)
        page.add("teetee_dials_failed_total", count, {std::string(to_string(code))});
}

void add_http(const HttpMeter& http, MetricPage& page) {
    for (const auto& [key, count] : http.requests) {
        const auto& [route, status] = key;
        page.add("teetee_http_requests_total", count,
                 {std::string(route), status == 0 ? "gone" : std::to_string(status) + "xx"});
    }
    page.add("teetee_http_requests_in_flight", http.in_flight);
    page.add("teetee_http_request_seconds", http.request);
    page.add("teetee_first_token_seconds", http.first_token);
    page.add("teetee_answer_tokens_per_second", http.token_rate);
}

void add_till(const node::MoneyReport::Till& till, MetricPage& page) {
    page.add("teetee_answers_held", till.answers_held);
    page.add("teetee_credits", till.credits_held, {"held"});
    if (till.totals) {
        const billing::LedgerTotals& totals = *till.totals;
        page.add("teetee_credits", totals.unsettled, {"unsettled"});
        page.add("teetee_credits", totals.settling, {"settling"});
        page.add("teetee_credits", totals.settled, {"settled"});
        page.add("teetee_credits", totals.given_up, {"given_up"});
        page.add("teetee_credits_charged_total",
                 totals.unsettled + totals.settling + totals.settled + totals.given_up);
        page.add("teetee_charges_total", totals.charges);
    }
    if (till.vouchers_open) page.add("teetee_vouchers_open", uint64_t{*till.vouchers_open});
    if (till.voucher_openings) {
        page.add("teetee_vouchers_opened_total", till.voucher_openings->opened);
        for (const auto& [code, count] : till.voucher_openings->refused) {
            page.add("teetee_voucher_openings_refused_total", count,
                     {std::string(to_string(code))});
        }
        for (const auto& [code, count] : till.voucher_openings->failed)
            page.add("teetee_voucher_openings_failed_total", count, {std::string(to_string(code))});
    }
    page.add("teetee_settlements_total", till.settlements);
    page.add("teetee_settlements_announced", till.settlements_announced);
    if (till.settled_at)
        page.add("teetee_settlement_timestamp_seconds", timestamp(*till.settled_at));
    if (till.wallet_wei) page.add("teetee_wallet_wei", *till.wallet_wei);
    if (till.gas_price_wei) page.add("teetee_gas_price_wei", *till.gas_price_wei);
}

void add_money(const node::MoneyReport& money, MetricPage& page) {
    page.add("teetee_chain_following", flag(money.is_following));
    page.add("teetee_chain_head_block", money.head_block);
    page.add("teetee_chain_settled_block", money.settled_block);
    if (money.unconfirmed)
        page.add("teetee_chain_unconfirmed_seconds", seconds(*money.unconfirmed));
    page.add("teetee_chain_reorganisations_total", money.reorganisations);
    if (money.transactions_in_flight)
        page.add("teetee_transactions_in_flight", uint64_t{*money.transactions_in_flight});
    if (money.are_transactions_stuck)
        page.add("teetee_transactions_stuck", flag(*money.are_transactions_stuck));
    if (money.till) add_till(*money.till, page);
}

void add_process(UnixSeconds now, MetricPage& page) {
    const auto status = read_process_status(now);
    if (!status) return;
    page.add("process_resident_memory_bytes", status->resident_bytes);
    page.add("process_open_fds", status->open_files);
    page.add("process_max_fds", status->files_max);
    page.add("process_threads", status->threads);
    page.add("process_cpu_seconds_total", status->cpu_s);
    page.add("process_start_time_seconds", status->started_at);
}

}  // namespace

net::HttpResponse metrics(const MetricSources& sources) {
    const Report report = sources.node.report();
    MetricPage page;
    add_node(sources, report, page);
    add_stage(report, page);
    add_entry(report, page);
    add_peers(report, page);
    if (sources.http != nullptr) add_http(*sources.http, page);
    if (sources.money) add_money(sources.money(), page);
    add_process(sources.clock.unix_now(), page);
    net::HttpResponse response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = page.text();
    return response;
}

}  // namespace teetee::api
