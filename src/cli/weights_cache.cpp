// SPDX-License-Identifier: Apache-2.0
#include "cli/weights_cache.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "crypto/hash.hpp"

namespace teetee::cli {
namespace {

constexpr std::string_view off = "off";
constexpr uint64_t cache_bytes_max = uint64_t{64} << 30;

/// What a file system tells of the file's state, and the index that says how it is packed.
Digest identity_of(const net::FileState& state, const model::Gguf& gguf) {
    uint64_t index_bytes = gguf.file().size();
    for (const auto& tensor : gguf.tensors()) index_bytes = std::min(index_bytes, tensor.offset);
    ByteWriter out;
    out.length_prefixed(as_bytes("teetee.file.v1"));
    out.u64(state.device);
    out.u64(state.inode);
    out.u64(state.bytes);
    out.u64(static_cast<uint64_t>(state.modified_ns));
    out.u64(static_cast<uint64_t>(state.changed_ns));
    out.bytes(crypto::sha256(gguf.file().first(static_cast<size_t>(index_bytes))));
    return crypto::sha256(out.view());
}

}  // namespace

std::string WeightsCacheOption::default_folder() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
    if (const auto cache = variable("XDG_CACHE_HOME"); !cache.empty())
        return cache + "/teetee/weights";
    if (const auto home = variable("HOME"); !home.empty()) return home + "/.cache/teetee/weights";
    return std::string(off);
}

void WeightsCacheOption::add_to(CLI::App& command) {
    command
        .add_option("--weights-cache", folder,
                    "Folder that keeps repacked weights for the next start, or off")
        ->capture_default_str()
        ->envname("TEETEE_WEIGHTS_CACHE");
}

std::optional<net::BlobFolder> WeightsCacheOption::open() const {
    if (folder.empty() || folder == off) return std::nullopt;
    return net::BlobFolder(folder, {.bytes_max = cache_bytes_max});
}

Result<std::unique_ptr<model::ShardModel>> load_shard(const net::File& file,
                                                      const model::Gguf& gguf,
                                                      model::ModelOptions options,
                                                      const WeightsCacheOption& cache_option) {
    auto folder = cache_option.open();
    if (!folder) return model::ShardModel::load(gguf, options);
    const model::PackedCache::Identity identity = {identity_of(file.state(), gguf),
                                                   options.layers.value_or(LayerRange())};
    model::PackedCache cache(*folder, identity, crypto::Secret<32>());
    options.cache = &cache;
    TT_TRY(auto shard, model::ShardModel::load(gguf, options));
    auto kept = shard->keep_packed(cache);
    for (const Error* error :
         {cache.rejection() ? &*cache.rejection() : nullptr, kept ? nullptr : &kept.error()}) {
        if (error != nullptr)
            std::fprintf(stderr, "teetee: weights cache: %s\n", error->message().c_str());
    }
    return shard;
}

}  // namespace teetee::cli
