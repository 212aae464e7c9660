// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "client/partial_answer.hpp"

namespace {

struct Read {
    teetee::client::PartialAnswer known;
    std::string text;
    bool is_complete = false;
};

/// In pieces of that many bytes.
Read read(std::string_view stream, size_t piece) {
    Read out;
    const std::function<void(std::string_view)> on_text = [&](std::string_view text) {
        out.text += text;
    };
    teetee::client::AnswerReader reader(out.known, on_text);
    for (size_t at = 0; at < stream.size() && reader.feed(stream.substr(at, piece)); at += piece) {
    }
    out.is_complete = reader.finish().has_value();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    if (size == 0) return 0;
    const std::string_view stream = as_text({data + 1, size - 1});
    const Read pieces = read(stream, size_t{data[0]} + 1);
    const Read bytes = read(stream, 1);
    TT_ASSERT(pieces.is_complete == bytes.is_complete);
    TT_ASSERT(pieces.text == bytes.text);
    TT_ASSERT(pieces.known.token_ids == bytes.known.token_ids);
    static_cast<void>(client::request_for_rest({}, pieces.known));
    static_cast<void>(client::read_entry_error(stream));
    return 0;
}
