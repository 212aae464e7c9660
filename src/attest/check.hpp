// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace teetee::attest {

/// One thing that was looked at and found right, for people.
struct Check {
    std::string name;
    std::string finding;
};

using Checks = std::vector<Check>;

/// Adds a check if somebody asked for them. The finding is a function, so that nobody else pays for
/// its text.
template <class Finding>
void add_check(Checks* checks, const char* name, Finding finding) {
    if (checks != nullptr) checks->push_back({name, finding()});
}

}  // namespace teetee::attest
