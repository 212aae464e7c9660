// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "cli/config_file.hpp"

// A text that was read can be written down and is read again as the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto file = cli::parse_config_file(as_text({data, size}), "fuzz.toml");
    if (!file) return 0;
    for (const cli::ConfigEntry& entry : file->entries) {
        for (const cli::ConfigScalar& value : entry.values) {
            if (value.kind != cli::ConfigScalar::Kind::text) continue;
            const auto again =
                cli::parse_config_file("key = " + cli::quote_toml(value.text), "again.toml");
            // What is escaped takes more room, and a line has no more than a line's.
            if (!again && again.error().code == ErrorCode::limit_exceeded) continue;
            TT_ASSERT(again && again->entries.front().values.front() == value);
        }
    }
    return 0;
}
