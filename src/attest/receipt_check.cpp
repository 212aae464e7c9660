// SPDX-License-Identifier: Apache-2.0
#include "attest/receipt_check.hpp"

#include <algorithm>

#include "crypto/hash.hpp"

namespace teetee::attest {
namespace {

Error rejected(std::string what) {
    return fail(ErrorCode::receipt_rejected, std::move(what));
}

std::string layers_text(const LayerRange& layers) {
    return "layers " + std::to_string(layers.begin) + " to " + std::to_string(layers.end - 1);
}

class Checker {
  public:
    Checker(const Receipt& receipt, const ReceiptExpectation& expectation, const Policy& policy)
        : receipt_(receipt), expectation_(expectation), policy_(policy) {}

    ReceiptReport run() {
        const bool wants_fresh_quotes =
            expectation_.needs_fresh_quotes || has_fresh_quotes(receipt_);
        for (const ReceiptStage& stage : receipt_.stages) {
            const std::string layers = layers_text(stage.record.layers);
            check("evidence of " + layers, check_evidence(stage));
            check("signature of " + layers, check_record(stage));
            check("rows that left " + layers, check_output(stage));
            if (wants_fresh_quotes) check("fresh quote of " + layers, check_fresh_quote(stage));
        }
        check("route: every layer once, in order", check_route());
        check("hand-over: each stage took in what the one before sent", check_hand_over());
        check("tokens: what was sampled went in again", check_tokens());
        check("entry: signature over the receipt", check_entry());
        if (has_fresh_quotes(receipt_))
            check("entry: signature over the fresh quotes", check_fresh_signature());
        check("opening: salt, tokens and sampling options are those of the answer",
              check_opening());
        if (receipt_.payment != ReceiptPayment{})
            check("payment: no more than what the tokens come to", check_payment());
        if (expectation_.request)
            check("request: its hash", check_hash(*expectation_.request, receipt_.request_hash));
        if (expectation_.answer)
            check("answer: its hash", check_hash(*expectation_.answer, receipt_.answer_hash));
        check("notice: simulated evidence is called so", check_notice());
        return std::move(report_);
    }

  private:
    void check(std::string what, Result<void> outcome) {
        report_.checks.push_back({std::move(what), {}});
        if (!outcome) report_.checks.back().error = std::move(outcome).error();
    }

    /// At the time of the answer, with what is known of the quote's platform.
    Result<VerifiedPeer> verify(const EvidenceView& evidence) {
        const auto collateral = find_collateral(expectation_.collateral, evidence.quote);
        TT_TRY(auto peer, verify_evidence(evidence, expectation_.peers, policy_,
                                          receipt_.finished_at, collateral.get()));
        has_verified_ = true;
        report_.simulated = report_.simulated || peer.simulated;
        return peer;
    }

    Result<void> check_evidence(const ReceiptStage& stage) {
        TT_TRY(const auto peer, verify({stage.statement, stage.quote, std::nullopt}));
        const Statement& s = peer.statement;
        if (s.layers != stage.record.layers || s.shard_root != stage.record.shard_root ||
            s.model_root != stage.record.model_root) {
            return rejected("the record speaks of other weights than the statement");
        }
        return {};
    }

    /// As good evidence as the stage's other quote, and made when the receipt's hash was known.
    Result<void> check_fresh_quote(const ReceiptStage& stage) {
        if (!stage.fresh_quote) return rejected("there is none");
        if (!*stage.fresh_quote) {
            return rejected("the stage made none: " +
                            std::string(to_string(stage.fresh_quote->error().code)));
        }
        const Digest nonce = receipt_digest(receipt_);
        TT_CHECK(verify({stage.statement, **stage.fresh_quote, nonce}));
        return {};
    }

    Result<void> check_record(const ReceiptStage& stage) const {
        TT_TRY(const auto statement, decode_statement(stage.statement));
        return verify_record(receipt_domain(receipt_.chain_id, receipt_.contract), stage.record,
                             stage.signature, statement.receipt_address);
    }

    static Result<void> check_output(const ReceiptStage& stage) {
        if (stage.output.leaves.empty() ||
            digest_of(stage.output, stage.output.end()) != stage.record.output) {
            return rejected("the leaves are not those of the signed digest");
        }
        return {};
    }

    Result<void> check_route() const {
        uint32_t next = 0;
        for (const ReceiptStage& stage : receipt_.stages) {
            if (stage.record.layers.begin != next)
                return rejected("layer " + std::to_string(next) + " is missing or comes twice");
            next = stage.record.layers.end;
        }
        if (next == expectation_.layer_count && next > 0) return {};
        return rejected("have " + std::to_string(next) + " layers, need " +
                        std::to_string(expectation_.layer_count));
    }

    Result<void> check_hand_over() const {
        if (receipt_.stages.empty()) return rejected("no stages");
        const StageRecord& first = receipt_.stages.front().record;
        if (digest_of(receipt_.input, receipt_.input.end()) != first.input)
            return rejected("the prompt's leaves are not those that the entry signed");
        for (size_t i = 0; i < receipt_.stages.size(); ++i) {
            const StageRecord& record = receipt_.stages[i].record;
            if (record.epoch != first.epoch || record.sampling != first.sampling ||
                record.input.begin != first.input.begin || record.input.end != first.input.end) {
                return rejected(layers_text(record.layers) + " computed other rows");
            }
            if (i > 0 && receipt_.stages[i - 1].record.output != record.input)
                return rejected(layers_text(record.layers) + " took in other rows than were sent");
        }
        return {};
    }

