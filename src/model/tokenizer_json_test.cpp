// SPDX-License-Identifier: Apache-2.0
#include "model/tokenizer_json.hpp"

#include <gtest/gtest.h>

#include "model/gguf_writer.hpp"
#include "model/stream_decoder.hpp"
#include "model/tokenizer.hpp"
#include "model/vocabulary_writer.hpp"

namespace teetee::model {
namespace {

using Ids = std::vector<TokenId>;

/// The parts of a tokenizer.json that the tests vary.
struct Parts {
    std::string normalizer = "null";
    std::string pre_tokenizer = "null";
    std::string post_processor = "null";
    std::string decoder = "null";
    std::string added = "[]";
    std::string model;

    std::string json() const {
        return R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":)" + added +
               R"(,"normalizer":)" + normalizer + R"(,"pre_tokenizer":)" + pre_tokenizer +
               R"(,"post_processor":)" + post_processor + R"(,"decoder":)" + decoder +
               R"(,"model":)" + model + "}";
    }
};

std::string added_token(TokenId id, const std::string& text, const std::string& flags) {
    return R"({"id":)" + std::to_string(id) + R"(,"content":")" + text + "\"" + flags + "}";
}

Parts byte_level() {
    Parts parts;
    parts.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true})";
    parts.decoder = R"({"type":"ByteLevel"})";
    parts.model = R"({"type":"BPE","vocab":{"a":0,"b":1,"Ġ":2,"ab":3,"Ġa":4,"Ġab":5,"Ã":6,"©":7},)"
                  R"("merges":["a b",["Ġ","a"],"Ġ ab"]})";
    return parts;
}

/// As Llama 2's: a mark in front of the text, spaces as marks, bytes for what is unknown.
Parts metaspace() {
    Parts parts;
    parts.normalizer = R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},)"
                       R"({"type":"Replace","pattern":{"String":" "},"content":"▁"}]})";
    parts.decoder = R"({"type":"Sequence","decoders":[)"
                    R"({"type":"Replace","pattern":{"String":"▁"},"content":" "},)"
                    R"({"type":"ByteFallback"},{"type":"Fuse"},)"
                    R"({"type":"Strip","content":" ","start":1,"stop":0}]})";
    parts.post_processor =
        R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},)"
        R"({"Sequence":{"id":"A","type_id":0}}],"pair":[],)"
        R"("special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}})";
    parts.added = "[" + added_token(0, "<unk>", R"(,"special":true)") + "," +
                  added_token(1, "<s>", R"(,"special":true)") + "]";
    std::string vocab = R"("<unk>":0,"<s>":1,"▁":2,"a":3,"▁a":4,"b":5,"ab":6,"▁ab":7)";
    for (int byte = 0; byte < 256; ++byte) {
        const auto value = static_cast<uint8_t>(byte);
        std::string hex = to_hex({&value, 1});
        for (char& c : hex) c = static_cast<char>(std::toupper(c));
        vocab += ",\"<0x" + hex + ">\":" + std::to_string(8 + byte);
    }
    parts.model = R"({"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,)"
                  R"("vocab":{)" +
                  vocab + R"(},"merges":["▁ a","a b","▁ ab","▁a b"]})";
    return parts;
}

Parts unigram() {
    Parts parts;
    parts.normalizer = R"({"type":"Sequence","normalizers":[{"type":"NFKC"},)"
                       R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]})";
    parts.pre_tokenizer = R"({"type":"Metaspace","replacement":"▁","add_prefix_space":true,)"
                          R"("prepend_scheme":"always"})";
    parts.decoder = parts.pre_tokenizer;
    parts.model = R"({"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],["▁",-2.0],["a",-3.0],)"
                  R"(["b",-3.5],["▁a",-4.0],["ab",-4.5],["▁ab",-9.0],["abb",-20]]})";
    return parts;
}

Tokenizer tokenizer_of(const Parts& parts) {
    auto vocabulary = parse_tokenizer_json(parts.json());
    EXPECT_TRUE(vocabulary) << vocabulary.error().message();
    auto tokenizer = Tokenizer::build(std::move(vocabulary).value());
    EXPECT_TRUE(tokenizer) << tokenizer.error().message();
    return std::move(tokenizer).value();
}

Ids encode(const Parts& parts, std::string_view text, EncodeOptions options = {}) {
    const auto ids = tokenizer_of(parts).encode(text, options);
    EXPECT_TRUE(ids) << ids.error().message();
    return ids ? *ids : Ids();
}

