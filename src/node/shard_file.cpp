// SPDX-License-Identifier: Apache-2.0
#include "node/shard_file.hpp"

#include <algorithm>

#include "model/limits.hpp"
#include "model/shard.hpp"

namespace teetee::node {

Result<ShardFile> ShardFile::open(const std::string& path) {
    TT_TRY(auto file, net::File::open(path));
    const uint64_t file_bytes = file.size_bytes();
    // Where the index ends is known when it has been read.
    for (uint64_t head_bytes = 4 << 20;; head_bytes *= 4) {
        Bytes head(static_cast<size_t>(std::min(head_bytes, file_bytes)));
        TT_CHECK(file.read(0, head));
        auto gguf = model::Gguf::parse_head(head, file_bytes);
        if (gguf) return ShardFile{std::move(file), std::move(head), std::move(gguf).value()};
        if (gguf.error().code != ErrorCode::gguf_truncated || head_bytes >= file_bytes ||
            head_bytes >= model::gguf_header_bytes_max) {
            return in_context(path, std::move(gguf).error());
        }
    }
}

Result<size_t> identify_shard(const model::Gguf& gguf, const model::Manifest& manifest) {
    TT_TRY(const auto info, model::parse_shard_info(gguf));
    if (!info) {
        return fail(ErrorCode::shard_mismatch,
                    "this file is a whole model; cut it with 'teetee shard cut' first");
    }
    if (info->index >= manifest.shards.size()) {
        return fail(ErrorCode::shard_mismatch,
                    "the manifest has no shard " + std::to_string(info->index));
    }
    TT_CHECK(model::verify_shard_index(gguf, manifest, info->index));
    return static_cast<size_t>(info->index);
}

}  // namespace teetee::node
