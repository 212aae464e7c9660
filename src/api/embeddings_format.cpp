// SPDX-License-Identifier: Apache-2.0
#include "api/embeddings_format.hpp"

#include <bit>
#include <cmath>
#include <iterator>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/format_parts.hpp"

namespace teetee::api {

namespace json = boost::json;

namespace {

/// The shortest that stand for these numbers.
void append_numbers(std::string& out, const std::vector<float>& numbers) {
    char separator = '[';
    for (const float number : numbers) {
        out += separator;
        // JSON has no others.
        if (std::isfinite(number)) {
            fmt::format_to(std::back_inserter(out), "{}", number);
        } else {
            out += "null";
        }
        separator = ',';
    }
    out += separator == '[' ? "[]" : "]";
}

}  // namespace

Bytes embedding_bytes(const std::vector<float>& embedding) {
    ByteWriter out;
    for (const float number : embedding) out.u32(std::bit_cast<uint32_t>(number));
    return std::move(out).take();
}

/// Straight as text: as JSON values the numbers would be several times as much.
std::string EmbeddingsFormat::whole(const std::vector<WholeAnswer>& answers,
                                    const pipeline::Usage& total) {
    std::string out = "{\"object\":\"list\",\"data\":[";
    for (size_t index = 0; index < answers.size(); ++index) {
        const auto& [piece, ending] = answers[index];
        if (index > 0) out += ',';
        out += fmt::format("{{\"object\":\"embedding\",\"index\":{},\"embedding\":", index);
        if (request_.wants_base64) {
            out += '"' + to_base64(embedding_bytes(piece.embedding)) + '"';
        } else {
            append_numbers(out, piece.embedding);
        }
        if (!ending.receipt.empty()) out += ",\"receipt\":\"" + ending.receipt + '"';
        out += '}';
    }
    out += "],\"model\":" + json::serialize(json::value(head_.model));
    out += fmt::format(",\"usage\":{{\"prompt_tokens\":{0},\"total_tokens\":{0}}}}}\n",
                       total.prompt_tokens);
    return out;
}

}  // namespace teetee::api