constexpr EncodeOptions with_special = {.add_special = true, .parse_special = true};

TEST(tokenizer_json, byte_level_bpe) {
    EXPECT_EQ(encode(byte_level(), "ab ab"), (Ids{3, 5}));
    EXPECT_EQ(encode(byte_level(), "\xc3\xa9"), (Ids{6, 7}));
    // A byte without a token, in a model without an unknown token, leaves nothing.
    EXPECT_EQ(encode(byte_level(), "axb"), (Ids{0, 1}));
    EXPECT_EQ(*tokenizer_of(byte_level()).decode(Ids{3, 5, 6, 7}), "ab ab\xc3\xa9");
}

TEST(tokenizer_json, ignore_merges_takes_whole_pieces_first) {
    Parts parts = byte_level();
    parts.model = R"({"type":"BPE","ignore_merges":true,)"
                  R"("vocab":{"a":0,"b":1,"c":2,"abc":3,"ab":4},"merges":["a b"]})";
    EXPECT_EQ(encode(parts, "abc"), (Ids{3}));
    parts.model.replace(parts.model.find("true"), 4, "false");
    EXPECT_EQ(encode(parts, "abc"), (Ids{4, 2}));
}

TEST(tokenizer_json, metaspace_bpe_with_byte_fallback) {
    EXPECT_EQ(encode(metaspace(), "ab a"), (Ids{7, 4}));
    EXPECT_EQ(encode(metaspace(), "\xc3\xa9"), (Ids{2, 8 + 0xc3, 8 + 0xa9}));
    EXPECT_EQ(encode(metaspace(), "a<s>b", with_special), (Ids{1, 4, 1, 2, 5}));
    EXPECT_EQ(encode(metaspace(), ""), Ids());
    const Tokenizer tokenizer = tokenizer_of(metaspace());
    EXPECT_EQ(*tokenizer.decode(Ids{1, 7, 4}), "ab a");
    EXPECT_EQ(*tokenizer.decode(Ids{1, 7, 4}, {.render_special = true}), "<s> ab a");
}

TEST(tokenizer_json, plain_text_never_becomes_a_control_token) {
    const Ids ids = encode(metaspace(), "<s>");
    EXPECT_EQ(std::count(ids.begin(), ids.end(), 1u), 0);
    EXPECT_EQ(*tokenizer_of(metaspace()).decode(ids), "<s>");
}

TEST(tokenizer_json, unigram_takes_the_likeliest_way) {
    EXPECT_EQ(encode(unigram(), "ab"), (Ids{1, 5}));    // -2 -4.5 beats -4 -3.5 and -9
    EXPECT_EQ(encode(unigram(), "a  a"), (Ids{4, 4}));  // -4 beats -2 -3
    EXPECT_EQ(encode(unigram(), "abb"), (Ids{1, 5, 3}));
    EXPECT_EQ(encode(unigram(), "axyb"), (Ids{4, 0, 3}));    // one unknown token for both
    EXPECT_EQ(encode(unigram(), "\xef\xbd\x81"), (Ids{4}));  // U+FF41
    EXPECT_EQ(*tokenizer_of(unigram()).decode(Ids{4, 4, 1, 5}), "a a ab");
}

TEST(tokenizer_json, flags_of_added_tokens) {
    Parts parts = byte_level();
    const auto ids = [&](const std::string& flags, std::string_view text) {
        parts.added = "[" + added_token(8, "<t>", flags) + "]";
        return encode(parts, text, with_special);
    };
    EXPECT_EQ(ids("", "a <t> b"), (Ids{0, 2, 8, 2, 1}));
    EXPECT_EQ(ids(R"(,"lstrip":true)", "a <t> b"), (Ids{0, 8, 2, 1}));
    EXPECT_EQ(ids(R"(,"rstrip":true)", "a <t> b"), (Ids{0, 2, 8, 1}));
    EXPECT_EQ(ids(R"(,"single_word":true)", "a<t> <t>b <t>"), (Ids{0, 2, 1, 2, 8}));
    // Special ones only where they are asked for, others always.
    EXPECT_EQ(encode(parts, "a <t>"), (Ids{0, 2, 8}));
    ids(R"(,"special":true)", "");
    EXPECT_EQ(encode(parts, "a <t>"), (Ids{0, 2}));
}

