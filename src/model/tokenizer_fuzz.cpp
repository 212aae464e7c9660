// SPDX-License-Identifier: Apache-2.0
// A GGUF file whose vocabulary is read and used, or, without the magic, a text for two small fixed
// vocabularies that must come back unchanged.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "model/stream_decoder.hpp"
#include "model/tokenizer.hpp"

using namespace teetee;
using namespace teetee::model;

namespace {

Vocabulary fixed_vocabulary(VocabularyKind kind) {
    Vocabulary vocabulary;
    vocabulary.kind = kind;
    vocabulary.unknown = 0;
    vocabulary.add_space_prefix = kind == VocabularyKind::sentencepiece;
    vocabulary.tokens = {{.text = "<unk>", .type = TokenType::unknown},
                         {.text = "<s>", .type = TokenType::control},
                         {.text = "<t>", .type = TokenType::user_defined},
                         {.text = "<t>a", .type = TokenType::user_defined},
                         {.text = "a"},
                         {.text = "b"},
                         {.text = "ab", .score = 1.0F},
                         {.text = "abab", .score = 2.0F},
                         {.text = "\xe2\x96\x81", .score = -1.0F},
                         {.text = "\xe2\x96\x81"
                                  "a",
                          .score = 1.0F}};
    for (size_t byte = 0; byte < 256; ++byte) {
        const auto value = static_cast<uint8_t>(byte);
        vocabulary.tokens.push_back(
            {.text = "<0x" + to_hex({&value, 1}) + ">", .type = TokenType::byte});
    }
    if (kind == VocabularyKind::byte_level_bpe) vocabulary.merges = {"a b", "ab ab"};
    return vocabulary;
}

void check_text(const Tokenizer& tokenizer, std::string_view text, bool is_lossless) {
    const auto ids = tokenizer.encode(text);
    if (!ids) return;
    const auto decoded = tokenizer.decode(*ids);
    TT_ASSERT(decoded);
    TT_ASSERT(!is_lossless || *decoded == text);
    StreamDecoder decoder(tokenizer);
    std::string streamed;
    for (const TokenId id : *ids) streamed += *decoder.feed(id);
    streamed += decoder.finish();
    TT_ASSERT(is_utf8(streamed));
    TT_ASSERT(!is_utf8(*decoded) || streamed == *decoded);
    const auto special = tokenizer.encode(text, {.add_special = true, .parse_special = true});
    TT_ASSERT(!special || tokenizer.decode(*special, {.render_special = true}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView input(data, size);
    const std::string_view text = as_text(input);
    if (text.starts_with("GGUF")) {
        const auto gguf = Gguf::parse(input);
        if (!gguf) return 0;
        auto vocabulary = vocabulary_from(*gguf);
        if (!vocabulary) return 0;
        const auto tokenizer = Tokenizer::build(*std::move(vocabulary));
        if (tokenizer) check_text(*tokenizer, text, false);
        return 0;
    }
    static const Result<Tokenizer> spm =
        Tokenizer::build(fixed_vocabulary(VocabularyKind::sentencepiece));
    static const Result<Tokenizer> bpe =
        Tokenizer::build(fixed_vocabulary(VocabularyKind::byte_level_bpe));
    // SentencePiece cannot tell U+2581 from a space.
    check_text(*spm, text, text.find("\xe2\x96\x81") == text.npos);
    check_text(*bpe, text, false);
    return 0;
}
