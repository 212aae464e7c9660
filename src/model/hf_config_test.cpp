// SPDX-License-Identifier: Apache-2.0
#include "model/hf_config.hpp"

#include <gtest/gtest.h>

#include "model/checkpoint.hpp"
#include "model/hf_tensors.hpp"

namespace teetee::model {
namespace {

std::string llama(const std::string& more) {
    return R"({"model_type":"llama","hidden_size":128,"intermediate_size":256,)"
           R"("num_hidden_layers":2,"num_attention_heads":8,"num_key_value_heads":2,)"
           R"("max_position_embeddings":131072,"rms_norm_eps":1e-05,"rope_theta":500000.0)" +
           more + "}";
}

template <class T>
T key(const HfConfig& config, std::string_view name) {
    for (const auto& [have, value] : config.keys)
        if (have == name) return std::get<T>(value);
    ADD_FAILURE() << name;
    return T{};
}

TEST(hf_config, llama) {
    const auto config = parse_hf_config(llama(R"(,"torch_dtype":"bfloat16")"));
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->architecture, "llama");
    EXPECT_EQ(config->torch_dtype, "bfloat16");
    EXPECT_FALSE(config->ties_output);
    EXPECT_EQ(key<uint32_t>(*config, "context_length"), 131072u);
    EXPECT_EQ(key<uint32_t>(*config, "attention.head_count_kv"), 2u);
    EXPECT_EQ(key<uint32_t>(*config, "rope.dimension_count"), 16u);
    EXPECT_EQ(key<float>(*config, "rope.freq_base"), 500000.0F);
}

TEST(hf_config, scaling_of_llama3) {
    const auto config = parse_hf_config(
        llama(R"(,"rope_scaling":{"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,)"
              R"("high_freq_factor":4.0,"original_max_position_embeddings":8192})"));
    ASSERT_TRUE(config) << config.error().message();
    // From the published code of Llama 3.1, in Python.
    const std::vector<float> divisors = {1.0F, 1.0F, 1.0F, 1.0F, 2.69453F, 8.0F, 8.0F, 8.0F};
    ASSERT_EQ(config->rope_divisors.size(), divisors.size());
    for (size_t i = 0; i < divisors.size(); ++i)
        EXPECT_NEAR(config->rope_divisors[i], divisors[i], 1e-5 * divisors[i]) << i;
}

TEST(hf_config, newer_files_say_it_in_rope_parameters) {
    const auto config = parse_hf_config(
        llama(R"(,"dtype":"float16","rope_parameters":{"rope_type":"linear","factor":4,)"
              R"("rope_theta":7e4})"));
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_EQ(config->torch_dtype, "float16");
    EXPECT_EQ(key<float>(*config, "rope.freq_base"), 70000.0F);
    EXPECT_EQ(key<std::string>(*config, "rope.scaling.type"), "linear");
    EXPECT_EQ(key<float>(*config, "rope.scaling.factor"), 4.0F);
}

TEST(hf_config, names_what_it_does_not_know) {
    const auto rejects = [](const std::string& json, std::string_view named) {
        const auto config = parse_hf_config(json);
        ASSERT_FALSE(config) << named;
        EXPECT_NE(config.error().detail.find(named), std::string::npos) << config.error().detail;
    };
    rejects(R"({"model_type":"rwkv"})", "rwkv");
    rejects(R"({})", "model_type");
    rejects(llama(R"(,"attention_multiplier":2)"), "attention_multiplier");
    rejects(llama(R"(,"hidden_act":"gelu")"), "hidden_act");
    rejects(llama(R"(,"partial_rotary_factor":0.5)"), "partial_rotary_factor");
    rejects(llama(R"(,"rope_scaling":{"type":"dynamic","factor":2})"), "dynamic");
    rejects(llama(R"(,"rope_scaling":{"type":"linear","factor":2,"extra":1})"), "extra");
    rejects(llama(R"(,"rope_scaling":{"type":"linear","factor":0.5})"), "factor");
    rejects(llama(R"(,"rope_scaling":{"type":"longrope","long_factor":[1],"short_factor":[1]})"),
            "long_factor");
    rejects("[]", "config.json");
}

