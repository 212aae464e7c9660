// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "base/request.hpp"
#include "base/world.hpp"

namespace teetee::attest {

// What signed binary documents (statements, adverts) have in common. Errors: invalid_argument for a
// field outside its limits, limit_exceeded where bytes are missing. The document's decoder gives
// both a code of its own.

Error field_error(std::string_view field, std::string_view have, std::string_view need);

struct RunBytes {
    size_t least = 1;
    size_t most = 0;
};

/// A length-prefixed run of so many bytes.
Result<ByteView> read_run(ByteReader& reader, RunBytes bytes, std::string_view field);

/// The length-prefixed name and version of the document.
Result<void> read_tag(ByteReader& reader, std::string_view tag);

/// Until the end of the year 9999.
Result<UnixSeconds> read_time(ByteReader& reader, std::string_view field);

/// At least one layer.
Result<void> ensure_layers(const LayerRange& layers);

/// Nothing behind the document.
Result<void> ensure_at_end(const ByteReader& reader);

}  // namespace teetee::attest
