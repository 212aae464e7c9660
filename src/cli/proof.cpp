// SPDX-License-Identifier: Apache-2.0
#include "cli/proof.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "attest/receipt_json.hpp"
#include "attest/statement.hpp"

namespace teetee::cli {
namespace {

struct Wording {
    /// How the check's own words begin.
    std::string_view check;
    std::string_view words;
};

constexpr Wording wordings[] = {
    {"signature of", "the node has signed what it computed"},
    {"rows that left", "what it sent on is what it signed"},
    {"fresh quote of", "its TEE has confirmed this very answer"},
    {"route", "every layer of the model was computed, once and in order"},
    {"hand-over", "each node took in exactly what the one before had sent"},
    {"tokens", "each word went on from the words that were picked before"},
    {"entry: signature over the receipt", "the entry has signed the receipt"},
    {"entry: signature over the fresh", "the entry has signed the fresh confirmations"},
    {"opening", "the words and settings are those that were computed with"},
    {"payment", "no more was charged than the words come to"},
    {"request", "it answers the request that was sent from here"},
    {"answer", "it is the answer that was shown here, to the letter"},
    {"notice", "simulated hardware is called simulated"},
    {"the receipt is anchored", "the contract on the chain has the receipt"},
};

std::string_view words_for(std::string_view check) {
    const auto* found = std::ranges::find_if(
        wordings, [&](const Wording& one) { return check.starts_with(one.check); });
    return found == std::end(wordings) ? check : found->words;
}

void add_line(std::string& out, std::string_view words, const std::optional<Error>& error) {
    out += fmt::format("  {}  {}\n", error ? "FAIL" : "  ok", words);
    if (error) out += fmt::format("        {}\n", error->message());
}

std::string hardware_text(const attest::VerifiedQuote& quote) {
    if (quote.simulated)
        return "SIMULATED: a development TEE, which protects nothing; its host can read everything";
    const std::string tee = quote.td_report() != nullptr ? "Intel TDX" : "Intel SGX";
    if (!quote.tcb) return tee + "; nobody has asked Intel whether it is up to date";
    std::string out =
        fmt::format("{}, which Intel calls {}", tee, attest::to_string(quote.tcb->status));
    for (const std::string& advisory : quote.tcb->advisories) out += ", " + advisory;
    return out;
}

std::string code_text(const attest::VerifiedQuote& quote) {
    const auto* td = quote.td_report();
    if (td == nullptr) return "the program is one that the policy accepts";
    return fmt::format("the program is one that the policy accepts (MRTD {}..)",
                       to_hex(td->mrtd).substr(0, 16));
}

/// The evidence of a stage is one check of the receipt; people are told its parts.
void add_evidence(std::string& out, const attest::ReceiptStage& stage,
                  const attest::ReceiptExpectation& expectation, const NetworkTerms& terms,
                  const attest::ReceiptCheck& check, UnixSeconds finished_at) {
    const auto& layers = stage.record.layers;
    const auto statement = attest::decode_statement(stage.statement);
    out += fmt::format(
        "layers {} to {}{}\n", layers.begin, layers.end - 1,
        statement ? fmt::format(", node 0x{}", to_hex(statement->receipt_address)) : std::string());
    const auto collateral = attest::find_collateral(expectation.collateral, stage.quote);
    const auto peer =
        attest::verify_evidence({stage.statement, stage.quote, std::nullopt}, expectation.peers,
                                terms.policy, finished_at, collateral.get());
    if (check.error || !peer) {
        return add_line(out, "the evidence of its hardware, program and weights",
                        check.error ? check.error : std::optional(peer.error()));
    }
    add_line(out, "hardware: " + hardware_text(peer->quote), {});
    add_line(out, code_text(peer->quote), {});
    add_line(out,
             fmt::format("the weights are those of the manifest (shard 0x{}..)",
                         to_hex(peer->statement.shard_root).substr(0, 16)),
             {});
}

/// Checks come in the order of the report: those of each stage, then those of all.
std::string describe(const attest::Receipt& receipt, const attest::ReceiptReport& report,
                     const attest::ReceiptExpectation& expectation, const NetworkTerms& terms) {
    std::string out = fmt::format(
        "{} words and pieces of words (tokens), behind {} of the prompt, model 0x{}..\n",
        receipt.completion_tokens, receipt.prompt_tokens, to_hex(receipt.model_root).substr(0, 16));
    size_t stage = 0;
    bool is_of_stage = false;
    for (const attest::ReceiptCheck& check : report.checks) {
        if (check.what.starts_with("evidence of") && stage < receipt.stages.size()) {
            add_evidence(out, receipt.stages[stage++], expectation, terms, check,
                         receipt.finished_at);
            is_of_stage = true;
            continue;
        }
        if (is_of_stage && check.what.starts_with("route")) {
            out += "all of it\n";
            is_of_stage = false;
        }
        add_line(out, words_for(check.what), check.error);
    }
    return out;
}

}  // namespace

Result<Proof> prove(const ProofInput& input, const NetworkTerms& terms,
                    const std::vector<std::string>& rpc_urls) {
    TT_TRY(const auto receipt, attest::parse_receipt(input.receipt));
    TT_TRY(const auto collateral, terms.open_collateral(receipt.finished_at));
    attest::ReceiptExpectation expectation{.peers = terms.expectation(),
                                           .layer_count = terms.manifest.layer_count,
                                           .collateral = collateral.get(),
                                           .request = as_bytes(input.part.request),
                                           .answer = as_bytes(input.part.text)};
    auto report = attest::check_receipt(receipt, expectation, terms.policy);
    std::string note;
    if (receipt.payment.charged == 0) {
        note = "     -  it cost nothing, so no chain has it\n";
    } else if (!input.anchor) {
        note = "     -  the chain was not asked\n";
    } else if (const auto anchor = check_anchor(*input.anchor, receipt, terms, rpc_urls)) {
        if (anchor->check.error && anchor->check.error->code == ErrorCode::not_ready) {
            note = "     -  it is not on the chain yet: settlements come some seconds later\n";
        } else {
            report.checks.push_back(anchor->check);
        }
    } else {
        note = fmt::format("     -  the chain could not be asked: {}\n", anchor.error().message());
    }
    Proof out{.text = describe(receipt, report, expectation, terms) + note,
              .is_accepted = report.is_accepted(),
              .is_simulated = report.simulated};
    if (report.simulated) out.text += fmt::format("{}\n", attest::simulated_notice);
    out.text += out.is_accepted ? "every check passed\n" : "NOT PROVEN: a check failed\n";
    return out;
}

}  // namespace teetee::cli
