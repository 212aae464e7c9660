// SPDX-License-Identifier: Apache-2.0
#include "model/byte_letters.hpp"

#include <array>

#include "model/utf8.hpp"

namespace teetee::model {
namespace {

bool is_printable_latin1(uint32_t point) {
    return (point >= 0x21 && point <= 0x7e) || (point >= 0xa1 && point <= 0xff && point != 0xad);
}

struct ByteAlphabet {
    std::array<std::string, 256> text_of_byte;
    std::array<int, 0x180> byte_of_point;  // -1 where a point is not in the alphabet

    ByteAlphabet() {
        byte_of_point.fill(-1);
        uint32_t next_point = 0x100;
        for (uint32_t byte = 0; byte < 256; ++byte) {
            const uint32_t point = is_printable_latin1(byte) ? byte : next_point++;
            byte_of_point[point] = static_cast<int>(byte);
            std::string& text = text_of_byte[byte];
            if (point < 0x80) {
                text.push_back(static_cast<char>(point));
            } else {
                text.push_back(static_cast<char>(0xc0 | point >> 6));
                text.push_back(static_cast<char>(0x80 | (point & 0x3f)));
            }
        }
    }
};

const ByteAlphabet& alphabet() {
    static const ByteAlphabet instance;
    return instance;
}

}  // namespace

const std::string& letter_of_byte(uint8_t byte) {
    return alphabet().text_of_byte[byte];
}

std::string letters_of_bytes(std::string_view bytes) {
    std::string letters;
    for (const char c : bytes) letters += letter_of_byte(static_cast<uint8_t>(c));
    return letters;
}

std::optional<std::string> bytes_of_letters(std::string_view letters) {
    std::string bytes;
    for (size_t i = 0; i < letters.size();) {
        const Utf8Head head = utf8_head(letters.substr(i));
        if (head.state != Utf8State::complete || head.bytes > 2) return std::nullopt;
        uint32_t point = static_cast<uint8_t>(letters[i]);
        if (head.bytes == 2)
            point = (point & 0x1f) << 6 | (static_cast<uint8_t>(letters[i + 1]) & 0x3f);
        const int byte = point < 0x180 ? alphabet().byte_of_point[point] : -1;
        if (byte < 0) return std::nullopt;
        bytes.push_back(static_cast<char>(byte));
        i += head.bytes;
    }
    return bytes;
}

}  // namespace teetee::model
