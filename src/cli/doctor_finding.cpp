// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_finding.hpp"

#include <algorithm>

namespace teetee::cli {

std::string_view to_string(Finding finding) {
    switch (finding) {
        case Finding::ok:
            return "ok";
        case Finding::warning:
            return "warning";
        case Finding::problem:
            return "problem";
    }
    return "";
}

void DoctorFindings::add(DoctorFinding finding) {
    if (finding.check.empty()) finding.check = check_;
    all_.push_back(std::move(finding));
}

void DoctorFindings::warn(Trouble trouble) {
    add({.finding = Finding::warning,
         .cause = std::move(trouble.cause),
         .fix = std::move(trouble.fix)});
}

void DoctorFindings::problem(Trouble trouble) {
    add({.finding = Finding::problem,
         .cause = std::move(trouble.cause),
         .fix = std::move(trouble.fix)});
}

size_t DoctorFindings::count(Finding finding) const {
    return static_cast<size_t>(
        std::ranges::count_if(all_, [&](const auto& f) { return f.finding == finding; }));
}

}  // namespace teetee::cli