TEST(tokenizer_json, an_added_token_can_be_looked_for_after_normalizing) {
    Parts parts = byte_level();
    parts.normalizer = R"({"type":"Lowercase"})";
    parts.added = "[" + added_token(8, "<T>", R"(,"normalized":true)") + "]";
    EXPECT_EQ(encode(parts, "A<t>B<T>"), (Ids{0, 8, 1, 8}));
    parts.added = "[" + added_token(8, "<T>", R"(,"normalized":false)") + "]";
    EXPECT_EQ(encode(parts, "A<t>B<T>"), (Ids{0, 1, 8}));
}

TEST(tokenizer_json, prepend_scheme_first_marks_the_first_piece_alone) {
    Parts parts = unigram();
    parts.added = "[" + added_token(8, "<t>", "") + "]";
    EXPECT_EQ(encode(parts, "a<t>a"), (Ids{4, 8, 4}));
    for (std::string* part : {&parts.pre_tokenizer, &parts.decoder})
        part->replace(part->find("always"), 6, "first");
    EXPECT_EQ(encode(parts, "a<t>a"), (Ids{4, 8, 2}));
}

/// What a pre-tokenizer makes of a text, as one byte-level token for each piece.
std::string pieces(const std::string& pre_tokenizer, std::string_view text) {
    Parts parts;
    parts.pre_tokenizer = R"({"type":"Sequence","pretokenizers":[)" + pre_tokenizer +
                          R"(,{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})";
    parts.decoder = R"({"type":"ByteLevel"})";
    // No merges, so that pieces are seen by the unknown token that fuses what is in one piece.
    parts.model =
        R"({"type":"BPE","unk_token":"|","fuse_unk":true,"vocab":{"|":0,"-":1},"merges":[]})";
    std::string out;
    for (const TokenId id : encode(parts, text)) out += id == 0 ? '|' : '-';
    return out;
}

TEST(tokenizer_json, ways_to_split) {
    const auto split = [](std::string_view behaviour, bool inverted) {
        return R"({"type":"Split","pattern":{"String":"-"},"behavior":")" + std::string(behaviour) +
               R"(","invert":)" + (inverted ? "true}" : "false}");
    };
    EXPECT_EQ(pieces(split("Isolated", false), "ab--cd"), "|--|");
    EXPECT_EQ(pieces(split("Removed", false), "ab--cd"), "||");
    EXPECT_EQ(pieces(split("Removed", true), "ab--cd"), "--");
    EXPECT_EQ(pieces(R"({"type":"Digits","individual_digits":true})", "a12b"), "||||");
    EXPECT_EQ(pieces(R"({"type":"Digits","individual_digits":false})", "a12b"), "|||");
    EXPECT_EQ(pieces(R"({"type":"WhitespaceSplit"})", "a b  c"), "|||");
    EXPECT_EQ(pieces(R"({"type":"Whitespace"})", "ab, c"), "|||");
    EXPECT_EQ(pieces(R"({"type":"Punctuation"})", "ab,.c"), "||||");
    EXPECT_EQ(pieces(R"({"type":"Punctuation","behavior":"Contiguous"})", "ab,.c"), "|||");
    EXPECT_EQ(pieces(R"({"type":"CharDelimiterSplit","delimiter":"x"})", "axbxc"), "|||");
    // A match of nothing cuts too: digits in threes from the right.
    EXPECT_EQ(pieces(R"x({"type":"Split","pattern":{"Regex":"(?=(\\d{3})+(?!\\d))"},)x"
                     R"("behavior":"Isolated","invert":false})",
                     "1234567"),
              "|||");
    // Where a piece ends shows in what the unknown token fuses: "ab-" and "-", or "-" and "-cd".
    EXPECT_EQ(pieces(split("MergedWithPrevious", false), "ab--cd"), "|--|");
    EXPECT_EQ(pieces(split("MergedWithPrevious", false), "ab-cd"), "|-|");
    EXPECT_EQ(pieces(split("MergedWithNext", false), "ab-cd"), "|-|");
}

