// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "hub/reference.hpp"
#include "net/address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto reference = hub::parse_reference(as_text({data, size}));
    if (!reference) return 0;
    if (const auto* hf = std::get_if<hub::HfReference>(&*reference)) {
        TT_ASSERT(hub::is_safe_path(hf->repository));
        TT_ASSERT(hf->file.empty() || hub::is_safe_path(hf->file));
        TT_ASSERT(net::parse_url("https://a/" + hub::encode_url_path(hf->file)).has_value());
    } else if (const auto* ollama = std::get_if<hub::OllamaReference>(&*reference)) {
        TT_ASSERT(hub::is_safe_path(ollama->repository) && hub::is_safe_path(ollama->tag));
    } else {
        const auto& url = std::get<hub::UrlReference>(*reference);
        TT_ASSERT(net::parse_url(url.url).has_value());
        TT_ASSERT(url.file_name.empty() || hub::is_safe_path(url.file_name));
    }
    return 0;
}
