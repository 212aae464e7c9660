// SPDX-License-Identifier: Apache-2.0
// Functions that every template may call.
#include <ctime>

#include "jinja/operations.hpp"
#include "jinja/python.hpp"

namespace teetee::jinja {
namespace {

Result<Value> range(Runtime& runtime, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"start", "stop", "step"}));
    int64_t numbers[3] = {0, 0, 1};
    for (size_t i = 0; i < 3; ++i) {
        if (!bound[i]) continue;
        const auto integer = if_integer(*bound[i]);
        if (!integer) return failed("range: need integers");
        numbers[i] = *integer;
    }
    if (!bound[0]) return failed("range: need an end");
    if (!bound[1]) numbers[1] = std::exchange(numbers[0], 0);
    const auto [begin, end, step] = numbers;
    if (step == 0) return failed("range: the step cannot be zero");
    std::vector<Value> items;
    for (int64_t at = begin; step > 0 ? at < end : at > end;) {
        if (items.size() == range_length_max)
            return failed("range: need at most " + std::to_string(range_length_max) + " items");
        items.emplace_back(at);
        if (__builtin_add_overflow(at, step, &at)) break;
    }
    TT_TRY(const Value made, runtime.sequence(SequenceKind::range, std::move(items)));
    Sequence& sequence = *if_sequence(made);
    sequence.begin = begin;
    sequence.end = end;
    sequence.step = step;
    return made;
}

/// dict(mapping or pairs, name=value, ...).
template <bool is_namespace>
Result<Value> mapping(Runtime& runtime, const Arguments& arguments) {
    if (arguments.positional.size() > 1) return failed("dict: need at most one mapping");
    TT_TRY(Dict* const dict, runtime.dict());
    if (!arguments.positional.empty()) {
        const Value& source = arguments.positional[0];
        if (const Dict* other = if_dict(source); other != nullptr && !other->is_namespace) {
            for (const auto& [key, value] : other->entries)
                TT_CHECK(insert(runtime, *dict, key, value));
        } else {
            TT_TRY(const auto pairs, iterate(runtime, source));
            for (const Value& item : pairs) {
                TT_TRY(const auto pair, iterate(runtime, item));
                if (pair.size() != 2) return failed("dict: need pairs");
                TT_CHECK(insert(runtime, *dict, pair[0], pair[1]));
            }
        }
    }
    for (const auto& [name, value] : arguments.named) {
        TT_TRY(const Value key, runtime.trusted_text(name));
        TT_CHECK(insert(runtime, *dict, key, value));
    }
    dict->is_namespace = is_namespace;
    return Value(dict);
}

/// The message without what came from outside: errors reach logs, prompts must not.
Result<Value> raise_exception(Runtime&, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"message"}));
    const Text* text = bound[0] ? if_text(*bound[0]) : nullptr;
    std::string message;
    for (size_t at = 0; text != nullptr && at < text->bytes.size(); ++at) {
        const bool hidden = text->touches_foreign(at, at + 1);
        if (!hidden) message.push_back(text->bytes[at]);
        if (hidden && !message.ends_with("...")) message += "...";
        if (message.size() >= error_message_bytes_max) break;
    }
    return failed("the template refuses: " + message);
}

Result<Value> strftime_now(Runtime& runtime, const Arguments& arguments) {
    TT_TRY(const auto bound, bind(arguments, {"format"}));
    const Text* format = bound[0] ? if_text(*bound[0]) : nullptr;
    if (format == nullptr) return failed("strftime_now: the format must be a str");
    // The mark keeps an empty result apart from one that does not fit.
    const std::string marked = format->bytes + "|";
    const std::time_t now = runtime.now();
    std::tm parts{};
    if (gmtime_r(&now, &parts) == nullptr) return failed("strftime_now: the time is out of range");
    char buffer[4096];
    const size_t bytes = std::strftime(buffer, sizeof buffer, marked.c_str(), &parts);
    if (bytes == 0) return failed("strftime_now: the format makes too long a text");
    TextBuilder out(runtime);
    out.derived({buffer, bytes - 1}, *format, 0, format->bytes.size());
    return out.finish();
}

}  // namespace

Result<std::optional<Value>> find_global(Runtime& runtime, std::string_view name) {
    using Function = Result<Value> (*)(Runtime&, const Arguments&);
    static constexpr std::pair<std::string_view, Function> functions[] = {
        {"range", range},
        {"namespace", mapping<true>},
        {"dict", mapping<false>},
        {"raise_exception", raise_exception},
        {"strftime_now", strftime_now},
    };
    for (const auto& [global, function] : functions) {
        if (global != name) continue;
        TT_TRY(const Value made,
               runtime.callable(std::string(name),
                                [&runtime, call = function](const Arguments& arguments) {
                                    return call(runtime, arguments);
                                }));
        return std::optional<Value>(made);
    }
    return std::optional<Value>();
}

}  // namespace teetee::jinja
