// SPDX-License-Identifier: Apache-2.0
#include "api/embeddings_format.hpp"

#include <bit>

#include <boost/json/array.hpp>

#include "api/format_parts.hpp"

namespace teetee::api {

namespace json = boost::json;

Bytes embedding_bytes(const std::vector<float>& embedding) {
    ByteWriter out;
    for (const float number : embedding) out.u32(std::bit_cast<uint32_t>(number));
    return std::move(out).take();
}

json::object EmbeddingsFormat::whole(const std::vector<WholeAnswer>& answers,
                                     const pipeline::Usage& total) {
    json::array data;
    for (size_t index = 0; index < answers.size(); ++index) {
        const auto& [piece, ending] = answers[index];
        json::object one = {{"object", "embedding"}, {"index", index}};
        if (request_.wants_base64) {
            one["embedding"] = to_base64(embedding_bytes(piece.embedding));
        } else {
            json::array numbers;
            for (const float number : piece.embedding) numbers.emplace_back(shortest(number));
            one["embedding"] = std::move(numbers);
        }
        if (!ending.receipt.empty()) one["receipt"] = ending.receipt;
        data.push_back(std::move(one));
    }
    return {
        {"object", "list"},
        {"data", std::move(data)},
        {"model", head_.model},
        {"usage", {{"prompt_tokens", total.prompt_tokens}, {"total_tokens", total.prompt_tokens}}}};
}

}  // namespace teetee::api
