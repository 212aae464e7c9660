// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "attest/limits.hpp"
#include "attest/receipt_json.hpp"
#include "cli/model_file.hpp"
#include "model/shard.hpp"
#include "node/sequence_sampler.hpp"

namespace teetee::cli {
namespace {

struct AuditOptions : ComputeOptions {
    std::string receipt;
};

constexpr size_t chunk_rows = 128;

/// Where what a stage signed is not what its weights give.
struct Mismatch {
    Position position = 0;
    size_t stage = 0;
    /// Of the tail: of the token that stands there, not of a row.
    bool is_token = false;
};

/// Runs the answer again, shard by shard as it was cut, and compares every row that passed between
/// stages, and every token, with the leaf that the stage signed.
class Auditor {
  public:
    static Result<Auditor> load(const attest::Receipt& receipt, const AuditOptions& options);

    /// The first lie: the lowest position, and there the first stage. The stages behind it worked
    /// on a false row and may differ in good faith.
    Result<std::optional<Mismatch>> run();

  private:
    Auditor(const attest::Receipt& receipt, LocalRoute route, node::SequenceSampler sampler)
        : receipt_(receipt), route_(std::move(route)), picker_(std::move(sampler)) {}

    void compare_rows(uint32_t layer, std::span<const float> hidden);
    Result<void> compare_tokens(std::span<const TokenId> tokens, std::span<const float> logits);
    void note(Mismatch found);

