// SPDX-License-Identifier: Apache-2.0
#include "attest/receipt_json.hpp"

#include <cmath>

#include "attest/json_members.hpp"
#include "attest/limits.hpp"
#include "base/strict_json.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

/// 2: sampling has answer_given and activations. 3: what it cost.
constexpr uint64_t receipt_version = 3;

std::string hex(ByteView bytes) {
    return "0x" + to_hex(bytes);
}

std::string leaves_text(const Trace& trace) {
    Bytes joined;
    for (const Digest& leaf : trace.leaves) joined.insert(joined.end(), leaf.begin(), leaf.end());
    return to_base64(joined);
}

json::object digest_json(const TraceDigest& trace) {
    return {{"begin", trace.begin}, {"end", trace.end}, {"digest", hex(trace.digest)}};
}

json::object stage_json(const ReceiptStage& stage) {
    const StageRecord& r = stage.record;
    json::object out = {{"statement", to_base64(stage.statement)},
                        {"quote", to_base64(stage.quote)},
                        {"epoch", r.epoch},
                        {"shard_root", hex(r.shard_root)},
                        {"layers", json::array{r.layers.begin, r.layers.end}},
                        {"sampling", hex(r.sampling)},
                        {"input", digest_json(r.input)},
                        {"output", digest_json(r.output)},
                        {"output_leaves", leaves_text(stage.output)},
                        {"signature", hex(stage.signature)}};
    if (stage.fresh_quote && *stage.fresh_quote)
        out["fresh_quote"] = to_base64(**stage.fresh_quote);
    else if (stage.fresh_quote)
        out["fresh_quote_error"] = to_string(stage.fresh_quote->error().code);
    return out;
}

std::string_view pooling_name(Pooling pooling) {
    return pooling == Pooling::last ? "last" : "mean";
}

json::object sampling_json(const SamplingOptions& s) {
    json::array bias;
    for (const LogitBias& b : s.logit_bias) bias.push_back(json::array{b.token, b.bias});
    json::object out = {{"temperature", s.temperature},
                        {"top_k", s.top_k},
                        {"top_p", s.top_p},
                        {"seed", std::to_string(s.seed)},
                        {"min_p", s.min_p},
                        {"typical_p", s.typical_p},
                        {"repetition_penalty", s.repetition_penalty},
                        {"repetition_window", s.repetition_window},
                        {"presence_penalty", s.presence_penalty},
                        {"frequency_penalty", s.frequency_penalty},
                        {"logit_bias", std::move(bias)},
                        {"logprobs", s.logprobs},
                        {"top_logprobs", s.top_logprobs},
                        {"constraint_kind", static_cast<uint32_t>(s.constraint.kind)},
                        {"constraint", s.constraint.source},
                        {"answer_given", s.answer_given},
                        {"activations", to_string(s.activations)}};
    // Others are as they were before there were embeddings.
    if (s.pooling != Pooling::none) out["pooling"] = pooling_name(s.pooling);
    return out;
}

json::object opening_json(const ReceiptOpening& opening) {
    return {{"salt", hex(opening.salt)},
            {"prompt", json::array(opening.prompt.begin(), opening.prompt.end())},
            {"answer", json::array(opening.answer.begin(), opening.answer.end())},
            {"sampling", sampling_json(opening.sampling)}};
}

json::object payment_json(const ReceiptPayment& payment) {
    return {{"voucher", hex(payment.voucher)},
            {"query", std::to_string(payment.query)},
            {"prompt_price", std::to_string(payment.prompt_price)},
            {"completion_price", std::to_string(payment.completion_price)},
            {"charged", std::to_string(payment.charged)}};
}

Result<uint32_t> read_u32(JsonMembers& from, std::string_view key, uint32_t max = UINT32_MAX) {
    TT_TRY(const uint64_t number, from.number(key, max));
    return static_cast<uint32_t>(number);
}

Result<TraceDigest> read_digest(JsonMembers& parent, std::string_view key) {
    TT_TRY(JsonMembers from, parent.object(key));
    TraceDigest out;
    TT_TRY(out.begin, read_u32(from, "begin", receipt_positions_max));
    TT_TRY(out.end, read_u32(from, "end", receipt_positions_max));
    TT_TRY(out.digest, from.hex<32>("digest"));
    TT_CHECK(from.ensure_read());
    if (out.begin > out.end) return from.wrong("end", "a place before begin", "one behind it");
    return out;
}

