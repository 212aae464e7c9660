// SPDX-License-Identifier: Apache-2.0
#include <boost/json/parse.hpp>

#include "base/bytes.hpp"
#include "proxy/answer_editor.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    if (size < 2) return 0;
    const proxy::AskedAnswer asked = {.shape = static_cast<client::AnswerShape>(data[0] % 3),
                                      .is_stream = (data[1] & 1) != 0,
                                      .wants_token_ids = (data[1] & 2) != 0,
                                      .wants_usage = (data[1] & 4) != 0};
    proxy::AnswerEditor editor(asked);
    proxy::AnswerCollector collector(asked.shape);
    // An event a line, as an entry might send them.
    std::string_view rest = as_text({data + 2, size - 2});
    while (!rest.empty()) {
        const size_t end = std::min(rest.find('\n'), rest.size());
        boost::system::error_code failed;
        const auto value = boost::json::parse(rest.substr(0, end), failed);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (failed || !value.is_object()) continue;
        static_cast<void>(proxy::read_asked_answer("/generate", value));
        editor.on_part(data[1]);
        if (const auto event = editor.edit(value.get_object()))
            static_cast<void>(collector.add(*event));
    }
    static_cast<void>(collector.whole(editor.seed()));
    return 0;
}
