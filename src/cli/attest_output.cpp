// SPDX-License-Identifier: Apache-2.0
#include "cli/attest_output.hpp"

#include <cstdio>

#include <boost/json/serialize.hpp>

namespace teetee::cli {
namespace {

std::string lines(const boost::json::object& description) {
    std::string text;
    for (const auto& [key, value] : description) {
        if (value.is_null() || key == "error") continue;
        text.append(key.data(), key.size()).append(": ");
        text += value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
        text += '\n';
    }
    return text;
}

}  // namespace

void print_description(Session& session, const boost::json::object& description,
                       const Result<void>& checked) {
    if (session.json) {
        print_json(description);
    } else {
        print_text(lines(description));
    }
    if (checked) return;
    session.exit = Exit::not_so;
    std::fprintf(stderr, "teetee: %s\n", checked.error().message().c_str());
}

}  // namespace teetee::cli