Result<Trace> read_trace(JsonMembers& from, std::string_view key, Position begin) {
    TT_TRY(const Bytes bytes, from.base64(key, size_t{32} * receipt_positions_max));
    if (bytes.size() % sizeof(Digest) != 0)
        return from.wrong(key, std::to_string(bytes.size()) + " bytes", "a multiple of 32");
    Trace trace{begin, std::vector<Digest>(bytes.size() / sizeof(Digest))};
    for (size_t i = 0; i < trace.leaves.size(); ++i)
        std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(i * sizeof(Digest)), sizeof(Digest),
                    trace.leaves[i].begin());
    return trace;
}

Result<LayerRange> read_layers(JsonMembers& from) {
    TT_TRY(const json::array* pair, from.array("layers", 2));
    LayerRange out;
    uint32_t* const ends[] = {&out.begin, &out.end};
    for (size_t i = 0; i < pair->size(); ++i) {
        const json::value& value = (*pair)[i];
        if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > UINT16_MAX)
            return from.wrong("layers", "something else", "two layer numbers");
        *ends[i] = static_cast<uint32_t>(value.get_int64());
    }
    if (pair->size() != 2 || out.begin >= out.end)
        return from.wrong("layers", "another range", "[first, behind the last]");
    return out;
}

/// One of two members, or none of them.
Result<std::optional<Result<Bytes>>> read_fresh_quote(JsonMembers& from) {
    std::optional<Result<Bytes>> out;
    if (from.has("fresh_quote")) {
        TT_TRY(auto quote, from.base64("fresh_quote", quote_bytes_max));
        out = std::move(quote);
    } else if (from.has("fresh_quote_error")) {
        TT_TRY(const auto name, from.text("fresh_quote_error", error_name_bytes_max));
        const auto code = error_code_named(name);
        if (!code) return from.wrong("fresh_quote_error", quote_foreign(name), "an error's name");
        out = fail(*code, "the stage made none");
    }
    return out;
}

Result<ReceiptStage> read_stage(const json::value& value) {
    TT_TRY(JsonMembers from, JsonMembers::of(value, "stages", ErrorCode::receipt_malformed));
    ReceiptStage out;
    TT_TRY(out.statement, from.base64("statement", statement_bytes_max));
    TT_TRY(out.quote, from.base64("quote", quote_bytes_max));
    StageRecord& r = out.record;
    TT_TRY(r.epoch, read_u32(from, "epoch"));
    TT_TRY(r.shard_root, from.hex<32>("shard_root"));
    TT_TRY(r.layers, read_layers(from));
    TT_TRY(r.sampling, from.hex<32>("sampling"));
    TT_TRY(r.input, read_digest(from, "input"));
    TT_TRY(r.output, read_digest(from, "output"));
    TT_TRY(out.output, read_trace(from, "output_leaves", r.output.begin));
    TT_TRY(out.signature, from.hex<65>("signature"));
    TT_TRY(out.fresh_quote, read_fresh_quote(from));
    TT_CHECK(from.ensure_read());
    return out;
}

Result<std::vector<TokenId>> read_tokens(JsonMembers& from, std::string_view key) {
    TT_TRY(const json::array* tokens, from.array(key, receipt_positions_max));
    std::vector<TokenId> out;
    out.reserve(tokens->size());
    for (const json::value& token : *tokens) {
        if (!token.is_int64() || token.get_int64() < 0 || token.get_int64() > UINT32_MAX)
            return from.wrong(key, "something else", "token ids");
        out.push_back(static_cast<TokenId>(token.get_int64()));
    }
    return out;
}

Result<float> read_float(JsonMembers& from, std::string_view key) {
    TT_TRY(const double value, from.real(key));
    if (!std::isfinite(static_cast<float>(value))) return from.wrong(key, "too much", "a number");
    return static_cast<float>(value);
}

