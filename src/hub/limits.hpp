// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace teetee::hub {

/// What a user writes to name a model.
inline constexpr size_t reference_bytes_max = 2048;
/// One part of a name: an owner, a model, a tag.
inline constexpr size_t name_bytes_max = 96;
/// A file's path inside a repository, and one part of it (NAME_MAX of file systems).
inline constexpr size_t path_bytes_max = 1024;
inline constexpr size_t path_part_bytes_max = 255;

/// Of one answer that is JSON: a model's description with its card and all its file names.
inline constexpr size_t answer_bytes_max = 16u << 20;
inline constexpr size_t answer_depth_max = 32;
/// Files of a repository, and the pages that they are listed on.
inline constexpr size_t files_max = 20'000;
inline constexpr size_t file_pages_max = 40;
/// Layers of an image in a registry.
inline constexpr size_t layers_max = 64;
/// A text beside a model: its licence, its template.
inline constexpr size_t text_layer_bytes_max = 1u << 20;
/// What is shown of a foreign text: a licence's name, a hub's own message.
inline constexpr size_t shown_text_bytes_max = 200;

/// One file; the largest that are published have some hundred GB.
inline constexpr uint64_t file_bytes_max = uint64_t{1} << 42;
/// A file that is kept in git itself, whose digest is that of a blob.
inline constexpr uint64_t git_file_bytes_max = 256u << 20;

inline constexpr size_t token_bytes_max = 4096;
inline constexpr size_t redirects_max = 5;
inline constexpr size_t connections_max = 32;
/// What the journal beside a part of a file may be, and the pieces in it.
inline constexpr size_t journal_bytes_max = 1u << 20;
inline constexpr size_t journal_ranges_max = 4096;
/// What stands beside a model of its source.
inline constexpr size_t source_record_bytes_max = 16u << 10;

}  // namespace teetee::hub
