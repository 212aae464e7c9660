// SPDX-License-Identifier: Apache-2.0
#include "api/generation_request.hpp"
#include "api/limits.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    if (size == 0) return 0;
    const auto dialect = static_cast<api::Dialect>(data[0] % 6);
    const auto request = api::parse_generation_request(dialect, as_text({data + 1, size - 1}));
    if (!request) return 0;
    TT_ASSERT(validate(request->sampling));
    const bool embeds = request->dialect == api::Dialect::embeddings;
    TT_ASSERT(request->answer_count() <= (embeds ? api::embeddings_max : api::choices_max));
    TT_ASSERT(api::is_chat(request->dialect) != request->messages.empty());
    TT_ASSERT(request->tools.declared.size() <= api::tools_max);
    TT_ASSERT(request->answer_token_ids.size() <= api::token_ids_max);
    return 0;
}
