// SPDX-License-Identifier: Apache-2.0
// A tokenizer.json, or a SentencePiece model where the input is no JSON object. What is accepted
// must encode and decode any text without failing in a way that only a programmer could cause, and
// pass through a GGUF unchanged.
#include "base/assert.hpp"
#include "model/gguf_writer.hpp"
#include "model/sentencepiece_model.hpp"
#include "model/tokenizer.hpp"
#include "model/tokenizer_json.hpp"
#include "model/vocabulary_writer.hpp"

using namespace teetee;
using namespace teetee::model;

namespace {

void check_gguf(const Vocabulary& vocabulary) {
    GgufWriter writer;
    write_vocabulary(vocabulary, writer);
    Bytes file;
    TT_ASSERT(writer.write([&](ByteView bytes) -> Result<void> {
        file.insert(file.end(), bytes.begin(), bytes.end());
        return {};
    }));
    const auto gguf = Gguf::parse(file);
    TT_ASSERT(gguf);
    const auto read = vocabulary_from(*gguf);
    TT_ASSERT(read);
    TT_ASSERT(read->rules == vocabulary.rules);
    TT_ASSERT(read->tokens.size() == vocabulary.tokens.size());
}

void check_text(const Tokenizer& tokenizer, std::string_view text) {
    for (const bool special : {false, true}) {
        const auto ids = tokenizer.encode(text, {.add_special = special, .parse_special = special});
        if (!ids) {
            TT_ASSERT(ids.error().code != ErrorCode::internal);
            continue;
        }
        TT_ASSERT(tokenizer.decode(*ids, {.render_special = special}));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView input(data, size);
    auto vocabulary = as_text(input).starts_with('{') ? parse_tokenizer_json(as_text(input))
                                                      : parse_sentencepiece_model(input);
    if (!vocabulary) return 0;
    check_gguf(*vocabulary);
    const auto tokenizer = Tokenizer::build(*std::move(vocabulary));
    if (!tokenizer) return 0;
    for (const std::string_view text :
         {as_text(input).substr(0, 4096), std::string_view(" ab <s>  \xc3\xa9 123\n\xff")})
        check_text(*tokenizer, text);
    return 0;
}
