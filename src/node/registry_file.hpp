// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/registry.hpp"
#include "net/file.hpp"

namespace teetee::node {

/// The list of nodes that operators keep in a file:
///   [{"url": "tls://host:port", "node_id": "0x<40 hex digits>", "layers": [0, 10]}, ..]
/// `layers` end before the second number; it and `node_id` may be left out. No other member, no URL
/// twice. Errors: config_invalid naming the entry, what it has and what it needs.
Result<std::vector<RegistryEntry>> parse_registry(std::string_view text);
std::string encode_registry(std::span<const RegistryEntry> entries);

/// Such a file, read anew whenever its state on disk is another one. Replace it by renaming a new
/// one over it: one that is written in place may be read half-done, which passes with the next
/// look.
class RegistryFile final : public Registry {
  public:
    explicit RegistryFile(std::string path) : path_(std::move(path)) {}

    /// Errors also: not_found, io_failed, limit_exceeded; they name the path.
    Result<std::vector<RegistryEntry>> nodes() override;

  private:
    Result<std::vector<RegistryEntry>> read() const;

    std::string path_;
    std::optional<net::FileState> seen_;
    /// Of the state that was seen.
    Result<std::vector<RegistryEntry>> list_ = std::vector<RegistryEntry>();
};

}  // namespace teetee::node
