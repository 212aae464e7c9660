// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/storage.hpp"

namespace teetee::net {

/// A cache in a folder of this user: a file for each blob, those used longest ago go first; other
/// files there are left alone. Names are 64 lower-case hex digits. Files are not synced: what a
/// power cut leaves of a blob, its reader must be able to tell.
class BlobFolder final : public BlobStore {
  public:
    struct Limits {
        /// Of all blobs together.
        uint64_t bytes_max = 0;
    };

    /// The folder is made when something is written.
    BlobFolder(std::string folder, Limits limits) : folder_(std::move(folder)), limits_(limits) {}

    /// A file that belongs to another user is as good as none.
    Result<std::unique_ptr<ByteSource>> open(const std::string& name) override;
    Result<void> write(const std::string& name, uint64_t size_bytes,
                       const std::function<Result<void>(const Sink&)>& fill) override;

  private:
    std::string path_of(const std::string& name) const;
    /// So that `needed_bytes` more fit in.
    void make_room(uint64_t needed_bytes) const;

    std::string folder_;
    Limits limits_;
};

}  // namespace teetee::net
