// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/json_members.hpp"
#include "model/text_rules.hpp"

namespace teetee::model {

/// U+2581, which stands for a space in tokens.
constexpr std::string_view space_mark = "\xe2\x96\x81";

/// The member pattern, {"String": ..} or {"Regex": ..}, as a regular expression.
Result<std::string> read_pattern(JsonMembers& members);

struct MetaspaceOptions {
    bool prefixes = true;
    bool only_text_begin = false;
    bool splits = true;
};

/// The members of a Metaspace, in its older form and its newer. The replacement is U+2581.
Result<MetaspaceOptions> read_metaspace(JsonMembers& members);

/// Appends the steps of one pre-tokenizer. Error: tokenizer_unsupported naming type or member.
Result<void> read_pre_tokenizer(const std::string& type, JsonMembers& members,
                                std::vector<PieceStep>& steps);

}  // namespace teetee::model