    /// Sampled tokens are the input of the rows behind them.
    Result<void> check_tokens() const {
        if (receipt_.stages.empty()) return rejected("no stages");
        const Trace& sampled = receipt_.stages.back().output;
        const Trace& input = receipt_.input;
        if (sampled.end() != input.end() + 1 || sampled.begin != receipt_.prompt_tokens ||
            input.begin != receipt_.cached_tokens || input.end() < receipt_.prompt_tokens) {
            return rejected("counts of tokens do not fit the rows");
        }
        for (Position at = std::max(sampled.begin, input.begin); at < input.end(); ++at) {
            if (sampled.leaves[at - sampled.begin] != input.leaves[at - input.begin])
                return rejected("position " + std::to_string(at) +
                                ": the entry went on with another token than the tail sampled");
        }
        // A stop token is sampled and not delivered.
        const size_t count = sampled.leaves.size();
        if (count != receipt_.completion_tokens && count != size_t{receipt_.completion_tokens} + 1)
            return rejected("have " + std::to_string(count) + " sampled tokens, " +
                            std::to_string(receipt_.completion_tokens) + " on the bill");
        return {};
    }

    Result<void> check_entry() const {
        if (receipt_.stages.empty()) return rejected("no stages");
        const PeerExpectation& need = expectation_.peers;
        if (receipt_.chain_id != need.chain_id || receipt_.contract != need.contract ||
            receipt_.pool != need.pool || receipt_.model_root != need.model_root) {
            return rejected("the receipt is of another model or pool");
        }
        return check_signer(receipt_digest(receipt_), receipt_.signature);
    }

    Result<void> check_fresh_signature() const {
        if (!receipt_.fresh_signature) return rejected("there is none");
        return check_signer(fresh_quotes_digest(receipt_), *receipt_.fresh_signature);
    }

    /// It must be the entry; there is one.
    Result<void> check_signer(const Digest& digest,
                              const crypto::RecoverableSignature& signature) const {
        TT_TRY(const auto statement, decode_statement(receipt_.stages.front().statement));
        TT_TRY(const auto signer, crypto::recover_address(digest, signature));
        if (signer == statement.receipt_address) return {};
        return rejected("have signer 0x" + to_hex(signer) + ", need the entry 0x" +
                        to_hex(statement.receipt_address));
    }

    /// Position -> token, as far as prompt and answer go.
    Result<void> check_opening() const {
        const ReceiptOpening& opening = receipt_.opening;
        if (receipt_.stages.empty() || opening.prompt.size() != receipt_.prompt_tokens ||
            opening.answer.size() != receipt_.completion_tokens) {
            return rejected("counts of tokens are not those of the receipt");
        }
        const auto prompt_positions = static_cast<Position>(opening.prompt.size());
        if (sampling_digest(opening.salt, prompt_positions, opening.sampling) !=
            receipt_.stages.front().record.sampling) {
            return rejected("other sampling options than the stages were given");
        }
        std::vector<TokenId> tokens = opening.prompt;
        tokens.insert(tokens.end(), opening.answer.begin(), opening.answer.end());
        for (const Trace* trace : {&receipt_.input, &receipt_.stages.back().output}) {
            for (Position at = trace->begin; at < trace->end() && at < tokens.size(); ++at) {
                if (trace->leaves[at - trace->begin] != token_leaf(opening.salt, at, tokens[at]))
                    return rejected("position " + std::to_string(at) + " has another token");
            }
        }
        return {};
    }

    static Result<void> check_hash(ByteView bytes, const Digest& need) {
        const Digest have = crypto::sha256(bytes);
        if (have == need) return {};
        return rejected("have 0x" + to_hex(have) + ", need 0x" + to_hex(need));
    }

    /// Tokens that the prefix cache had are free.
    Result<void> check_payment() const {
        const ReceiptPayment& payment = receipt_.payment;
        if (payment.is_free()) return rejected("a price, and nothing that it was paid from");
        if (payment.voucher != Digest{} && payment.query != 0)
            return rejected("paid from a voucher and from a query");
        if (receipt_.cached_tokens > receipt_.prompt_tokens)
            return rejected("more tokens cached than there are");
        uint64_t prompt = 0;
        uint64_t completion = 0;
        uint64_t sum = 0;
        const bool is_too_much =
            __builtin_mul_overflow(payment.prompt_price,
                                   uint64_t{receipt_.prompt_tokens} - receipt_.cached_tokens,
                                   &prompt) ||
            __builtin_mul_overflow(payment.completion_price, uint64_t{receipt_.completion_tokens},
                                   &completion) ||
            __builtin_add_overflow(prompt, completion, &sum);
        // A price that overflows is more than anything that can be charged.
        if (!is_too_much && payment.charged > sum) {
            return rejected(std::to_string(payment.charged) +
                            " credits charged, the tokens come to " + std::to_string(sum));
        }
        return {};
    }

    Result<void> check_notice() const {
        if (receipt_.simulated == report_.simulated) return {};
        if (!receipt_.simulated) return rejected("no notice, and the evidence is simulated");
        // Of evidence that does not verify nobody knows what made it.
        if (!has_verified_) return {};
        return rejected("a notice where the evidence is of real hardware");
    }

    const Receipt& receipt_;
    const ReceiptExpectation& expectation_;
    const Policy& policy_;
    ReceiptReport report_;
    bool has_verified_ = false;
};

}  // namespace

bool ReceiptReport::is_accepted() const {
    return error() == nullptr;
}

const Error* ReceiptReport::error() const {
    const auto failed =
        std::ranges::find_if(checks, [](const ReceiptCheck& c) { return c.error.has_value(); });
    return failed == checks.end() ? nullptr : &*failed->error;
}

ReceiptReport check_receipt(const Receipt& receipt, const ReceiptExpectation& expectation,
                            const Policy& policy) {
    return Checker(receipt, expectation, policy).run();
}

}  // namespace teetee::attest
