// SPDX-License-Identifier: Apache-2.0
#include "model/utf8.hpp"

#include <cstdint>

#include "base/assert.hpp"

namespace teetee::model {

Utf8Head utf8_head(std::string_view text) {
    TT_ASSERT(!text.empty());
    const auto lead = static_cast<uint8_t>(text[0]);
    if (lead < 0x80) return {Utf8State::complete, 1};
    if (lead < 0xc2 || lead > 0xf4) return {Utf8State::malformed, 1};
    const size_t needed = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    // The second byte alone rules out overlong forms, surrogates and points above U+10FFFF.
    uint8_t least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i < needed; ++i) {
        if (i == text.size()) return {Utf8State::incomplete, i};
        const auto byte = static_cast<uint8_t>(text[i]);
        if (byte < least || byte > most) return {Utf8State::malformed, i};
        least = 0x80;
        most = 0xbf;
    }
    return {Utf8State::complete, needed};
}

}  // namespace teetee::model
