// SPDX-License-Identifier: Apache-2.0
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "hub/hugging_face.hpp"
#include "hub/limits.hpp"
#include "net/address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto text = as_text({data, size});
    if (const auto model = hub::parse_hf_model(text)) {
        TT_ASSERT(model->commit.size() == 40);
        TT_ASSERT(model->licence.size() <= hub::shown_text_bytes_max + 3);
    }
    const auto files = hub::parse_hf_files(text);
    if (!files) return 0;
    TT_ASSERT(files->size() <= hub::files_max);
    for (const auto& file : *files) {
        TT_ASSERT(hub::is_safe_path(file.path) && file.bytes <= hub::file_bytes_max);
        const auto url = hub::hf_file_url({"https://a", "b/c", "d"}, file.path);
        TT_ASSERT(net::parse_url(url).has_value());
    }
    return 0;
}