Result<std::vector<LogitBias>> read_bias(JsonMembers& from) {
    TT_TRY(const json::array* entries, from.array("logit_bias", logit_bias_count_max));
    std::vector<LogitBias> out;
    for (const json::value& entry : *entries) {
        const json::array* pair = entry.if_array();
        if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_int64() ||
            (*pair)[0].get_int64() < 0 || (*pair)[0].get_int64() > UINT32_MAX ||
            !(*pair)[1].is_number()) {
            return from.wrong("logit_bias", "something else", "pairs of token and number");
        }
        out.push_back(
            {static_cast<TokenId>((*pair)[0].get_int64()), (*pair)[1].to_number<float>()});
    }
    return out;
}

Result<SamplingOptions> read_sampling(JsonMembers& parent) {
    TT_TRY(JsonMembers from, parent.object("sampling"));
    SamplingOptions out;
    TT_TRY(out.temperature, read_float(from, "temperature"));
    TT_TRY(out.top_k, read_u32(from, "top_k"));
    TT_TRY(out.top_p, read_float(from, "top_p"));
    TT_TRY(out.seed, from.big_number("seed"));
    TT_TRY(out.min_p, read_float(from, "min_p"));
    TT_TRY(out.typical_p, read_float(from, "typical_p"));
    TT_TRY(out.repetition_penalty, read_float(from, "repetition_penalty"));
    TT_TRY(out.repetition_window, read_u32(from, "repetition_window"));
    TT_TRY(out.presence_penalty, read_float(from, "presence_penalty"));
    TT_TRY(out.frequency_penalty, read_float(from, "frequency_penalty"));
    TT_TRY(out.logit_bias, read_bias(from));
    TT_TRY(out.logprobs, from.flag("logprobs"));
    TT_TRY(out.top_logprobs, read_u32(from, "top_logprobs"));
    TT_TRY(const uint32_t kind,
           read_u32(from, "constraint_kind", static_cast<uint32_t>(ConstraintKind::json_object)));
    TT_TRY(const auto source, from.text("constraint", constraint_bytes_max));
    out.constraint = {static_cast<ConstraintKind>(kind), std::string(source)};
    TT_TRY(out.answer_given, read_u32(from, "answer_given"));
    TT_TRY(const auto format, from.text("activations", 8));
    const auto activations = activation_format_named(format);
    if (!activations) return from.wrong("activations", quote_foreign(format), "f32, f16 or q8");
    out.activations = *activations;
    if (from.has("pooling")) {
        TT_TRY(const auto pooling, from.text("pooling", 8));
        if (pooling != "mean" && pooling != "last")
            return from.wrong("pooling", quote_foreign(pooling), "mean or last");
        out.pooling = pooling == "mean" ? Pooling::mean : Pooling::last;
    }
    TT_CHECK(from.ensure_read());
    const auto valid = validate(out);
    if (!valid) return parent.wrong("sampling", valid.error().detail, "options in range");
    return out;
}

Result<ReceiptOpening> read_opening(JsonMembers& parent) {
    TT_TRY(JsonMembers from, parent.object("opening"));
    ReceiptOpening out;
    TT_TRY(out.salt, from.hex<32>("salt"));
    TT_TRY(out.prompt, read_tokens(from, "prompt"));
    TT_TRY(out.answer, read_tokens(from, "answer"));
    TT_TRY(out.sampling, read_sampling(from));
    const uint32_t given = out.sampling.answer_given;
    if (given > out.prompt.size())
        return from.wrong("answer_given", std::to_string(given), "no more than the prompt");
    TT_CHECK(from.ensure_read());
    return out;
}

Result<ReceiptPayment> read_payment(JsonMembers& parent) {
    ReceiptPayment out;
    if (!parent.has("payment")) return out;
    TT_TRY(JsonMembers from, parent.object("payment"));
    TT_TRY(out.voucher, from.hex<32>("voucher"));
    TT_TRY(out.query, from.big_number("query"));
    TT_TRY(out.prompt_price, from.big_number("prompt_price"));
    TT_TRY(out.completion_price, from.big_number("completion_price"));
    TT_TRY(out.charged, from.big_number("charged"));
    TT_CHECK(from.ensure_read());
    return out;
}

