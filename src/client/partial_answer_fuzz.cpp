// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/parse.hpp>

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
Read read(std::string_view stream, size_t piece, teetee::client::AnswerShape shape,
          bool is_resumable) {
    Read out;
    teetee::client::AnswerReader reader(
        out.known, {.on_text = [&](std::string_view text) { out.text += text; }},
        {.shape = shape, .is_resumable = is_resumable});
    for (size_t at = 0; at < stream.size() && reader.feed(stream.substr(at, piece)); at += piece) {
    }
    out.is_complete = reader.finish().has_value();
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    if (size < 2) return 0;
    const std::string_view stream = as_text({data + 2, size - 2});
    const auto shape = static_cast<client::AnswerShape>(data[1] % 3);
    const bool is_resumable = data[1] < 128;
    const Read pieces = read(stream, size_t{data[0]} + 1, shape, is_resumable);
    const Read bytes = read(stream, 1, shape, is_resumable);
    TT_ASSERT(pieces.is_complete == bytes.is_complete);
    TT_ASSERT(pieces.text == bytes.text);
    TT_ASSERT(pieces.known.token_ids == bytes.known.token_ids);
    static_cast<void>(client::request_for_rest({}, pieces.known));
    static_cast<void>(client::read_entry_error(stream));
    boost::system::error_code failed;
    const auto value = boost::json::parse(stream, failed);
    if (!failed && value.is_object()) {
        static_cast<void>(client::answer_count_of(value.get_object()));
        static_cast<void>(client::tokens_max_of(value.get_object()));
        static_cast<void>(client::prompt_bytes_of(value.get_object()));
    }
    return 0;
}
