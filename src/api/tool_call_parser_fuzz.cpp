// SPDX-License-Identifier: Apache-2.0
#include "api/tool_call_parser.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    if (size < 2) return 0;
    const auto format = static_cast<api::ToolFormat>(data[0] % 3);
    const std::string_view text = as_text({data + 2, size - 2});
    // However it is cut, the same comes out.
    api::ToolCallParser at_once(format);
    api::ToolCallParser in_pieces(format);
    std::string texts[2];
    std::vector<api::ToolCall> calls[2];
    const auto take = [&](size_t which, api::ToolCallParser::Output output) {
        texts[which] += output.text;
        calls[which].insert(calls[which].end(), output.calls.begin(), output.calls.end());
    };
    take(0, at_once.feed(text));
    take(0, at_once.finish());
    const size_t piece = 1 + data[1];
    for (size_t i = 0; i < text.size(); i += piece) take(1, in_pieces.feed(text.substr(i, piece)));
    take(1, in_pieces.finish());
    TT_ASSERT(texts[0] == texts[1] && calls[0] == calls[1]);
    if (calls[0].empty()) TT_ASSERT(texts[0] == text);
    return 0;
}
