// SPDX-License-Identifier: Apache-2.0
#include "model/sentencepiece_model.hpp"

#include <bit>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "model/limits.hpp"
#include "model/piece_rules.hpp"
#include "model/protobuf_reader.hpp"
#include "model/tokenizer_limits.hpp"

namespace teetee::model {
namespace {

using Kind = ProtobufField::Kind;
namespace json = boost::json;

/// What TrainerSpec and NormalizerSpec say, with the defaults of the .proto file.
struct Specification {
    enum ModelType : uint64_t { unigram = 1, bpe = 2 };
    uint64_t model_type = unigram;
    bool suffixes = false;  // treat_whitespace_as_suffix
    uint64_t unknown = 0;
    uint64_t bos = 1;
    uint64_t eos = 2;
    ByteView charsmap;
    bool add_dummy_prefix = true;
    bool remove_extra_whitespaces = true;
    bool escape_whitespaces = true;
};

Error invalid(std::string why) {
    return fail(ErrorCode::vocabulary_invalid, "SentencePiece model: " + std::move(why));
}

Error unsupported(std::string why) {
    return fail(ErrorCode::tokenizer_unsupported, "SentencePiece model: " + std::move(why));
}

Result<Token> read_piece(ByteView message) {
    Token token;
    for (ProtobufReader reader(message); !reader.at_end();) {
        TT_TRY(const ProtobufField field, reader.next());
        if (field.number == 1 && field.kind == Kind::bytes) {
            token.text = as_text(field.bytes);
        } else if (field.number == 2 && field.kind == Kind::fixed32) {
            token.score = std::bit_cast<float>(static_cast<uint32_t>(field.value));
        } else if (field.number == 3 && field.kind == Kind::varint) {
            if (field.value < 1 || field.value > 6)
                return invalid("have a piece of type " + std::to_string(field.value));
            // The numbers are those of tokenizer.ggml.token_type.
            token.type = static_cast<TokenType>(field.value);
        } else {
            return invalid("have an unknown field in a piece");
        }
    }
    return token;
}

Result<void> read_trainer(ByteView message, Specification& spec) {
    for (ProtobufReader reader(message); !reader.at_end();) {
        TT_TRY(const ProtobufField field, reader.next());
        if (field.kind != Kind::varint) continue;
        if (field.number == 3) spec.model_type = field.value;
        if (field.number == 24) spec.suffixes = field.value != 0;
        if (field.number == 40) spec.unknown = field.value;
        if (field.number == 41) spec.bos = field.value;
        if (field.number == 42) spec.eos = field.value;
    }
    return {};
}

Result<void> read_normalizer(ByteView message, Specification& spec) {
    for (ProtobufReader reader(message); !reader.at_end();) {
        TT_TRY(const ProtobufField field, reader.next());
        if (field.number == 2 && field.kind == Kind::bytes) spec.charsmap = field.bytes;
        if (field.number == 6 && !field.bytes.empty())
            return unsupported("a normalization rule file is not known");
        if (field.kind != Kind::varint) continue;
        if (field.number == 3) spec.add_dummy_prefix = field.value != 0;
        if (field.number == 4) spec.remove_extra_whitespaces = field.value != 0;
        if (field.number == 5) spec.escape_whitespaces = field.value != 0;
    }
    return {};
}

/// The same as a tokenizer.json would say it.
std::string rules_of(const Specification& spec) {
    json::array normalizers;
    if (!spec.charsmap.empty())
        normalizers.push_back(
            {{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(spec.charsmap)}});
    if (spec.remove_extra_whitespaces) {
        normalizers.push_back({{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}});
        normalizers.push_back(
            {{"type", "Replace"}, {"pattern", {{"Regex", " +"}}}, {"content", " "}});
    }
    const json::object metaspace = {{"type", "Metaspace"},
                                    {"replacement", json::string_view(space_mark)},
                                    {"prepend_scheme", spec.add_dummy_prefix ? "first" : "never"},
                                    {"split", false}};
    return json::serialize(
        json::object{{"normalizer", {{"type", "Sequence"}, {"normalizers", normalizers}}},
                     {"pre_tokenizer", metaspace},
                     {"decoder", metaspace}});
}

Result<void> apply(const Specification& spec, Vocabulary& vocabulary) {
    if (spec.model_type != Specification::unigram && spec.model_type != Specification::bpe) {
        return unsupported("have model type " + std::to_string(spec.model_type) +
                           ", need 1 (unigram) or 2 (BPE)");
    }
    if (spec.suffixes) return unsupported("treat_whitespace_as_suffix is not known");
    if (!spec.escape_whitespaces) return unsupported("need escape_whitespaces");
    const size_t count = vocabulary.tokens.size();
    // -1, a huge number here, stands for none.
    const auto id = [&](uint64_t value) {
        return value < count ? std::optional(static_cast<TokenId>(value)) : std::nullopt;
    };
    vocabulary.unknown = id(spec.unknown);
    vocabulary.bos = id(spec.bos);
    vocabulary.eos = id(spec.eos);
    vocabulary.add_space_prefix = spec.add_dummy_prefix;
    const bool is_bpe = spec.model_type == Specification::bpe;
    vocabulary.kind = is_bpe ? VocabularyKind::sentencepiece : VocabularyKind::unigram;
    if (!is_bpe || !spec.charsmap.empty() || spec.remove_extra_whitespaces)
        vocabulary.rules = rules_of(spec);
    // Llama's models are used with BOS, though the file cannot say so.
    vocabulary.add_bos = is_bpe && vocabulary.bos.has_value();
    return {};
}

}  // namespace

Result<Vocabulary> parse_sentencepiece_model(ByteView file) {
    if (file.size() > tokenizer_json_bytes_max) {
        return fail(ErrorCode::limit_exceeded,
                    "SentencePiece model: have " + std::to_string(file.size()) +
                        " bytes, need at most " + std::to_string(tokenizer_json_bytes_max));
    }
    Vocabulary vocabulary;
    Specification spec;
    for (ProtobufReader reader(file); !reader.at_end();) {
        TT_TRY(const ProtobufField field, reader.next());
        constexpr uint32_t pieces = 1, trainer = 2, normalizer = 3, denormalizer = 5;
        // 4 holds self-test samples, 200 and above are extensions.
        const bool is_known = field.number <= denormalizer || field.number >= 200;
        if (!is_known || (field.number <= denormalizer && field.kind != Kind::bytes))
            return invalid("have the unknown field " + std::to_string(field.number));
        if (field.number == pieces) {
            if (vocabulary.tokens.size() == token_count_max) return invalid("too many pieces");
            TT_TRY(auto token, read_piece(field.bytes));
            vocabulary.tokens.push_back(std::move(token));
        } else if (field.number == trainer) {
            TT_CHECK(read_trainer(field.bytes, spec));
        } else if (field.number == normalizer) {
            TT_CHECK(read_normalizer(field.bytes, spec));
        } else if (field.number == denormalizer) {
            Specification denormalizing;
            TT_CHECK(read_normalizer(field.bytes, denormalizing));
            if (!denormalizing.charsmap.empty()) return unsupported("a denormalizer is not known");
        }
    }
    TT_CHECK(apply(spec, vocabulary));
    if (!vocabulary.rules.empty()) TT_CHECK(mark_added_tokens(vocabulary));
    TT_CHECK(validate(vocabulary));
    return vocabulary;
}

}  // namespace teetee::model
