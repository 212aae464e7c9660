// SPDX-License-Identifier: Apache-2.0
#include "model/stream_decoder.hpp"

#include "model/utf8.hpp"

namespace teetee::model {
namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

}  // namespace

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, DecodeOptions options)
    : tokenizer_(&tokenizer), first_(options), options_(options) {}

Result<std::string> StreamDecoder::feed(TokenId id) {
    TT_TRY(const auto text, tokenizer_->decode({&id, 1}, options_));
    options_ = tokenizer_->options_after(id, options_);
    pending_ += text;
    std::string out;
    std::string_view rest = pending_;
    while (!rest.empty()) {
        const Utf8Head head = utf8_head(rest);
        if (head.state == Utf8State::incomplete) break;
        out += head.state == Utf8State::complete ? rest.substr(0, head.bytes) : replacement;
        rest.remove_prefix(head.bytes);
    }
    pending_ = std::string(rest);
    return out;
}

std::string StreamDecoder::finish() {
    const std::string out(pending_.empty() ? "" : replacement);
    pending_.clear();
    options_ = first_;
    return out;
}

}  // namespace teetee::model
