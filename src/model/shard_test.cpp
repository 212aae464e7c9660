// SPDX-License-Identifier: Apache-2.0
#include "model/shard.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "model/test_model.hpp"

namespace teetee::model {
namespace {

struct Cut {
    Manifest manifest;
    std::vector<Bytes> files;
};

Cut cut_model(const Bytes& model_file, uint32_t shard_count) {
    const auto model = Gguf::parse(model_file);
    EXPECT_TRUE(model);
    const auto ranges = even_cut(layer_count_of(*model).value(), shard_count);
    EXPECT_TRUE(ranges);
    auto manifest = build_manifest(*model, *ranges);
    EXPECT_TRUE(manifest) << manifest.error().message();
    Cut cut = {std::move(manifest).value(), {}};
    for (uint32_t i = 0; i < shard_count; ++i) {
        cut.files.emplace_back();
        EXPECT_TRUE(cut_shard(*model, cut.manifest, i, append_to(cut.files.back())));
        EXPECT_EQ(cut.files.back().size(), cut.manifest.shards[i].file_bytes);
    }
    return cut;
}

Result<void> verify(const Bytes& file, const Manifest& manifest, uint32_t shard_index) {
    TT_TRY(const Gguf shard, Gguf::parse(file));
    return verify_shard(shard, manifest, shard_index);
}

std::set<std::string> names_in(const Bytes& file) {
    const auto gguf = Gguf::parse(file);
    EXPECT_TRUE(gguf) << gguf.error().message();
    std::set<std::string> names;
    for (const GgufTensor& tensor : gguf->tensors()) names.emplace(tensor.name);
    return names;
}

/// The file without teetee keys, and with one tensor renamed if asked.
Bytes rewritten(const Bytes& file, std::string_view from = {}, std::string_view to = {}) {
    const auto gguf = Gguf::parse(file);
    EXPECT_TRUE(gguf);
    GgufWriter writer;
    for (const GgufEntry& entry : gguf->entries()) {
        if (!entry.key.starts_with("teetee.")) writer.copy(entry);
    }
    for (GgufTensor tensor : gguf->tensors()) {
        if (tensor.name == from) tensor.name = to;
        writer.tensor(tensor, gguf->data(tensor));
    }
    return written(writer);
}

TEST(shard, holds_its_part_of_the_model) {
    const Cut cut = cut_model(test_model(), 3);
    EXPECT_EQ(names_in(cut.files[0]),
              (std::set<std::string>{"token_embd.weight", "rope_freqs.weight",
                                     "blk.0.attn_q.weight", "blk.0.ffn_up.weight",
                                     "blk.1.attn_q.weight", "blk.1.ffn_up.weight"}));
    EXPECT_EQ(
        names_in(cut.files[1]),
        (std::set<std::string>{"rope_freqs.weight", "blk.2.attn_q.weight", "blk.2.ffn_up.weight",
                               "blk.3.attn_q.weight", "blk.3.ffn_up.weight"}));
    EXPECT_EQ(
        names_in(cut.files[2]),
        (std::set<std::string>{"rope_freqs.weight", "blk.4.attn_q.weight", "blk.4.ffn_up.weight",
                               "output_norm.weight", "output.weight"}));
}

TEST(shard, gives_the_embedding_to_the_tail_when_the_output_is_tied) {
    const Cut cut = cut_model(test_model({.layer_count = 2, .output_tied = true}), 2);
    EXPECT_TRUE(names_in(cut.files[0]).contains("token_embd.weight"));
    EXPECT_TRUE(names_in(cut.files[1]).contains("token_embd.weight"));
    EXPECT_TRUE(verify(cut.files[1], cut.manifest, 1));
}

TEST(shard, says_what_it_is) {
    const Bytes whole = test_model();
    EXPECT_EQ(*parse_shard_info(*Gguf::parse(whole)), std::nullopt);
    const Cut cut = cut_model(whole, 3);
    const auto shard = Gguf::parse(cut.files[1]);
    ASSERT_TRUE(shard);
    const auto info = parse_shard_info(*shard);
    ASSERT_TRUE(info) << info.error().message();
    ASSERT_TRUE(info->has_value());
    EXPECT_EQ((*info)->index, 1u);
    EXPECT_EQ((*info)->count, 3u);
    EXPECT_EQ((*info)->layers, (LayerRange{2, 4}));
    EXPECT_EQ((*info)->model_root, cut.manifest.model_root);
    EXPECT_EQ((*info)->shard_root, cut.manifest.shards[1].root);
    EXPECT_EQ(*shard->string("general.name"), "A \"small\" model");
}

TEST(shard, hashes_to_its_root_for_every_count) {
    for (const bool tied : {false, true}) {
        const Bytes whole = test_model({.layer_count = 5, .output_tied = tied});
        for (const uint32_t shard_count : {1u, 2u, 3u, 5u}) {
            const Cut cut = cut_model(whole, shard_count);
            ASSERT_TRUE(parse_manifest(encode_manifest(cut.manifest)));
            for (uint32_t i = 0; i < shard_count; ++i) {
                EXPECT_TRUE(verify(cut.files[i], cut.manifest, i));
                const auto root =
                    compute_shard_root(*Gguf::parse(cut.files[i]), cut.manifest.model_root,
                                       cut.manifest.shards[i].layers);
                ASSERT_TRUE(root);
                EXPECT_EQ(*root, cut.manifest.shards[i].root);
            }
        }
    }
}

TEST(shard, has_roots_as_specified) {
    // Computed from the text of manifest.hpp and merkle.hpp by another implementation.
    const Cut cut = cut_model(test_model(), 2);
    EXPECT_EQ(to_hex(cut.manifest.hyperparameters_sha256),
              "bbb22684253e6fa55e3d29377b11dbd07f61987cbe47c7a5e7fa1eeff7b8324e");
    EXPECT_EQ(to_hex(cut.manifest.tokenizer_sha256),
              "14bed58810204592d386fb21f09f03038af0c44b02d94ae764c45bf0339df80e");
    EXPECT_EQ(to_hex(cut.manifest.model_root),
              "02037e3ba3a8a754d6da46cb8e766dc41adefa82939e895e5925c8bb3fe5572e");
    EXPECT_EQ(to_hex(cut.manifest.shards[0].root),
              "03dcf1f22ead19dec04f28918df8fe0cd20e13f3181376ef2b33c3bb742ad4dc");
    EXPECT_EQ(to_hex(cut.manifest.shards[1].root),
              "5f33754821f113a6067b8982663c071d03553da59b1a4e24736838891f235968");
}

TEST(shard, has_the_same_bytes_each_time) {
    const Bytes whole = test_model();
    EXPECT_EQ(cut_model(whole, 3).files, cut_model(whole, 3).files);
}

TEST(shard, can_be_cut_from_an_only_shard_but_not_from_a_part) {
    const Bytes whole = test_model();
    const Cut only = cut_model(whole, 1);
    EXPECT_EQ(cut_model(only.files[0], 3).files, cut_model(whole, 3).files);
    const Cut two = cut_model(whole, 2);
    const LayerRange all[] = {{0, 5}};
    EXPECT_EQ(build_manifest(*Gguf::parse(two.files[0]), all).error().code,
              ErrorCode::invalid_argument);
    const Bytes stripped = rewritten(two.files[0]);
    EXPECT_EQ(build_manifest(*Gguf::parse(stripped), all).error().message(),
              "manifest_malformed: layer 3: has no tensor, so this is not the whole model");
}

TEST(shard, is_verified_without_its_keys_too) {
    const Bytes whole = test_model();
    EXPECT_TRUE(verify(whole, cut_model(whole, 1).manifest, 0));
}

TEST(shard, names_the_tensor_that_was_changed) {
    Cut cut = cut_model(test_model(), 2);
    for (uint32_t i = 0; i < 2; ++i) {
        const Bytes intact = cut.files[i];
        const auto shard = Gguf::parse(intact);
        ASSERT_TRUE(shard);
        for (const GgufTensor& tensor : shard->tensors()) {
            Bytes changed = intact;
            changed[tensor.offset + tensor.bytes - 1] ^= 0x80;
            const auto result = verify(changed, cut.manifest, i);
            ASSERT_FALSE(result);
            EXPECT_EQ(result.error().code, ErrorCode::shard_mismatch);
            EXPECT_TRUE(result.error().detail.starts_with(quote_foreign(tensor.name)));
        }
    }
}

TEST(shard, rejects_changed_metadata) {
    const Cut cut = cut_model(test_model(), 2);
    struct Case {
        std::string_view from, to, named;
    };
    const Case cases[] = {
        {"\"small\"", "\"large\"", "metadata"},
        {"<s>", "<t>", "tokenizer metadata"},
        {"ffn_up", "ffn_in", "'blk."},
    };
    for (const Case& c : cases) {
        Bytes changed = cut.files[0];
        const auto at = std::search(changed.begin(), changed.end(), c.from.begin(), c.from.end());
        ASSERT_NE(at, changed.end());
        std::copy(c.to.begin(), c.to.end(), at);
        const auto result = verify(changed, cut.manifest, 0);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::shard_mismatch);
        EXPECT_TRUE(result.error().detail.starts_with(c.named)) << result.error().detail;
    }
}

TEST(shard, rejects_swapped_shards) {
    const Cut cut = cut_model(test_model(), 3);
    for (uint32_t i = 0; i < 3; ++i) {
        for (uint32_t j = 0; j < 3; ++j) {
            // Also when the file does not say which shard it is.
            EXPECT_EQ(verify(cut.files[i], cut.manifest, j).has_value(), i == j);
            EXPECT_EQ(verify(rewritten(cut.files[i]), cut.manifest, j).has_value(), i == j);
        }
    }
    EXPECT_EQ(verify(cut.files[0], cut.manifest, 3).error().code, ErrorCode::invalid_argument);
}

TEST(shard, rejects_a_shard_of_another_cut_or_model) {
    const Cut cut = cut_model(test_model(), 2);
    EXPECT_EQ(verify(cut_model(test_model(), 3).files[0], cut.manifest, 0).error().code,
              ErrorCode::shard_mismatch);
    const Bytes other = test_model({.layer_count = 5, .output_tied = true});
    EXPECT_EQ(verify(cut_model(other, 2).files[0], cut.manifest, 0).error().code,
              ErrorCode::shard_mismatch);
    Bytes sunk;
    EXPECT_EQ(cut_shard(*Gguf::parse(other), cut.manifest, 0, append_to(sunk)).error().code,
              ErrorCode::shard_mismatch);
    EXPECT_TRUE(sunk.empty());
}

TEST(shard, rejects_keys_that_do_not_fit_together) {
    const std::string root(64, 'a');
    struct Keys {
        uint32_t version, index, count, begin, end;
        std::string model_root, shard_root;
    };
    const auto parse = [](const Keys& keys, bool extra = false) {
        GgufWriter writer;
        writer.string("general.architecture", "llama");
        writer.u32("llama.block_count", 5);
        writer.u32("teetee.version", keys.version);
        writer.u32("teetee.shard.index", keys.index);
        writer.u32("teetee.shard.count", keys.count);
        writer.u32("teetee.shard.layer_begin", keys.begin);
        writer.u32("teetee.shard.layer_end", keys.end);
        writer.string("teetee.model_root", keys.model_root);
        if (!keys.shard_root.empty()) writer.string("teetee.shard_root", keys.shard_root);
        if (extra) writer.u32("teetee.extra", 1);
        const Bytes file = written(writer);
        return parse_shard_info(*Gguf::parse(file)).has_value();
    };
    EXPECT_TRUE(parse({1, 0, 2, 0, 3, root, root}));
    EXPECT_FALSE(parse({1, 0, 2, 0, 3, root, root}, true));
    for (const Keys& keys : {
             Keys{2, 0, 2, 0, 3, root, root},
             Keys{1, 2, 2, 3, 5, root, root},
             Keys{1, 0, 0, 0, 5, root, root},
             Keys{1, 0, 129, 0, 3, root, root},
             Keys{1, 0, 2, 0, 5, root, root},
             Keys{1, 0, 2, 1, 3, root, root},
             Keys{1, 1, 2, 3, 4, root, root},
             Keys{1, 1, 2, 3, 6, root, root},
             Keys{1, 1, 3, 3, 3, root, root},
             Keys{1, 0, 2, 0, 3, root, ""},
             Keys{1, 0, 2, 0, 3, "ab", root},
             Keys{1, 0, 2, 0, 3, std::string(64, 'A'), root},
         }) {
        EXPECT_FALSE(parse(keys));
    }
}

TEST(shard, tells_its_progress) {
    const Bytes file = test_model();
    const auto model = Gguf::parse(file);
    std::vector<uint64_t> done;
    const LayerRange all[] = {{0, 5}};
    const auto progress = [&](uint64_t done_bytes, uint64_t total_bytes) {
        done.push_back(done_bytes);
        EXPECT_EQ(total_bytes, 14u * 102);
    };
    ASSERT_TRUE(build_manifest(*model, all, progress));
    EXPECT_EQ(done.size(), 14u);
    EXPECT_TRUE(std::is_sorted(done.begin(), done.end()));
    EXPECT_EQ(done.back(), 14u * 102);
}

TEST(shard, refuses_models_without_a_layer_count) {
    const LayerRange all[] = {{0, 5}};
    const auto code = [&](const GgufWriter& writer) {
        const Bytes file = written(writer);
        return build_manifest(*Gguf::parse(file), all).error().code;
    };
    GgufWriter writer;
    EXPECT_EQ(code(writer), ErrorCode::gguf_malformed);
    writer.string("general.architecture", "llama");
    EXPECT_EQ(code(writer), ErrorCode::gguf_malformed);
    writer.u32("llama.block_count", 0);
    EXPECT_EQ(code(writer), ErrorCode::hyperparameter_invalid);
    const Bytes file = test_model({.layer_count = 4});
    EXPECT_EQ(build_manifest(*Gguf::parse(file), all).error().code, ErrorCode::invalid_argument);
}

TEST(shard, cuts_a_published_model) {
    const Bytes whole = read_file(TEETEE_SHARED_DATA "/models/stories260K/stories260K.gguf");
    if (whole.empty()) GTEST_SKIP() << "no stories260K.gguf";
    for (const uint32_t shard_count : {1u, 2u, 3u, 5u}) {
        const Cut cut = cut_model(whole, shard_count);
        for (uint32_t i = 0; i < shard_count; ++i) {
            EXPECT_TRUE(verify(cut.files[i], cut.manifest, i));
            EXPECT_FALSE(verify(cut.files[i], cut.manifest, (i + 1) % shard_count) &&
                         shard_count > 1);
            const auto shard = Gguf::parse(cut.files[i]);
            ASSERT_TRUE(shard);
            for (const GgufTensor& tensor : shard->tensors()) {
                Bytes changed = cut.files[i];
                changed[tensor.offset + tensor.bytes / 2] ^= 1;
                const auto result = verify(changed, cut.manifest, i);
                ASSERT_FALSE(result);
                EXPECT_EQ(result.error().code, ErrorCode::shard_mismatch);
                EXPECT_TRUE(result.error().detail.starts_with(quote_foreign(tensor.name)));
            }
        }
    }
}

}  // namespace
}  // namespace teetee::model
