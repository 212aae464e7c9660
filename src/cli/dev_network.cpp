// SPDX-License-Identifier: Apache-2.0
#include "cli/dev_network.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "attest/limits.hpp"
#include "attest/policy.hpp"
#include "cli/model_file.hpp"
#include "cli/progress.hpp"
#include "cli/state_folder.hpp"
#include "crypto/hash.hpp"
#include "model/manifest.hpp"
#include "model/shard.hpp"

namespace teetee::cli {
namespace {

constexpr size_t program_bytes_max = 512u << 20;
constexpr size_t seed_file_bytes_max = 128;
constexpr UnixSeconds dev_collateral_left_s_min = 14 * 24 * 3600;

Result<void> make_folder(const std::string& folder) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return fail(ErrorCode::io_failed, folder + ": " + failed.message());
    return {};
}

/// Beside the path, then renamed over it, so that a running node keeps the file it has mapped.
Result<void> write_shard(const ModelFile& file, const model::Manifest& manifest, size_t index,
                         const std::string& path) {
    const std::string part = path + ".part";
    {
        std::ofstream out(part, std::ios::binary | std::ios::trunc);
        TT_CHECK(model::cut_shard(
            file.gguf, manifest, static_cast<uint32_t>(index), [&](ByteView bytes) -> Result<void> {
                out.write(reinterpret_cast<const char*>(bytes.data()),
                          static_cast<std::streamsize>(bytes.size()));
                if (!out)
                    return fail(ErrorCode::io_failed, part + ": cannot write (is the disk full?)");
                return {};
            }));
        out.flush();
        if (!out) return fail(ErrorCode::io_failed, part + ": cannot write (is the disk full?)");
    }
    std::error_code failed;
    std::filesystem::rename(part, path, failed);
    if (failed) return fail(ErrorCode::io_failed, path + ": " + failed.message());
    return {};
}

Result<ByteArray<32>> read_seed(const std::string& path) {
    TT_TRY(const auto text, net::read_file(path, seed_file_bytes_max));
    std::string_view hex = as_text(text);
    while (hex.ends_with('\n')) hex.remove_suffix(1);
    auto seed = array_from_hex<32>(hex);
    if (!seed) return in_context(path, std::move(seed).error());
    return seed;
}

Result<void> ensure_seed(const std::string& path) {
    if (std::filesystem::exists(path)) return {};
    ByteArray<32> seed;
    SystemRng().fill(seed);
    const std::string text = to_hex(seed) + "\n";
    return net::write_file_atomic(path, as_bytes(text), {.mode = 0600});
}

/// MRTD stands for the program: another binary has another measurement.
Result<attest::DevMeasurements> measure_program() {
    TT_TRY(const auto bytes, net::read_file("/proc/self/exe", program_bytes_max));
    attest::DevMeasurements measurements;
    measurements.mrtd = crypto::sha384(bytes);
    return measurements;
}

bool is_good_throughout(const std::string& path, const attest::TrustedRoots& roots,
                        const attest::Validity& time) {
    const auto text = net::read_file(path, attest::collateral_bytes_max);
    if (!text) return false;
    const auto collateral = attest::parse_collateral(as_text(*text));
    if (!collateral) return false;
    const auto verified = attest::verify_collateral(*collateral, roots, time.not_before);
    return verified && verified->expires() >= time.not_after;
}

}  // namespace

std::string program_path() {
    std::error_code failed;
    return std::filesystem::read_symlink("/proc/self/exe", failed).string();
}

std::string default_network_folder(uint16_t port) {
    return state_home() + "/up-" + std::to_string(port);
}

Result<model::Manifest> write_shards(const std::string& model_path, std::span<const LayerRange> cut,
                                     const std::string& folder) {
    TT_TRY(const auto file, ModelFile::open(model_path));
    TT_CHECK(make_folder(folder));
    TT_TRY(const auto manifest, model::build_manifest(file.gguf, cut, progress_bar("hashing")));
    for (size_t i = 0; i < manifest.shards.size(); ++i) {
        TT_CHECK(write_shard(file, manifest, i, folder + "/" + manifest.shards[i].file_name));
    }
    const std::string text = model::encode_manifest(manifest);
    TT_CHECK(net::write_file_atomic(folder + "/manifest.json", as_bytes(text)));
    return manifest;
}

Result<std::unique_ptr<attest::DevTee>> open_dev_tee(const std::string& seed_path,
                                                     UnixSeconds now) {
    TT_TRY(const auto seed, read_seed(seed_path));
    TT_TRY(const auto measurements, measure_program());
    TT_TRY(auto tee, attest::DevTee::create(seed, measurements, now));
    return std::make_unique<attest::DevTee>(std::move(tee));
}

Result<attest::DevPki> open_dev_pki(const std::string& seed_path) {
    TT_TRY(const auto seed, read_seed(seed_path));
    return attest::DevPki::create(seed);
}

Result<DevNetwork> prepare_dev_network(const std::string& model_path,
                                       std::span<const LayerRange> cut, const std::string& folder) {
    TT_TRY(const auto manifest, write_shards(model_path, cut, folder));
    DevNetwork network{folder, {}};
    for (const model::ManifestShard& shard : manifest.shards) {
        network.shard_paths.push_back(folder + "/" + shard.file_name);
    }
    TT_CHECK(ensure_seed(network.seed_path()));
    TT_TRY(const auto tee, open_dev_tee(network.seed_path(), SystemClock().unix_now()));
    TT_TRY(const auto measurements, measure_program());
    attest::Policy policy;
    policy.allow_simulated = true;
    TT_CHECK(policy.roots.add_pem(tee->root_pem()));
    policy.measurements.resize(1);
    policy.measurements[0].mrtd = measurements.mrtd;
    TT_CHECK(
        net::write_file_atomic(network.policy_path(), as_bytes(attest::encode_policy(policy))));
    TT_CHECK(refresh_dev_collateral(network, SystemClock().unix_now()));
    return network;
}

Result<void> refresh_dev_collateral(const DevNetwork& network, UnixSeconds now) {
    TT_TRY(const auto pki, open_dev_pki(network.seed_path()));
    TT_TRY(const std::string root, pki.root_pem());
    attest::TrustedRoots roots;
    TT_CHECK(roots.add_pem(root));
    const std::string path = network.collateral_folder() + "/dev-tee.json";
    if (is_good_throughout(path, roots, {now, now + dev_collateral_left_s_min})) return {};
    TT_CHECK(make_folder(network.collateral_folder()));
    TT_TRY(const auto collateral, pki.collateral(now));
    return net::write_file_atomic(path, as_bytes(attest::encode_collateral(collateral)));
}

}  // namespace teetee::cli