TEST(tokenizer_json, names_what_it_does_not_know) {
    const auto rejects = [](const Parts& parts, std::string_view named) {
        const auto vocabulary = parse_tokenizer_json(parts.json());
        ASSERT_FALSE(vocabulary) << named;
        EXPECT_EQ(vocabulary.error().code, ErrorCode::tokenizer_unsupported) << named;
        EXPECT_NE(vocabulary.error().detail.find(named), std::string::npos)
            << vocabulary.error().detail;
    };
    const auto with = [](std::string Parts::*part, const std::string& json) {
        Parts parts = byte_level();
        parts.*part = json;
        return parts;
    };
    rejects(with(&Parts::normalizer, R"({"type":"BertNormalizer"})"), "BertNormalizer");
    rejects(with(&Parts::normalizer, R"({"type":"NFC","mode":1})"), "mode");
    rejects(with(&Parts::normalizer, R"({"type":"Precompiled","precompiled_charsmap":"!"})"),
            "precompiled_charsmap");
    rejects(with(&Parts::pre_tokenizer, R"({"type":"UnicodeScripts"})"), "UnicodeScripts");
    rejects(with(&Parts::pre_tokenizer, R"x({"type":"Split","pattern":{"Regex":"(?<n>a)"}})x"),
            "(?<n");
    rejects(with(&Parts::pre_tokenizer,
                 R"({"type":"Split","pattern":{"String":"a"},"behavior":"Sideways"})"),
            "Sideways");
    rejects(with(&Parts::decoder, R"({"type":"WordPiece"})"), "WordPiece");
    rejects(with(&Parts::post_processor, R"({"type":"RobertaProcessing"})"), "RobertaProcessing");
    rejects(with(&Parts::model, R"({"type":"WordLevel","vocab":{"a":0}})"), "WordLevel");
    rejects(with(&Parts::model, R"({"type":"BPE","dropout":0.1,"vocab":{"a":0},"merges":[]})"),
            "dropout");
    rejects(with(&Parts::model,
                 R"({"type":"BPE","end_of_word_suffix":"</w>","vocab":{"a":0},"merges":[]})"),
            "end_of_word_suffix");
    rejects(with(&Parts::model, R"({"type":"BPE","magic":1,"vocab":{"a":0},"merges":[]})"),
            "magic");
}

TEST(tokenizer_json, rejects_vocabularies_that_cannot_be) {
    const auto code_of = [](const std::string& model, const std::string& added = "[]") {
        Parts parts = byte_level();
        parts.model = model;
        parts.added = added;
        const auto vocabulary = parse_tokenizer_json(parts.json());
        if (!vocabulary) return vocabulary.error().code;
        const auto tokenizer = Tokenizer::build(*vocabulary);
        return tokenizer ? ErrorCode{} : tokenizer.error().code;
    };
    using enum ErrorCode;
    EXPECT_EQ(code_of(R"({"type":"BPE","vocab":{},"merges":[]})"), vocabulary_invalid);
    EXPECT_EQ(code_of(R"({"type":"BPE","vocab":{"a":0,"b":0},"merges":[]})"), vocabulary_invalid);
    EXPECT_EQ(code_of(R"({"type":"BPE","vocab":{"a":0,"a":1},"merges":[]})"), invalid_json);
    EXPECT_EQ(code_of(R"({"type":"BPE","vocab":{"a":4000000000},"merges":[]})"),
              vocabulary_invalid);
    EXPECT_EQ(code_of(R"({"type":"BPE","vocab":{"a":-1},"merges":[]})"), invalid_json);
    EXPECT_EQ(code_of(R"({"type":"BPE","vocab":{"a":0},"merges":["a b"]})"), vocabulary_invalid);
    EXPECT_EQ(code_of(R"({"type":"BPE","vocab":{"a":0},"merges":["a"]})"), vocabulary_invalid);
    EXPECT_EQ(code_of(R"({"type":"BPE","vocab":{"a":0},"merges":[["a"]]})"), vocabulary_invalid);
    EXPECT_EQ(code_of(R"({"type":"BPE","unk_token":"u","vocab":{"a":0},"merges":[]})"),
              tokenizer_unsupported);
    EXPECT_EQ(code_of(R"({"type":"Unigram","unk_id":7,"vocab":[["a",0]]})"), vocabulary_invalid);
    EXPECT_EQ(code_of(R"({"type":"Unigram","vocab":[["a"]]})"), vocabulary_invalid);
    EXPECT_EQ(code_of(R"({"type":"Unigram","vocab":[["a",0,1]]})"), vocabulary_invalid);
    EXPECT_EQ(code_of(R"({"type":"BPE","vocab":{"a":0},"merges":[]})",
                      "[" + added_token(0, "b", "") + "]"),
              vocabulary_invalid);
    EXPECT_EQ(parse_tokenizer_json("{}").error().code, tokenizer_unsupported);
    EXPECT_EQ(parse_tokenizer_json("[]").error().code, invalid_json);
    EXPECT_EQ(parse_tokenizer_json(byte_level().json() + "x").error().code, invalid_json);
}