    const attest::Receipt& receipt_;
    LocalRoute route_;
    node::SequenceSampler picker_;
    model::Sampler sampler_;
    /// Of the chunk that is being compared.
    Position first_ = 0;
    std::optional<Mismatch> mismatch_;
};

/// The leaf of a position, or null where the stage signed none (a prefix from the cache).
const Digest* leaf_at(const attest::Trace& trace, Position position) {
    const bool is_there = position >= trace.begin && position < trace.end();
    return is_there ? &trace.leaves[position - trace.begin] : nullptr;
}

Result<std::vector<LayerRange>> cut_of(const attest::Receipt& receipt, const ModelFile& file) {
    std::vector<LayerRange> cut;
    for (const attest::ReceiptStage& stage : receipt.stages) cut.push_back(stage.record.layers);
    TT_TRY(const auto manifest, model::build_manifest(file.gguf, cut));
    if (manifest.model_root != receipt.model_root) {
        return fail(ErrorCode::shard_mismatch,
                    "this file has model root 0x" + to_hex(manifest.model_root) +
                        ", the receipt's is 0x" + to_hex(receipt.model_root));
    }
    return cut;
}

/// What is compared below is what the stages signed: else the leaves would say nothing of them.
Result<void> ensure_signed(const attest::Receipt& receipt) {
    const auto domain = attest::receipt_domain(receipt.chain_id, receipt.contract);
    for (const attest::ReceiptStage& stage : receipt.stages) {
        TT_TRY(const auto statement, attest::decode_statement(stage.statement));
        TT_CHECK(attest::verify_record(domain, stage.record, stage.signature,
                                       statement.receipt_address));
        if (stage.output.leaves.empty() ||
            digest_of(stage.output, stage.output.end()) != stage.record.output) {
            return fail(ErrorCode::receipt_rejected,
                        "leaves that the stage did not sign; 'teetee verify' says more");
        }
    }
    return {};
}

Result<Auditor> Auditor::load(const attest::Receipt& receipt, const AuditOptions& options) {
    TT_CHECK(ensure_signed(receipt));
    TT_TRY(const auto file, ModelFile::open(options.model));
    TT_TRY(const auto cut, cut_of(receipt, file));
    const size_t token_count = receipt.opening.prompt.size() + receipt.opening.answer.size();
    TT_TRY(auto route,
           LocalRoute::load(file, options, cut, static_cast<Position>(token_count + 1)));
    std::shared_ptr<const model::ConstraintVocabulary> vocabulary;
    if (receipt.opening.sampling.constraint.kind != ConstraintKind::none) {
        TT_TRY(const auto tokenizer, file.tokenizer());
        std::vector<TokenId> stops;
        for (TokenId id = 0; id < tokenizer.vocabulary().tokens.size(); ++id) {
            if (tokenizer.is_end_of_generation(id)) stops.push_back(id);
        }
        vocabulary = model::ConstraintVocabulary::build(tokenizer, stops);
    }
    TT_TRY(auto sampler,
           node::SequenceSampler::open(
               {receipt.opening.sampling, static_cast<Position>(receipt.opening.prompt.size())},
               std::move(vocabulary)));
    route.set_format(receipt.opening.sampling.activations);
    return Auditor(receipt, std::move(route), std::move(sampler));
}

void Auditor::note(Mismatch found) {
    const auto key = [](const Mismatch& m) { return std::pair(m.position, m.stage); };
    if (!mismatch_ || key(found) < key(*mismatch_)) mismatch_ = found;
}

void Auditor::compare_rows(uint32_t layer, std::span<const float> hidden) {
    const auto stage = std::ranges::find_if(receipt_.stages, [&](const attest::ReceiptStage& s) {
        return s.record.layers.end == layer;
    });
    if (stage == receipt_.stages.end() || stage + 1 == receipt_.stages.end()) return;
    const size_t width = route_.hyperparameters().embedding_length;
    for (size_t i = 0; i * width < hidden.size(); ++i) {
        const Position position = first_ + static_cast<Position>(i);
        const Digest* leaf = leaf_at(stage->output, position);
        const auto row = std::as_bytes(hidden.subspan(i * width, width));
        const auto* begin = reinterpret_cast<const uint8_t*>(row.data());
        const Bytes bytes = encode_rows(Bytes(begin, begin + row.size()), width,
                                        receipt_.opening.sampling.activations);
        if (leaf != nullptr && *leaf != attest::row_leaf(receipt_.opening.salt, position, bytes))
            return note({position, static_cast<size_t>(stage - receipt_.stages.begin())});
    }
}

Result<void> Auditor::compare_tokens(std::span<const TokenId> tokens,
                                     std::span<const float> logits) {
    const attest::Trace& sampled = receipt_.stages.back().output;
    const size_t vocabulary_size = route_.vocabulary_size();
    for (size_t i = 0; i < tokens.size(); ++i) {
        const pipeline::EngineRow row = {.position = first_ + static_cast<Position>(i),
                                         .token = tokens[i]};
        TT_CHECK(picker_.push(row));
        const Digest* leaf = leaf_at(sampled, row.position + 1);
        if (leaf == nullptr) continue;
        grammar::MaskBudget masks(1);
        TT_TRY(const auto picked,
               picker_.sample(logits.subspan(i * vocabulary_size, vocabulary_size), row, sampler_,
                              masks));
        if (*leaf == attest::token_leaf(receipt_.opening.salt, row.position + 1, picked.token))
            continue;
        note({row.position, receipt_.stages.size() - 1, true});
        return {};
    }
    return {};
}

Result<std::optional<Mismatch>> Auditor::run() {
    std::vector<TokenId> tokens = receipt_.opening.prompt;
    tokens.insert(tokens.end(), receipt_.opening.answer.begin(), receipt_.opening.answer.end());
    if (tokens.size() < receipt_.input.end())
        return fail(ErrorCode::receipt_rejected, "the opening has fewer tokens than rows");
    tokens.resize(receipt_.input.end());
    const auto progress = progress_bar("auditing");
    TT_CHECK(route_.begin(static_cast<Position>(tokens.size() + 1)));
    route_.observe(
        [&](uint32_t layer, std::span<const float> hidden) { compare_rows(layer, hidden); });
    const std::span<const TokenId> all = tokens;
    while (first_ < tokens.size() && !mismatch_) {
        const auto chunk = all.subspan(first_, std::min(chunk_rows, all.size() - first_));
        TT_TRY(const auto logits, route_.feed(chunk, LocalRoute::Wanted::every_position));
        TT_CHECK(compare_tokens(chunk, logits));
        first_ += static_cast<Position>(chunk.size());
        if (progress) progress(first_, tokens.size());
    }
    return mismatch_;
}

/// "position 57, token 3 of the answer", with positions counted from 0.
std::string place_of(const attest::Receipt& receipt, const Mismatch& found) {
    const Position prompt_end = receipt.prompt_tokens;
    const Position at = found.position + (found.is_token ? 1 : 0);
    if (at < prompt_end) return fmt::format("position {}, token {} of the prompt", at, at);
    return fmt::format("position {}, token {} of the answer", at, at - prompt_end);
}

boost::json::object mismatch_json(const attest::Receipt& receipt, const Mismatch& found) {
    const attest::StageRecord& record = receipt.stages[found.stage].record;
    const auto statement = attest::decode_statement(receipt.stages[found.stage].statement);
    const Position at = found.position + (found.is_token ? 1 : 0);
    return {{"stage", found.stage},
            {"layers", boost::json::array{record.layers.begin, record.layers.end}},
            {"node", statement ? "0x" + to_hex(statement->receipt_address) : ""},
            {"what", found.is_token ? "token" : "row"},
            {"position", at},
            {"answer_token", at < receipt.prompt_tokens
                                 ? boost::json::value(nullptr)
                                 : boost::json::value(at - receipt.prompt_tokens)}};
}

Result<void> audit(const AuditOptions& options, Session& session) {
    TT_TRY(const auto text, net::read_file(options.receipt, attest::receipt_bytes_max));
    TT_TRY(const auto receipt, attest::parse_receipt(as_text(text)));
    if (receipt.stages.empty()) return fail(ErrorCode::receipt_rejected, "no stages");
    TT_TRY(auto auditor, Auditor::load(receipt, options));
    TT_TRY(const auto found, auditor.run());
    const size_t row_count = receipt.input.leaves.size();
    if (session.json) {
        print_json({{"verdict", found ? "mismatch" : "match"},
                    {"rows", row_count},
                    {"stages", receipt.stages.size()},
                    {"mismatch", found ? boost::json::value(mismatch_json(receipt, *found))
                                       : boost::json::value(nullptr)}});
    } else if (!found) {
        print_text(fmt::format("match: {} rows through {} stages, every bit\n", row_count,
                               receipt.stages.size()));
    } else {
        const LayerRange layers = receipt.stages[found->stage].record.layers;
        print_text(fmt::format("MISMATCH: stage {} (layers {} to {}) at {}: {}\n", found->stage,
                               layers.begin, layers.end - 1, place_of(receipt, *found),
                               found->is_token ? "sampled another token than these weights give"
                                               : "sent another row than these weights give"));
    }
    if (found) session.exit = Exit::not_so;
    return {};
}

}  // namespace

void add_audit(CLI::App& app, Session& session) {
    const auto options = std::make_shared<AuditOptions>();
    CLI::App* command = add_command(
        app, session, "audit",
        "Runs a receipt's answer again with the weights and compares every bit", options, audit);
    command->add_option("receipt", options->receipt, "File from GET /v1/receipts/ID")->required();
    options->add_to(*command);
}

}  // namespace teetee::cli