TEST(hf_config, numbers_are_checked) {
    for (const std::string_view value : {"0", "-1", "1.5", "1e30", "\"2\"", "[]", "true"}) {
        std::string json = llama("");
        const std::string before = R"("num_hidden_layers":2)";
        json.replace(json.find(before), before.size(),
                     R"("num_hidden_layers":)" + std::string(value));
        EXPECT_FALSE(parse_hf_config(json)) << value;
    }
}

TEST(hf_config, sizes_nothing_by_a_number_that_no_model_has) {
    const std::string scaling =
        R"(,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,)"
        R"("high_freq_factor":4,"original_max_position_embeddings":8192})";
    for (const std::string_view dimension : {"257", "65536", "4294967295"}) {
        const auto config =
            parse_hf_config(llama(R"(,"head_dim":)" + std::string(dimension) + scaling));
        ASSERT_FALSE(config) << dimension;
        EXPECT_NE(config.error().detail.find("head_dim"), std::string::npos);
    }
    EXPECT_EQ(parse_hf_config(llama(R"(,"head_dim":256)" + scaling))->rope_divisors.size(), 128u);

    const auto with_type = [](std::string_view type, const std::string& more) {
        std::string json = llama(R"(,"num_experts_per_tok":2)" + more);
        return json.replace(json.find("llama"), 5, type);
    };
    const std::string qwen = R"(,"moe_intermediate_size":64,"num_experts":)";
    EXPECT_TRUE(parse_hf_config(with_type("mixtral", R"(,"num_local_experts":1024)")));
    EXPECT_TRUE(parse_hf_config(with_type("qwen3_moe", qwen + "1024")));
    for (const std::string count : {"0", "1025", "500000000"}) {
        EXPECT_FALSE(parse_hf_config(with_type("mixtral", R"(,"num_local_experts":)" + count)));
        EXPECT_FALSE(parse_hf_config(with_type("qwen3_moe", qwen + count)));
    }
}

TEST(hf_tensors, places_of_llama) {
    const auto config = *parse_hf_config(llama(""));
    const auto query = place_of(config, "model.layers.1.self_attn.q_proj.weight");
    ASSERT_TRUE(query && *query);
    EXPECT_EQ((*query)->gguf_name, "blk.1.attn_q.weight");
    EXPECT_EQ((*query)->transform, HfTransform::permute_query);
    EXPECT_FALSE(*place_of(config, "model.layers.0.self_attn.rotary_emb.inv_freq"));
    for (const std::string_view name :
         {"model.layers.2.input_layernorm.weight", "model.layers.01.input_layernorm.weight",
          "model.layers.-1.input_layernorm.weight", "model.layers.input_layernorm.weight", "weight",
          "", "model.layers.0.weight", "model.layers.0.mlp.experts.0.w1.weight",
          "model.layers.99999999999.mlp.gate.weight", "transformer.wte.weight"})
        EXPECT_FALSE(place_of(config, name)) << name;
}

TEST(checkpoint, an_index_names_files_beside_it_only) {
    const auto index =
        parse_weight_index(R"({"metadata":{"total_size":8},"weight_map":{"a":"m-1.safetensors",)"
                           R"("b":"m-2.safetensors"}})");
    ASSERT_TRUE(index);
    EXPECT_EQ(index->at("b"), "m-2.safetensors");
    for (const std::string_view file :
         {"../m.safetensors", "/m.safetensors", "a/m.safetensors", "..", ".", "", "m.bin",
          ".m.safetensors", "a\\\\m.safetensors", "a\\u0000.safetensors", "a\\n.safetensors"}) {
        EXPECT_FALSE(parse_weight_index(R"({"weight_map":{"a":")" + std::string(file) + "\"}}"))
            << file;
    }
    for (const std::string_view text : {"", "{}", R"({"weight_map":{}})", R"({"weight_map":[]})",
                                        R"({"weight_map":{"a":1}})", R"({"other":1})"})
        EXPECT_FALSE(parse_weight_index(text)) << text;
}

}  // namespace
}  // namespace teetee::model
