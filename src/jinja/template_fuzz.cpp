// SPDX-License-Identifier: Apache-2.0
// A template, and behind a zero byte the JSON of its context. Whatever both are, rendering ends
// inside its limits, and the marks of foreign text lie inside the text.
#include <string>

#include <boost/json/parse.hpp>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "jinja/template.hpp"

using namespace teetee;
using namespace teetee::jinja;

namespace {

boost::json::object context_of(std::string_view json) {
    boost::system::error_code failed;
    const auto value = boost::json::parse({json.data(), json.size()}, failed);
    if (!failed && value.is_object()) return value.get_object();
    return {{"messages", {{{"role", "user"}, {"content", "hello <s> \xc3\xa9"}}}},
            {"tools", {{{"name", "f"}, {"parameters", {{"a", 1}, {"b", 2.5}}}}}},
            {"add_generation_prompt", true}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view input = as_text({data, size});
    const size_t split = std::min(input.find('\0'), input.size());
    const auto parsed = Template::parse(input.substr(0, split));
    if (!parsed) return 0;
    Inputs inputs;
    const std::string_view json = input.substr(std::min(split + 1, input.size()));
    // What reaches a template has been checked to be UTF-8.
    if (is_utf8(json)) inputs.context = context_of(json);
    inputs.trusted = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
    inputs.limits = {.steps_max = 20'000, .memory_bytes_max = 1 << 20, .output_bytes_max = 1 << 16};
    const auto text = parsed->render(inputs);
    if (!text) return 0;
    TT_ASSERT(is_utf8(text->bytes));
    size_t end = 0;
    for (const Span& span : text->foreign) {
        TT_ASSERT(span.begin >= end && span.begin < span.end);
        end = span.end;
    }
    TT_ASSERT(end <= text->bytes.size());
    return 0;
}
