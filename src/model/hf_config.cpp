// SPDX-License-Identifier: Apache-2.0
#include "model/hf_config.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <boost/json/array.hpp>

#include "model/hf_rope.hpp"
#include "model/json_members.hpp"
#include "model/limits.hpp"

namespace teetee::model {
namespace {

struct ModelType {
    std::string_view name;
    HfFamily family;
    std::string_view architecture;
    bool ties_output;  // where the file does not say
};

constexpr ModelType model_types[] = {
    {"llama", HfFamily::llama, "llama", false},
    {"mistral", HfFamily::llama, "llama", false},
    {"mixtral", HfFamily::mixtral, "llama", false},
    {"qwen2", HfFamily::qwen2, "qwen2", false},
    {"qwen3", HfFamily::qwen3, "qwen3", false},
    {"qwen3_moe", HfFamily::qwen3_moe, "qwen3moe", false},
    {"gemma2", HfFamily::gemma2, "gemma2", true},
    {"phi3", HfFamily::phi3, "phi3", false},
    {"gpt2", HfFamily::gpt2, "gpt2", true},
};

Result<const ModelType*> find_model_type(JsonMembers& members) {
    TT_TRY(const auto name, members.required_string("model_type"));
    std::string names;
    for (const ModelType& type : model_types) {
        if (type.name == name) return &type;
        names += (names.empty() ? "" : ", ") + std::string(type.name);
    }
    return members.invalid("model_type", "have " + quote_foreign(name) + ", need one of " + names);
}

void add(HfConfig& config, std::string key, HfKeyValue value) {
    config.keys.emplace_back(std::move(key), std::move(value));
}

Result<uint32_t> required_u32(JsonMembers& members, std::string_view key,
                              uint32_t max = UINT32_MAX) {
    TT_TRY(const auto value, members.u32(key));
    if (!value || *value == 0 || *value > max)
        return members.invalid(key, "need a number from 1 to " + std::to_string(max));
    return *value;
}

Result<float> required_f32(JsonMembers& members, std::string_view key) {
    TT_TRY(const auto value, members.number(key));
    if (!value) return members.invalid(key, "need a number");
    return static_cast<float>(*value);
}

/// A flag that changes what is computed, and the only value that is known.
Result<void> ensure_flag(JsonMembers& members, std::string_view key, bool known) {
    TT_TRY(const auto value, members.boolean(key));
    if (value.value_or(known) != known)
        return members.invalid(key, known ? "need true" : "need false");
    return {};
}

Result<void> ensure_text(JsonMembers& members, std::string_view key, std::string_view known) {
    TT_TRY(const auto value, members.string(key));
    if (value && *value != known)
        return members.invalid(key,
                               "have " + quote_foreign(*value) + ", need " + std::string(known));
    return {};
}

/// Sliding windows: Mistral's and Phi-3's layers all have one, Gemma 2's every other.
Result<void> read_window(JsonMembers& members, HfConfig& config) {
    TT_TRY(const auto window, members.u32("sliding_window"));
    if (config.family == HfFamily::qwen2 || config.family == HfFamily::qwen3 ||
        config.family == HfFamily::qwen3_moe) {
        return ensure_flag(members, "use_sliding_window", false);
    }
    if (window) add(config, "attention.sliding_window", *window);
    return {};
}

Result<void> read_experts(JsonMembers& members, HfConfig& config) {
    if (config.family == HfFamily::mixtral) {
        TT_TRY(config.expert_count, required_u32(members, "num_local_experts", expert_count_max));
    } else if (config.family == HfFamily::qwen3_moe) {
        TT_TRY(config.expert_count, required_u32(members, "num_experts", expert_count_max));
        TT_TRY(const auto length, required_u32(members, "moe_intermediate_size"));
        TT_TRY(const auto normalises, members.boolean("norm_topk_prob"));
        TT_TRY(const auto step, members.u32("decoder_sparse_step"));
        if (step.value_or(1) != 1) return members.invalid("decoder_sparse_step", "need 1");
        const auto* dense = members.find("mlp_only_layers");
        if (dense != nullptr && (!dense->is_array() || !dense->get_array().empty()))
            return members.invalid("mlp_only_layers", "need none");
        add(config, "expert_feed_forward_length", length);
        if (!normalises.value_or(false)) add(config, "expert_weights_norm", false);
    } else {
        return {};
    }
    TT_TRY(const auto used, required_u32(members, "num_experts_per_tok"));
    add(config, "expert_count", config.expert_count);
    add(config, "expert_used_count", used);
    return {};
}

Result<void> read_gemma2(JsonMembers& members, HfConfig& config) {
    TT_TRY(const float scalar, required_f32(members, "query_pre_attn_scalar"));
    TT_TRY(const auto attention_cap, members.number("attn_logit_softcapping"));
    TT_TRY(const auto output_cap, members.number("final_logit_softcapping"));
    if (!(scalar > 0.0F)) return members.invalid("query_pre_attn_scalar", "must be positive");
    add(config, "attention.scale", 1.0F / std::sqrt(scalar));
    add(config, "attn_logit_softcapping", static_cast<float>(attention_cap.value_or(0)));
    add(config, "final_logit_softcapping", static_cast<float>(output_cap.value_or(0)));
    TT_CHECK(ensure_text(members, "hidden_activation", "gelu_pytorch_tanh"));
    // Older files have "gelu" here and mean the other member.
    members.ignore({"hidden_act"});
    return ensure_flag(members, "use_bidirectional_attention", false);
}

Result<void> read_rotary(JsonMembers& members, HfConfig& config) {
    TT_TRY(const uint32_t context, required_u32(members, "max_position_embeddings"));
    TT_TRY(const uint32_t embedding, required_u32(members, "hidden_size"));
    TT_TRY(const uint32_t feed_forward, required_u32(members, "intermediate_size"));
    TT_TRY(config.layer_count, required_u32(members, "num_hidden_layers"));
    TT_TRY(config.head_count, required_u32(members, "num_attention_heads"));
    TT_TRY(const auto kv_heads, members.u32("num_key_value_heads"));
    TT_TRY(const auto head_dim, members.u32("head_dim"));
    TT_TRY(const float epsilon, required_f32(members, "rms_norm_eps"));
    TT_TRY(const auto rotated, members.number("partial_rotary_factor"));
    config.kv_head_count = kv_heads.value_or(config.head_count);
    const uint32_t dimension = head_dim.value_or(embedding / config.head_count);
    const double share = rotated.value_or(1);
    if (config.kv_head_count == 0 || dimension == 0 || !(share > 0 && share <= 1))
        return members.invalid("num_key_value_heads", "heads have no length");
    if (dimension > head_dim_max)
        return members.invalid("head_dim", "have " + std::to_string(dimension) + ", need at most " +
                                               std::to_string(head_dim_max));
    if (share != 1 && config.family != HfFamily::phi3)
        return members.invalid("partial_rotary_factor", "need 1");
    add(config, "context_length", context);
    add(config, "embedding_length", embedding);
    add(config, "block_count", config.layer_count);
    add(config, "feed_forward_length", feed_forward);
    add(config, "attention.head_count", config.head_count);
    add(config, "attention.head_count_kv", config.kv_head_count);
    add(config, "attention.layer_norm_rms_epsilon", epsilon);
    if (head_dim) {
        add(config, "attention.key_length", dimension);
        add(config, "attention.value_length", dimension);
    }
    TT_CHECK(read_rope(members,
                       {.dimensions = static_cast<uint32_t>(dimension * share),
                        .context_length = context,
                        .base_default = config.family == HfFamily::mixtral ? 1e6F : 1e4F},
                       config));
    TT_CHECK(read_window(members, config));
    TT_CHECK(read_experts(members, config));
    if (config.family == HfFamily::gemma2) return read_gemma2(members, config);
    return ensure_text(members, "hidden_act", "silu");
}

Result<void> read_gpt2(JsonMembers& members, HfConfig& config) {
    TT_TRY(const uint32_t context, required_u32(members, "n_positions"));
    TT_TRY(const uint32_t embedding, required_u32(members, "n_embd"));
    TT_TRY(config.layer_count, required_u32(members, "n_layer"));
    TT_TRY(config.head_count, required_u32(members, "n_head"));
    TT_TRY(const auto inner, members.u32("n_inner"));
    TT_TRY(const float epsilon, required_f32(members, "layer_norm_epsilon"));
    config.kv_head_count = config.head_count;
    TT_CHECK(ensure_text(members, "activation_function", "gelu_new"));
    TT_CHECK(ensure_flag(members, "scale_attn_weights", true));
    TT_CHECK(ensure_flag(members, "scale_attn_by_inverse_layer_idx", false));
    add(config, "context_length", context);
    add(config, "embedding_length", embedding);
    add(config, "block_count", config.layer_count);
    add(config, "feed_forward_length", inner.value_or(4 * embedding));
    add(config, "attention.head_count", config.head_count);
    add(config, "attention.layer_norm_epsilon", epsilon);
    return {};
}

/// What says how a checkpoint was made, trained or is to be run elsewhere, but not what is
/// computed.
void ignore_remarks(JsonMembers& members) {
    members.ignore(
        {"architectures", "model_type", "auto_map", "transformers_version", "unsloth_fixed",
         "unsloth_version", "_attn_implementation", "attn_implementation", "task_specific_params",
         "tokenizer_class", "prefix", "finetuning_task", "problem_type", "id2label", "label2id",
         "vocab_size", "n_ctx", "n_special", "predict_special_tokens",
         // repeated by tensors or by other members
         "attention_bias", "mlp_bias", "layer_types", "max_window_layers", "full_attn_mod",
         "interpolate_factor",
         // training
         "attention_dropout", "attn_pdrop", "embd_pdrop", "embedding_dropout",
         "gradient_checkpointing", "initializer_range", "output_router_logits", "pretraining_tp",
         "reorder_and_upcast_attn", "resid_pdrop", "router_aux_loss_coef", "router_jitter_noise",
         "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type",
         "summary_use_proj",
         // generation, as older files repeat it here
         "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "decoder_start_token_id",
         "cache_implementation", "use_cache", "do_sample", "max_length", "min_length", "num_beams",
         "temperature", "top_k", "top_p", "return_dict", "output_attentions",
         "output_hidden_states", "torchscript", "use_bfloat16", "pruned_heads", "is_decoder"});
}

}  // namespace

Result<HfConfig> parse_hf_config(std::string_view json) {
    TT_TRY(const auto tree, parse_json_tree(json, "config.json"));
    TT_TRY(auto members, JsonMembers::of(tree, "config.json", ErrorCode::architecture_unsupported));
    TT_TRY(const ModelType* type, find_model_type(members));
    HfConfig config;
    config.family = type->family;
    config.architecture = type->architecture;
    TT_TRY(const auto name, members.string("_name_or_path"));
    config.name = name.value_or("");
    TT_TRY(const auto ties, members.boolean("tie_word_embeddings"));
    config.ties_output = ties.value_or(type->ties_output);
    TT_TRY(const auto dtype, members.string("torch_dtype"));
    TT_TRY(const auto newer_dtype, members.string("dtype"));
    config.torch_dtype = dtype.value_or(newer_dtype.value_or(""));
    if (members.find("quantization_config") != nullptr)
        return members.invalid("quantization_config", "need weights that are not quantised");
    TT_CHECK(config.family == HfFamily::gpt2 ? read_gpt2(members, config)
                                             : read_rotary(members, config));
    if (config.layer_count > layer_count_max)
        return members.invalid("num_hidden_layers",
                               "need at most " + std::to_string(layer_count_max));
    for (const auto* flag :
         {"is_encoder_decoder", "add_cross_attention", "use_mrope", "lm_head_bias"})
        TT_CHECK(ensure_flag(members, flag, false));
    ignore_remarks(members);
    TT_CHECK(members.ensure_all_taken());
    return config;
}

void write_hyperparameters(const HfConfig& config, GgufWriter& writer) {
    writer.string("general.architecture", config.architecture);
    if (!config.name.empty()) writer.string("general.name", config.name);
    for (const auto& [short_key, value] : config.keys) {
        const std::string key = config.architecture + "." + short_key;
        if (const auto* number = std::get_if<uint32_t>(&value)) writer.u32(key, *number);
        if (const auto* real = std::get_if<float>(&value)) writer.f32(key, *real);
        if (const auto* flag = std::get_if<bool>(&value)) writer.boolean(key, *flag);
        if (const auto* text = std::get_if<std::string>(&value)) writer.string(key, *text);
    }
}

}  // namespace teetee::model
