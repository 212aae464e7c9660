// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace teetee::cli {

enum class Finding { ok, warning, problem };
/// "ok", "warning", "problem".
std::string_view to_string(Finding finding);

/// One thing that was looked at.
struct DoctorFinding {
    std::string check{};
    Finding finding = Finding::ok;
    /// What is so; of a problem, what has it and what needs it.
    std::string cause{};
    /// What to do about it, a command where there is one; empty: nothing.
    std::string fix{};
};

/// What the checks find, in their order.
class DoctorFindings {
  public:
    /// What is found from now on is of this check.
    void begin(std::string_view check) { check_ = check; }

    void add(DoctorFinding finding);
    void ok(std::string cause) { add({.finding = Finding::ok, .cause = std::move(cause)}); }
    struct Trouble {
        std::string cause;
        std::string fix;
    };
    void warn(Trouble trouble);
    void problem(Trouble trouble);

    const std::vector<DoctorFinding>& all() const { return all_; }
    size_t count(Finding finding) const;

  private:
    std::string check_;
    std::vector<DoctorFinding> all_;
};

}  // namespace teetee::cli
