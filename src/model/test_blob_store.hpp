// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/storage.hpp"

// A store in memory whose blobs tests may change, as a host may change files.
namespace teetee::model {

class TestBlobStore final : public BlobStore {
  public:
    std::map<std::string, Bytes> blobs;
    int writes = 0;

    Result<std::unique_ptr<ByteSource>> open(const std::string& name) override {
        const auto found = blobs.find(name);
        if (found == blobs.end()) return fail(ErrorCode::not_found, name);
        return std::unique_ptr<ByteSource>(std::make_unique<MemorySource>(found->second));
    }

    Result<void> write(const std::string& name, uint64_t size_bytes,
                       const std::function<Result<void>(const Sink&)>& fill) override {
        Bytes blob;
        TT_CHECK(fill([&](ByteView bytes) -> Result<void> {
            blob.insert(blob.end(), bytes.begin(), bytes.end());
            return {};
        }));
        if (blob.size() != size_bytes) return fail(ErrorCode::internal, "another size");
        ++writes;
        blobs[name] = std::move(blob);
        return {};
    }
};

}  // namespace teetee::model