Result<void> read_head(JsonMembers& from, Receipt& out) {
    TT_TRY(const uint64_t version, from.number("version", UINT32_MAX));
    if (version != receipt_version)
        return from.wrong("version", std::to_string(version), std::to_string(receipt_version));
    if (from.has("notice")) {
        TT_TRY(const auto notice, from.text("notice", simulated_notice.size()));
        if (notice != simulated_notice)
            return from.wrong("notice", "another text", simulated_notice);
        out.simulated = true;
    }
    TT_TRY(out.chain_id, from.big_number("chain_id"));
    TT_TRY(out.contract, from.hex<20>("contract"));
    TT_TRY(out.pool, from.big_number("pool"));
    TT_TRY(out.model_root, from.hex<32>("model_root"));
    TT_TRY(out.request.bytes, from.hex<16>("request"));
    TT_TRY(out.request_hash, from.hex<32>("request_hash"));
    TT_TRY(out.answer_hash, from.hex<32>("answer_hash"));
    TT_TRY(out.prompt_tokens, read_u32(from, "prompt_tokens"));
    TT_TRY(out.cached_tokens, read_u32(from, "cached_tokens"));
    TT_TRY(out.completion_tokens, read_u32(from, "completion_tokens"));
    TT_TRY(const uint64_t time, from.number("finished_at", uint64_t{unix_seconds_max}));
    out.finished_at = static_cast<UnixSeconds>(time);
    TT_TRY(out.payment, read_payment(from));
    return {};
}

}  // namespace

std::string encode_receipt(const Receipt& receipt) {
    json::array stages;
    for (const ReceiptStage& stage : receipt.stages) stages.push_back(stage_json(stage));
    json::object out = {{"version", receipt_version}};
    if (receipt.simulated) out["notice"] = simulated_notice;
    out["chain_id"] = std::to_string(receipt.chain_id);
    out["contract"] = hex(receipt.contract);
    out["pool"] = std::to_string(receipt.pool);
    out["model_root"] = hex(receipt.model_root);
    out["request"] = hex(receipt.request.bytes);
    out["request_hash"] = hex(receipt.request_hash);
    out["answer_hash"] = hex(receipt.answer_hash);
    out["prompt_tokens"] = receipt.prompt_tokens;
    out["cached_tokens"] = receipt.cached_tokens;
    out["completion_tokens"] = receipt.completion_tokens;
    out["finished_at"] = receipt.finished_at;
    if (receipt.payment != ReceiptPayment{}) out["payment"] = payment_json(receipt.payment);
    out["input_begin"] = receipt.input.begin;
    out["input_leaves"] = leaves_text(receipt.input);
    out["stages"] = std::move(stages);
    out["opening"] = opening_json(receipt.opening);
    out["signature"] = hex(receipt.signature);
    if (receipt.fresh_signature) out["fresh_signature"] = hex(*receipt.fresh_signature);
    return json::serialize(out);
}

Result<Receipt> parse_receipt(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    const auto value = parse_strict_json(text, {receipt_bytes_max, receipt_json_depth_max});
    if (!value) return fail(ErrorCode::receipt_malformed, value.error().detail);
    TT_TRY(JsonMembers from, JsonMembers::of(*value, "receipt", ErrorCode::receipt_malformed));
    Receipt out;
    TT_CHECK(read_head(from, out));
    TT_TRY(const uint32_t input_begin, read_u32(from, "input_begin", receipt_positions_max));
    TT_TRY(out.input, read_trace(from, "input_leaves", input_begin));
    TT_TRY(const json::array* stages, from.array("stages", receipt_stages_max));
    for (const json::value& stage : *stages) {
        TT_TRY(auto read, read_stage(stage));
        read.record.request = out.request;
        read.record.model_root = out.model_root;
        out.stages.push_back(std::move(read));
    }
    TT_TRY(out.opening, read_opening(from));
    TT_TRY(out.signature, from.hex<65>("signature"));
    if (has_fresh_quotes(out)) {
        TT_TRY(out.fresh_signature, from.hex<65>("fresh_signature"));
    }
    TT_CHECK(from.ensure_read());
    // Hex, base64 and numbers have several forms; one of them is what was handed out.
    if (encode_receipt(out) != text)
        return fail(ErrorCode::receipt_malformed, "receipt: have another form, need it as it came");
    return out;
}

}  // namespace teetee::attest
