// SPDX-License-Identifier: Apache-2.0
// A config.json, and behind a line that is "---" names of tensors, one a line; or, where it is no
// config, an index of weights. What is accepted must give keys that a GGUF can hold.
#include "base/assert.hpp"
#include "model/checkpoint.hpp"
#include "model/hf_config.hpp"
#include "model/hf_tensors.hpp"

using namespace teetee;
using namespace teetee::model;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text = as_text({data, size});
    if (const auto index = parse_weight_index(text)) {
        for (const auto& [tensor, file] : *index) {
            TT_ASSERT(file.find('/') == file.npos && !file.starts_with('.'));
            TT_ASSERT(file.ends_with(".safetensors"));
        }
    }
    constexpr std::string_view separator = "\n---\n";
    const size_t end = std::min(text.find(separator), text.size());
    const auto config = parse_hf_config(text.substr(0, end));
    if (!config) return 0;
    GgufWriter writer;
    write_hyperparameters(*config, writer);
    Bytes file;
    TT_ASSERT(writer.write([&](ByteView bytes) -> Result<void> {
        file.insert(file.end(), bytes.begin(), bytes.end());
        return {};
    }));
    TT_ASSERT(Gguf::parse(file));
    std::string_view names = text.substr(std::min(end + separator.size(), text.size()));
    while (!names.empty()) {
        const size_t line = std::min(names.find('\n'), names.size());
        const auto place = place_of(*config, names.substr(0, line));
        TT_ASSERT(!place || !*place || (*place)->gguf_name.size() <= 64);
        names.remove_prefix(std::min(line + 1, names.size()));
    }
    return 0;
}
