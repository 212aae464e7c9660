// SPDX-License-Identifier: Apache-2.0
#include "cli/revert_hint.hpp"

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "chain/bindings/tee_tee.hpp"

namespace teetee::cli {
namespace {

TEST(revert_hint, says_what_can_be_done) {
    const Error error = with_hint(fail(ErrorCode::call_reverted, "InsufficientCredits(3, 10)"));
    EXPECT_EQ(error.detail, "InsufficientCredits(3, 10): credits lack: teetee credits buy");
}

// Each of the two that a node gets with the receipt key of other code leads to the same way out.
TEST(revert_hint, of_new_code_with_an_old_key_leads_out) {
    for (const char* detail : {"KeyInUse(0x01, 1)", "MeasurementChanged(0x01, 0x02)"}) {
        const Error error = with_hint(fail(ErrorCode::call_reverted, detail));
        EXPECT_NE(error.detail.find("new --state folder"), std::string::npos) << detail;
    }
}

TEST(revert_hint, leaves_the_rest_alone) {
    for (const char* detail : {"WrongPayment(1, 0)", "Error('InsufficientCredits')", ""})
        EXPECT_EQ(with_hint(fail(ErrorCode::call_reverted, detail)).detail, detail);
    const Error other = fail(ErrorCode::rpc_refused, "TooLate(1, 2)");
    EXPECT_EQ(with_hint(other).detail, other.detail);
}

// A hint for an error that the contract no longer has helps nobody.
TEST(revert_hint, is_about_errors_of_the_contract) {
    size_t hinted = 0;
    for (const auto& known : chain::tee_tee::errors()) {
        const std::string detail = known.name + "(1)";
        hinted += with_hint(fail(ErrorCode::call_reverted, detail)).detail == detail ? 0 : 1;
    }
    EXPECT_EQ(hinted, hint_count());
}

}  // namespace
}  // namespace teetee::cli