TEST(tokenizer_json, a_gguf_gives_the_same_vocabulary_back) {
    Parts flagged = byte_level();
    flagged.added = "[" + added_token(8, "<t>", R"(,"lstrip":true,"normalized":true)") + "]";
    for (const Parts& parts : {flagged, metaspace(), unigram()}) {
        const auto vocabulary = parse_tokenizer_json(parts.json());
        ASSERT_TRUE(vocabulary);
        GgufWriter writer;
        writer.string("general.architecture", "phi3");
        write_vocabulary(*vocabulary, writer);
        Bytes file;
        ASSERT_TRUE(writer.write([&](ByteView bytes) -> Result<void> {
            file.insert(file.end(), bytes.begin(), bytes.end());
            return {};
        }));
        const auto gguf = Gguf::parse(file);
        ASSERT_TRUE(gguf);
        const auto read = vocabulary_from(*gguf);
        ASSERT_TRUE(read) << read.error().message();
        EXPECT_EQ(read->kind, vocabulary->kind);
        EXPECT_EQ(read->pre, vocabulary->pre);
        EXPECT_EQ(read->merges, vocabulary->merges);
        EXPECT_EQ(read->rules, vocabulary->rules);
        EXPECT_EQ(read->bos, vocabulary->bos);
        EXPECT_EQ(read->unknown, vocabulary->unknown);
        EXPECT_EQ(read->add_bos, vocabulary->add_bos);
        ASSERT_EQ(read->tokens.size(), vocabulary->tokens.size());
        for (size_t id = 0; id < read->tokens.size(); ++id) {
            EXPECT_EQ(read->tokens[id].text, vocabulary->tokens[id].text);
            EXPECT_EQ(read->tokens[id].type, vocabulary->tokens[id].type);
            EXPECT_EQ(read->tokens[id].strips_left, vocabulary->tokens[id].strips_left);
            EXPECT_EQ(read->tokens[id].after_normalizing, vocabulary->tokens[id].after_normalizing);
        }
    }
}

TEST(tokenizer_json, configurations_say_what_begins_and_ends_a_text) {
    const std::string json = metaspace().json();
    const auto read = [&](std::string_view config, std::string_view generation = "") {
        const auto vocabulary = vocabulary_from(TokenizerFiles{
            .tokenizer_json = json, .tokenizer_config = config, .generation_config = generation});
        EXPECT_TRUE(vocabulary) << vocabulary.error().message();
        return *vocabulary;
    };
    EXPECT_TRUE(read("{}").add_bos);
    EXPECT_TRUE(read(R"({"add_bos_token":false})").add_bos);  // the template wins
    EXPECT_FALSE(read(R"({"add_bos_token":false,"tokenizer_class":"LlamaTokenizerFast"})").add_bos);
    EXPECT_EQ(read(R"({"eos_token":{"content":"a"}})").eos, 3u);
    EXPECT_EQ(read(R"({"chat_template":[{"name":"tool","template":"t"},)"
                   R"({"name":"default","template":"d"}]})")
                  .chat_template,
              "d");
    const auto vocabulary = read(R"({"eos_token":"a"})", R"({"eos_token_id":[3,5]})");
    EXPECT_EQ(vocabulary.eos, 3u);
    EXPECT_EQ(vocabulary.eot, 5u);
    EXPECT_FALSE(vocabulary_from(TokenizerFiles{}));
}

TEST(tokenizer_json, streams_what_it_decodes) {
    const Tokenizer tokenizer = tokenizer_of(metaspace());
    for (const DecodeOptions options : {DecodeOptions{}, DecodeOptions{.render_special = true}}) {
        const Ids ids = {1, 7, 1, 4, 8 + 0xc3, 8 + 0xa9, 7};
        StreamDecoder decoder(tokenizer, options);
        std::string streamed;
        for (const TokenId id : ids) streamed += *decoder.feed(id);
        EXPECT_EQ(streamed + decoder.finish(), *tokenizer.decode(ids, options));
    }
}

}  // namespace
}  // namespace teetee::model
