// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "attest/limits.hpp"
#include "attest/receipt_check.hpp"
#include "attest/receipt_json.hpp"
#include "cli/command.hpp"
#include "cli/network_files.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

struct VerifyOptions : NetworkFiles {
    std::string receipt;
    std::string request;
    std::string answer;
    bool needs_fresh_quotes = false;
};

constexpr size_t body_bytes_max = 64u << 20;

/// The signed records name the route's version: each lost route made another one.
Epoch epoch_of(const attest::Receipt& receipt) {
    return receipt.stages.empty() ? 0 : receipt.stages.front().record.epoch;
}

/// In the order of the report, passed or not.
void print_checks(const attest::Receipt& receipt, const attest::ReceiptReport& report) {
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
    out += "   -  chain: this receipt is not anchored on one\n";
    if (report.simulated) out += fmt::format("{}\n", attest::simulated_notice);
    out += report.is_accepted() ? "accept\n" : "reject\n";
    print_text(out);
}

bool has_fresh_quote(const attest::ReceiptStage& stage) {
    return stage.fresh_quote && *stage.fresh_quote;
}

boost::json::object report_json(const attest::Receipt& receipt,
                                const attest::ReceiptReport& report) {
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
            {"anchor", nullptr},
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
    const auto report = attest::check_receipt(receipt, expectation, terms.policy);
    if (session.json)
        print_json(report_json(receipt, report));
    else
        print_checks(receipt, report);
    if (!report.is_accepted()) session.exit = Exit::not_so;
    return {};
}

}  // namespace

void add_verify(CLI::App& app, Session& session) {
    const auto options = std::make_shared<VerifyOptions>();
    CLI::App* command = add_command(
        app, session, "verify",
        "Checks a receipt offline: who computed the answer, with which weights, on which evidence",
        options, verify);
    command->add_option("receipt", options->receipt, "File from GET /v1/receipts/ID")->required();
    command->add_option("--request", options->request,
                        "File with the request's body, to be compared with the receipt's hash");
    command->add_option("--answer", options->answer,
                        "File with the answer's text, to be compared with the receipt's hash");
    command->add_flag("--require-fresh-quotes", options->needs_fresh_quotes,
                      "Reject a receipt for which a stage has made no quote of its own "
                      "(\"attest\": \"quote\" in the request, chat --fresh-quotes)");
    options->add_to(*command);
    // Offline: documents of today do not speak of the day of the answer.
    options->collateral.services = {"none"};
}

}  // namespace teetee::cli
