// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/doctor_judgement.hpp"
#include "cli/doctor_setup.hpp"
#include "cli/host_memory.hpp"
#include "cli/progress.hpp"
#include "cli/shell_word.hpp"
#include "model/limits.hpp"
#include "model/shard.hpp"
#include "net/api_key_file.hpp"
#include "net/limits.hpp"
#include "node/shard_file.hpp"
#include "node/sqlite.hpp"

namespace teetee::cli {
namespace {

namespace fs = std::filesystem;

std::string cut_again(const std::string& why) {
    return why + ": teetee shard cut --model F --shards N --out DIR";
}

/// Which of the manifest's shards the file is.
Result<size_t> place_of(const node::ShardFile& file, const model::Manifest& manifest,
                        DoctorSetup& setup) {
    TT_TRY(const size_t index, node::identify_shard(file.gguf, manifest));
    const model::ManifestShard& shard = manifest.shards[index];
    setup.layers = shard.layers;
    if (shard.file_bytes != 0 && file.file.size_bytes() != shard.file_bytes) {
        return fail(ErrorCode::shard_mismatch,
                    fmt::format("have {} bytes, need {}: it is not whole", file.file.size_bytes(),
                                shard.file_bytes));
    }
    return index;
}

/// What its keys and values may come to.
Result<uint64_t> kv_bytes_of(const model::Gguf& gguf, const NodeCommandOptions& options) {
    model::ModelOptions model_options;
    TT_TRY(model_options.kv_type, options.kv.kv_type());
    TT_TRY(const auto hyperparameters, model::hyperparameters_from(gguf));
    TT_TRY(const auto shape, model::kv_shape_of(gguf, model_options));
    model::KvBudget budget = options.node.shard.kv_budget;
    TT_TRY(budget.bytes, options.kv.bytes());
    TT_TRY(const auto plan, model::plan_kv(shape, hyperparameters.context_length, budget));
    return plan.bytes;
}

}  // namespace

void check_policy_file(DoctorSetup& setup, DoctorFindings& findings) {
    const std::string& path = setup.options.policy_path;
    if (path.empty()) return report_missing(setup, findings, "policy");
    auto policy = node::PolicyFile::load(path);
    if (!policy) {
        return findings.problem(
            {.cause = policy.error().message(),
             .fix = policy.error().code == ErrorCode::not_found
                        ? "--policy FILE, the one that the pool's hosts agreed on"
                        : "get the pool's policy file again; its form: "
                          "docs/attestation.md"});
    }
    setup.policy = std::move(*policy);
    if (setup.policy->policy.allow_simulated) {
        return findings.warn({.cause = path + ": accepts a SIMULATED TEE, which protects nothing",
                              .fix = "for anything but development: a policy without "
                                     "allow_simulated"});
    }
    findings.ok(path);
}

void check_manifest(DoctorSetup& setup, DoctorFindings& findings) {
    const std::string& path = setup.options.node.shard.manifest_path;
    if (path.empty()) return report_missing(setup, findings, "manifest");
    auto text = net::read_file(path, model::manifest_bytes_max);
    if (!text) {
        return findings.problem({.cause = text.error().message(),
                                 .fix = "--manifest FILE, the manifest.json that came with the "
                                        "shard"});
    }
    auto manifest = model::parse_manifest(as_text(*text));
    if (!manifest) {
        return findings.problem({.cause = path + ": " + manifest.error().message(),
                                 .fix = cut_again("get it again, or make it anew")});
    }
    findings.ok(fmt::format("{}: {}, {} layers in {} shards", path, quote_foreign(manifest->name),
                            manifest->layer_count, manifest->shards.size()));
    setup.manifest = std::move(*manifest);
}

void check_shard(DoctorSetup& setup, DoctorFindings& findings) {
    const std::string& path = setup.options.node.shard.path;
    if (path.empty()) return report_missing(setup, findings, "shard");
    const auto file = node::ShardFile::open(path);
    if (!file) {
        const bool is_gone = file.error().code == ErrorCode::not_found;
        return findings.problem({.cause = file.error().message(),
                                 .fix = cut_again(is_gone ? "--shard FILE; make it"
                                                          : "copy it again, or make it anew")});
    }
    setup.weight_bytes = file->file.size_bytes();
    auto kv_bytes = kv_bytes_of(file->gguf, setup.options);
    if (!kv_bytes) {
        findings.problem({.cause = kv_bytes.error().message(),
                          .fix = "--kv-memory SIZE, as 2GiB, or leave it out"});
    } else {
        setup.kv_bytes = *kv_bytes;
    }
    if (!setup.manifest)
        return findings.warn(
            {.cause = path + ": not compared, for want of a manifest",
             .fix = "--manifest FILE, the manifest.json that came with the shard"});
    const auto index = place_of(*file, *setup.manifest, setup);
    if (!index) {
        return findings.problem(
            {.cause = path + ": " + index.error().message(),
             .fix = cut_again("take shard and manifest of the same cut, or make both anew")});
    }
    const std::string text =
        fmt::format("{}: shard {} of {}, layers {} to {}", path, *index + 1,
                    setup.manifest->shards.size(), setup.layers->begin, setup.layers->end - 1);
    if (!setup.is_deep) return findings.ok(text + "; its bytes are hashed with --deep");
    const auto mapped = net::MappedFile::open(path);
    if (!mapped) {
        return findings.problem(
            {.cause = mapped.error().message(),
             .fix = "ulimit -v unlimited; and see that the disk is well: dmesg"});
    }
    const auto whole = model::Gguf::parse(mapped->view());
    const auto verified =
        whole ? model::verify_shard(*whole, *setup.manifest, static_cast<uint32_t>(*index),
                                    progress_bar("verifying " + path))
              : Result<void>(whole.error());
    if (verified) return findings.ok(text + "; every byte is the manifest's");
    findings.problem({.cause = path + ": " + verified.error().message(),
                      .fix = cut_again("copy it again, or make it anew")});
}

void check_draft_model(DoctorSetup& setup, DoctorFindings& findings) {
    const std::string& path = setup.options.node.draft_model.path;
    if (path.empty()) return;
    const auto file = node::ShardFile::open(path);
    if (file) return findings.ok(path);
    findings.problem({.cause = file.error().message(),
                      .fix = "--draft-model FILE, a whole GGUF, or leave it out"});
}

void check_api_keys(DoctorSetup& setup, DoctorFindings& findings) {
    const std::string& path = setup.options.api_key_file;
    if (path.empty()) return;
    const std::string create = "teetee api-key create --file " + shell_word(path) + " --name NAME";
    const auto text = net::read_file(path, net::key_file_bytes_max);
    if (!text) {
        const bool is_gone = text.error().code == ErrorCode::not_found;
        return findings.problem(
            {.cause = "--api-keys " + text.error().message(),
             .fix = is_gone ? create
                            : fmt::format("let the node's user read it, who is {} here: setfacl -m "
                                          "u:{}:r {}",
                                          ::geteuid(), ::geteuid(), shell_word(path))});
    }
    const auto keys = net::parse_api_keys(as_text(*text));
    if (!keys) {
        return findings.problem({.cause = "--api-keys " + path + ": " + keys.error().message(),
                                 .fix = "a file that teetee api-key made: " + create});
    }
    const UnixSeconds now = setup.clock.unix_now();
    const auto good = std::ranges::count_if(
        *keys, [&](const auto& key) { return key.expires == 0 || now < key.expires; });
    if (good > 0)
        return findings.ok(fmt::format("{}: {} of {} are good", path, good, keys->size()));
    findings.warn({.cause = fmt::format("--api-keys {}: {}, so that nobody is let in by one", path,
                                        keys->empty() ? "no keys" : "all keys have run out"),
                   .fix = create});
}

void check_memory(DoctorSetup& setup, DoctorFindings& findings) {
    findings.add(judge_memory({.available_bytes = available_memory_bytes(),
                               .weight_bytes = setup.weight_bytes,
                               .kv_bytes = setup.kv_bytes,
                               .is_in_use = setup.has_running_node}));
}

void check_ledger(DoctorSetup& setup, DoctorFindings& findings) {
    const std::string& folder = setup.options.chain.state_folder;
    if (folder.empty()) return;
    const std::string path = folder + "/ledger.sqlite";
    std::error_code failed;
    if (!fs::exists(path, failed)) return findings.ok("none yet in " + folder);
    if (setup.has_running_node) return findings.ok(path + ": the node that runs has it");
    auto database = node::Sqlite::open(path);
    auto query = database ? database->query("PRAGMA quick_check(1)")
                          : Result<node::SqliteQuery>(database.error());
    const auto row = query ? query->next() : Result<bool>(query.error());
    const std::string says =
        row && *row ? std::string(as_text(query->bytes(0))) : std::string("no answer");
    if (row && says == "ok") return findings.ok(path);
    findings.problem(
        {.cause = path + ": " + (row ? "damaged: " + quote_foreign(says) : row.error().message()),
         .fix = fmt::format("stop what uses it; if it is damaged, keep a copy and recover it: "
                            "sqlite3 {0} .recover | sqlite3 {0}.new",
                            path)});
}

}  // namespace teetee::cli
