// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "cli/chat_command.hpp"
#include "cli/conversation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const std::string_view text = as_text({data, size});
    if (const auto parsed = cli::Conversation::parse(text)) {
        const auto again = cli::Conversation::parse(parsed->encode());
        TT_ASSERT(again && *again == *parsed);
    }
    static_cast<void>(cli::parse_chat_command(text));
    cli::Conversation conversation;
    static_cast<void>(conversation.set("temperature", text));
    return 0;
}
