// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "attest/limits.hpp"
#include "attest/receipt_check.hpp"
#include "attest/receipt_json.hpp"
#include "cli/anchor_check.hpp"
#include "cli/command.hpp"
#include "cli/network_files.hpp"
#include "client/limits.hpp"
#include "client/partial_answer.hpp"
#include "net/file.hpp"
#include "net/http_client.hpp"

namespace teetee::cli {
namespace {

struct VerifyOptions : NetworkFiles {
    std::string receipt;
    std::string request;
    std::string answer;
    /// Of the entry, or the file with what it says of the anchor.
    std::string anchor;
    std::vector<std::string> rpc_urls;
    bool needs_fresh_quotes = false;
};

constexpr size_t body_bytes_max = 64u << 20;

/// The signed records name the route's version: each lost route made another one.
Epoch epoch_of(const attest::Receipt& receipt) {
    return receipt.stages.empty() ? 0 : receipt.stages.front().record.epoch;
}

boost::json::value anchor_json(const AnchorCheck& anchored) {
    if (!anchored.record) return nullptr;
    return boost::json::object{
        {"chain_id", anchored.anchor->deployment.chain_id},
        {"contract", chain::to_checksum_text(anchored.anchor->deployment.contract)},
        {"entry_node", anchored.anchor->entry_node},
        {"receipts_root", "0x" + to_hex(anchored.anchor->receipts_root)},
        {"block", anchored.record->block},
        {"paid", anchored.record->paid.to_decimal()}};
}

Result<std::string> anchor_text(const std::string& where, const RequestId& request) {
    if (!where.starts_with("http://") && !where.starts_with("https://")) {
        TT_TRY(const Bytes text, net::read_file(where, client::payment_answer_bytes_max));
        return std::string(as_text(text));
    }
    net::HttpClientRequest asked;
    asked.url = where + "/v1/receipts/" + to_hex(request.bytes) + "/anchor";
    asked.response_bytes_max = client::payment_answer_bytes_max;
    if (where.starts_with("https://"))
        asked.verify_certificate = [](ByteView) -> Result<void> { return {}; };
    TT_TRY(auto answer, net::http_fetch(asked));
    if (answer.status != 200) return client::read_entry_error(answer.body).error;
    return std::move(answer.body);
}

/// In the order of the report, passed or not.
void print_checks(const attest::Receipt& receipt, const attest::ReceiptReport& report,
                  const std::optional<AnchorCheck>& anchor) {
    std::string out =
        fmt::format("answer of {} tokens to {} ({} from the prefix cache), {} stages\nmodel 0x{}\n",
                    receipt.completion_tokens, receipt.prompt_tokens, receipt.cached_tokens,
                    receipt.stages.size(), to_hex(receipt.model_root));
    if (const Epoch epoch = epoch_of(receipt); epoch > 1)
        out += fmt::format("epoch {}: {} routes before this one were lost or had no room\n", epoch,
                           epoch - 1);
    if (const auto format = receipt.opening.sampling.activations; format != ActivationFormat::f32)
        out += fmt::format("activations between shards rounded to {}\n", to_string(format));
    for (const attest::ReceiptCheck& check : report.checks) {
        out += fmt::format("{}  {}\n", check.error ? "FAIL" : "  ok", check.what);
        if (check.error) out += fmt::format("      {}\n", check.error->message());
    }
    if (!anchor) {
        out += receipt.payment.charged != 0
                   ? "   -  chain: not looked at; --anchor and --rpc do\n"
                   : "   -  chain: answers that cost nothing are anchored on none\n";
    } else if (anchor->record) {
        out += fmt::format(
            "      block {}, in a settlement of {} credits; charged for this "
            "answer: {}\n",
            anchor->record->block, anchor->record->paid.to_decimal(), receipt.payment.charged);
    }
    if (report.simulated) out += fmt::format("{}\n", attest::simulated_notice);
    out += report.is_accepted() ? "accept\n" : "reject\n";
    print_text(out);
}

bool has_fresh_quote(const attest::ReceiptStage& stage) {
    return stage.fresh_quote && *stage.fresh_quote;
}

boost::json::object report_json(const attest::Receipt& receipt, const attest::ReceiptReport& report,
                                const std::optional<AnchorCheck>& anchor) {
    boost::json::array checks;
    for (const attest::ReceiptCheck& check : report.checks) {
        boost::json::object entry = {{"check", check.what}, {"passed", !check.error}};
        if (check.error) {
            entry["error"] = {{"code", to_string(check.error->code)},
                              {"detail", check.error->detail}};
        }
        checks.push_back(std::move(entry));
    }
    return {{"verdict", report.is_accepted() ? "accept" : "reject"},
            {"simulated", report.simulated},
            {"model_root", "0x" + to_hex(receipt.model_root)},
            {"request", "0x" + to_hex(receipt.request.bytes)},
            {"stages", receipt.stages.size()},
            {"epoch", epoch_of(receipt)},
            {"activations", to_string(receipt.opening.sampling.activations)},
            {"prompt_tokens", receipt.prompt_tokens},
            {"cached_tokens", receipt.cached_tokens},
            {"completion_tokens", receipt.completion_tokens},
            {"finished_at", receipt.finished_at},
            {"fresh_quotes", std::ranges::count_if(receipt.stages, has_fresh_quote)},
            {"anchor", anchor ? anchor_json(*anchor) : nullptr},
            {"checks", std::move(checks)}};
}

Result<void> verify(const VerifyOptions& options, Session& session) {
    TT_TRY(const auto text, net::read_file(options.receipt, attest::receipt_bytes_max));
    TT_TRY(const auto receipt, attest::parse_receipt(as_text(text)));
    TT_TRY(const auto terms, NetworkTerms::load(options));
    attest::ReceiptExpectation expectation{.peers = terms.expectation(),
                                           .layer_count = terms.manifest.layer_count,
                                           .needs_fresh_quotes = options.needs_fresh_quotes};
    Bytes request;
    Bytes answer;
    if (!options.request.empty()) {
        TT_TRY(request, net::read_file(options.request, body_bytes_max));
        expectation.request = request;
    }
    if (!options.answer.empty()) {
        TT_TRY(answer, net::read_file(options.answer, body_bytes_max));
        expectation.answer = answer;
    }
    TT_TRY(const auto collateral, terms.open_collateral(receipt.finished_at));
    expectation.collateral = collateral.get();
    auto report = attest::check_receipt(receipt, expectation, terms.policy);
    std::optional<AnchorCheck> anchor;
    if (!options.anchor.empty()) {
        TT_TRY(anchor, check_anchor(anchor_text(options.anchor, receipt.request), receipt, terms,
                                    options.rpc_urls));
        report.checks.push_back(anchor->check);
    }
    if (session.json)
        print_json(report_json(receipt, report, anchor));
    else
        print_checks(receipt, report, anchor);
    if (!report.is_accepted()) session.exit = Exit::not_so;
    if (receipt.chain_id != 0 && expectation.peers.chain_id == 0 && !session.json) {
        print_text(
            fmt::format("this receipt is of a network on chain {}, and no pool of one was "
                        "named: --pool N with --rpc URL and --deployment FILE\n",
                        receipt.chain_id));
    }
    return {};
}

}  // namespace

void add_verify(CLI::App& app, Session& session) {
    const auto options = std::make_shared<VerifyOptions>();
    CLI::App* command = add_command(app, session, "verify",
                                    "Checks a receipt, offline but for --anchor: who computed the "
                                    "answer, with which weights, on which evidence",
                                    options, verify);
    command->add_option("receipt", options->receipt, "File from GET /v1/receipts/ID")->required();
    command->add_option("--request", options->request,
                        "File with the request's body, to be compared with the receipt's hash");
    command->add_option("--answer", options->answer,
                        "File with the answer's text, to be compared with the receipt's hash");
    command->add_option("--anchor", options->anchor,
                        "Also look whether the contract has the receipt: URL of the entry, or the "
                        "file with what it says under /v1/receipts/ID/anchor; needs --rpc, "
                        "--deployment and --pool but for networks of 'teetee up'");
    command
        ->add_option("--rpc", options->rpc_urls,
                     "URL of a chain's JSON-RPC endpoint; may be repeated: what more than half of "
                     "them say counts")
        ->delimiter(',')
        ->envname("TEETEE_RPC");
    command->add_flag("--require-fresh-quotes", options->needs_fresh_quotes,
                      "Reject a receipt for which a stage has made no quote of its own "
                      "(\"attest\": \"quote\" in the request, chat --fresh-quotes)");
    options->add_to(*command);
    // Offline: documents of today do not speak of the day of the answer.
    options->collateral.services = {"none"};
}

}  // namespace teetee::cli
