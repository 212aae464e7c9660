// SPDX-License-Identifier: Apache-2.0
#include <boost/json.hpp>

#include "chain/keystore.hpp"

namespace {

// A file may ask for a second of work and more, which would be all that a fuzzer does.
bool is_cheap(std::string_view text) {
    boost::json::error_code error;
    const auto file = boost::json::parse({text.data(), text.size()}, error);
    if (error || !file.is_object()) return true;
    for (const char* name : {"crypto", "Crypto"}) {
        const auto* part = file.get_object().if_contains(name);
        if (part == nullptr || !part->is_object()) continue;
        const auto* costs = part->get_object().if_contains("kdfparams");
        if (costs == nullptr || !costs->is_object()) continue;
        for (const char* cost : {"n", "r", "p", "c"}) {
            const auto* value = costs->get_object().if_contains(cost);
            if (value != nullptr && value->is_int64() && value->get_int64() > 16) return false;
            if (value != nullptr && value->is_uint64()) return false;
        }
    }
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const std::string_view text = as_text({data, size});
    (void)chain::keystore_address(text);
    if (is_cheap(text)) (void)chain::open_keystore(text, as_bytes("password"));
    return 0;
}
