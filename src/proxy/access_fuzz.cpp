// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "proxy/access.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const std::string text(as_text({data, size}));
    const proxy::AccessRules rules = {.hosts = {"name"}, .origins = {"http://page"}};
    const net::HttpRequest request = {.method = "GET",
                                      .target = "/",
                                      .path = "/",
                                      .query = {},
                                      .headers = {{"host", text}, {"authorization", text}},
                                      .body = {},
                                      .remote = {}};
    static_cast<void>(proxy::refuse_access(rules, request));
    return 0;
}
