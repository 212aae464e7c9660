// SPDX-License-Identifier: Apache-2.0
#include "billing/payment_header.hpp"

#include <gtest/gtest.h>

namespace teetee::billing {
namespace {

const std::string voucher = "0x" + std::string(63, '0') + "7";
const std::string signature = "0x" + std::string(128, 'a') + "1b";

TEST(payment_header, reads_what_clients_write) {
    const std::string text = "voucher id=" + voucher + ", amount=120, signature=" + signature;
    const auto payment = std::get<VoucherPayment>(parse_payment(text).value());
    EXPECT_EQ(payment.spend.amount, 120u);
    EXPECT_EQ(payment.spend.voucher[31], 7);
    EXPECT_FALSE(payment.proof);
    EXPECT_EQ(encode_payment(payment), text);
    const std::string proven = text + ", time=17, request=" + signature;
    const auto whole = std::get<VoucherPayment>(parse_payment(proven).value());
    EXPECT_EQ(whole.proof->time_ms, 17u);
    EXPECT_EQ(encode_payment(whole), proven);
    EXPECT_EQ(std::get<QueryPayment>(parse_payment("query id=9").value()).query, 9u);
    const std::string token = "host token=" + std::string(64, 'b');
    EXPECT_EQ(encode_payment(parse_payment(token).value()), token);
}

TEST(payment_header, refuses_the_rest) {
    const std::string cases[] = {
        "",
        "query",
        "query ",
        "query id=",
        "query id=01",
        "query id=-1",
        "query id=+1",
        "query id=18446744073709551616",
        "query id=1,",
        "query id=1, id=2",
        "query  id=1",
        "Query id=1",
        "host token=0x" + std::string(64, 'b'),
        "host token=" + std::string(63, 'b'),
        "voucher id=" + voucher + ", amount=120",
        "voucher id=" + voucher + ",amount=120,signature=" + signature,
        "voucher amount=120, id=" + voucher + ", signature=" + signature,
        "voucher id=" + voucher + ", amount=1e3, signature=" + signature,
        "voucher id=" + voucher + ", amount=120, signature=" + signature + "00",
        "voucher id=" + voucher + ", amount=120, signature=" + signature + ", more=1",
        "voucher id=" + voucher + ", amount=120, signature=" + signature + ", time=1",
        "voucher id=" + voucher + ", amount=120, signature=" + signature +
            ", time=01, request=" + signature,
        "voucher id=" + voucher + ", amount=120, signature=" + signature +
            ", time=1, request=" + signature + ", ",
    };
    for (const std::string& text : cases) {
        const auto claim = parse_payment(text);
        ASSERT_FALSE(claim) << text;
        EXPECT_EQ(claim.error().code, ErrorCode::payment_malformed);
    }
}

}  // namespace
}  // namespace teetee::billing
