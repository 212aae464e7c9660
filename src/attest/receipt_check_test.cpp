// SPDX-License-Identifier: Apache-2.0
// What each check of a receipt is for: forgeries that one of them finds, by the reason it gives.
#include "attest/receipt_check.hpp"

#include <functional>

#include <gtest/gtest.h>

#include "attest/dev_receipt.hpp"

namespace teetee::attest {
namespace {

using test::DevReceipt;

using Change = std::function<void(DevReceipt&)>;

// The reason of the check whose name begins so.
std::string reason(const DevReceipt& dev, const ReceiptExpectation& expectation,
                   std::string_view check) {
    const ReceiptReport report = check_receipt(dev.receipt, expectation, test::make_policy());
    for (const ReceiptCheck& one : report.checks) {
        if (one.what.starts_with(check)) return one.error ? one.error->detail : "accepted";
    }
    return "no such check";
}

// The same of an honest receipt that was changed before the entry signed it.
std::string reason_after(const Change& change, std::string_view check) {
    DevReceipt dev = test::make_receipt();
    const ReceiptExpectation expectation = dev.expectation();
    change(dev);
    dev.sign();
    return reason(dev, expectation, check);
}

TEST(receipt_check, each_weight_that_a_record_names_is_the_statements) {
    constexpr const char* need = "the record speaks of other weights than the statement";
    const Change changes[] = {
        [](DevReceipt& d) { d.receipt.stages[1].record.layers.end = 9; },
        [](DevReceipt& d) { d.receipt.stages[1].record.shard_root[0] ^= 1; },
        [](DevReceipt& d) { d.receipt.stages[1].record.model_root[0] ^= 1; },
    };
    for (const Change& change : changes) {
        EXPECT_EQ(reason_after(change, "evidence of layers 4"), need);
    }
}

TEST(receipt_check, a_statement_that_cannot_be_read_is_nobodys) {
    const Change garbage = [](DevReceipt& d) { d.receipt.stages[1].statement = {1, 2}; };
    EXPECT_TRUE(reason_after(garbage, "evidence of layers 4").starts_with("statement: "));
    EXPECT_TRUE(reason_after(garbage, "signature of layers 4").starts_with("statement: "));
    const Change entry = [](DevReceipt& d) { d.receipt.stages[0].statement = {1, 2}; };
    EXPECT_TRUE(reason_after(entry, "entry").starts_with("statement: "));
}

TEST(receipt_check, a_signature_of_a_record_is_its_nodes) {
    DevReceipt dev = test::make_receipt();
    dev.receipt.stages[1].signature = dev.receipt.stages[0].signature;
    EXPECT_TRUE(reason(dev, dev.expectation(), "signature of layers 4")
                    .starts_with("stage record: have signer 0x"));
    dev.receipt.stages[1].signature.fill(0xff);
    EXPECT_TRUE(reason(dev, dev.expectation(), "signature of layers 4").starts_with("secp256k1"))
        << reason(dev, dev.expectation(), "signature of layers 4");
}

TEST(receipt_check, leaves_are_those_of_the_signed_digest) {
    constexpr const char* need = "the leaves are not those of the signed digest";
    const Change changes[] = {
        [](DevReceipt& d) { d.receipt.stages[1].output.leaves[0][0] ^= 1; },
        [](DevReceipt& d) { d.receipt.stages[1].output.begin += 1; },
        [](DevReceipt& d) {
            d.receipt.stages[1].output.leaves.clear();
            d.sign_stage(1);
        },
    };
    for (const Change& change : changes) {
        EXPECT_EQ(reason_after(change, "rows that left layers 4"), need);
    }
}

TEST(receipt_check, stages_compute_the_same_rows_of_the_same_request) {
    const Change changes[] = {
        [](DevReceipt& d) { d.receipt.stages[1].record.epoch = 2; },
        [](DevReceipt& d) { d.receipt.stages[1].record.sampling[0] ^= 1; },
        [](DevReceipt& d) { d.receipt.stages[1].record.input.begin = 0; },
        [](DevReceipt& d) { d.receipt.stages[1].record.input.end = 8; },
    };
    for (const Change& change : changes) {
        EXPECT_EQ(reason_after(change, "hand-over"), "layers 4 to 7 computed other rows");
    }
    EXPECT_EQ(reason_after([](DevReceipt& d) { d.receipt.input.leaves[0][0] ^= 1; }, "hand-over"),
              "the prompt's leaves are not those that the entry signed");
}

TEST(receipt_check, counts_of_tokens_fit_the_rows) {
    const Change changes[] = {
        [](DevReceipt& d) { d.receipt.input.leaves.pop_back(); },
        [](DevReceipt& d) { d.receipt.prompt_tokens = 5; },
        [](DevReceipt& d) { d.receipt.cached_tokens = 0; },
        // Nothing sampled, and less taken in than the prompt has.
        [](DevReceipt& d) {
            d.receipt.input.leaves.resize(2);
            d.receipt.stages[2].output.leaves.clear();
        },
    };
    for (const Change& change : changes) {
        EXPECT_EQ(reason_after(change, "tokens"), "counts of tokens do not fit the rows");
    }
    for (const uint32_t billed : {2u, 5u}) {
        EXPECT_EQ(
            reason_after([&](DevReceipt& d) { d.receipt.completion_tokens = billed; }, "tokens"),
            "have 4 sampled tokens, " + std::to_string(billed) + " on the bill");
    }
}

// Without a stop token all that was sampled is delivered.
TEST(receipt_check, accepts_an_answer_that_ended_at_its_limit) {
    DevReceipt dev = test::make_receipt();
    dev.receipt.completion_tokens = 4;
    dev.receipt.opening.answer.push_back(2);
    dev.sign();
    const ReceiptReport report = check_receipt(dev.receipt, dev.expectation(), test::make_policy());
    EXPECT_TRUE(report.is_accepted()) << report.error()->message();
}

TEST(receipt_check, the_entry_signs_for_this_model_and_pool) {
    const Change changes[] = {
        [](DevReceipt& d) { d.receipt.chain_id += 1; },
        [](DevReceipt& d) { d.receipt.contract[0] ^= 1; },
        [](DevReceipt& d) { d.receipt.pool += 1; },
        [](DevReceipt& d) { d.receipt.model_root[0] ^= 1; },
    };
    for (const Change& change : changes) {
        EXPECT_EQ(reason_after(change, "entry"), "the receipt is of another model or pool");
    }
    DevReceipt other = test::make_receipt();
    other.receipt.signature =
        other.nodes[1].receipt_key.sign_recoverable(receipt_digest(other.receipt));
    EXPECT_EQ(reason(other, other.expectation(), "entry"),
              "have signer 0x" + to_hex(other.nodes[1].receipt_key.address()) +
                  ", need the entry 0x" + to_hex(other.nodes[0].receipt_key.address()));
    other.receipt.signature.fill(0xff);
    EXPECT_TRUE(reason(other, other.expectation(), "entry").starts_with("secp256k1"));
}

TEST(receipt_check, the_opening_is_the_receipts) {
    constexpr const char* counts = "counts of tokens are not those of the receipt";
    EXPECT_EQ(reason_after([](DevReceipt& d) { d.receipt.opening.prompt.pop_back(); }, "opening"),
              counts);
    EXPECT_EQ(reason_after([](DevReceipt& d) { d.receipt.opening.answer.pop_back(); }, "opening"),
              counts);
    EXPECT_EQ(reason_after([](DevReceipt& d) { d.receipt.opening.sampling.seed = 5; }, "opening"),
              "other sampling options than the stages were given");
    EXPECT_EQ(reason_after([](DevReceipt& d) { d.receipt.opening.answer[1] = 99; }, "opening"),
              "position 5 has another token");
}

TEST(receipt_check, the_route_has_every_layer_once) {
    EXPECT_EQ(
        reason_after([](DevReceipt& d) { std::swap(d.receipt.stages[0], d.receipt.stages[1]); },
                     "route"),
        "layer 0 is missing or comes twice");
    EXPECT_EQ(reason_after([](DevReceipt& d) { d.receipt.stages.pop_back(); }, "route"),
              "have 8 layers, need 12");
    // Not even a model without layers has a receipt without stages.
    const ReceiptReport nothing =
        check_receipt({}, {.peers = test::make_expectation()}, test::make_policy());
    for (const ReceiptCheck& check : nothing.checks) {
        const bool holds = check.what.starts_with("notice");
        EXPECT_EQ(check.error.has_value(), !holds) << check.what;
    }
}

TEST(receipt_check, request_and_answer_are_looked_at_where_they_are_at_hand) {
    const DevReceipt dev = test::make_receipt();
    ReceiptExpectation expectation = dev.expectation();
    const std::string other = "another";
    expectation.request = as_bytes(other);
    expectation.answer = as_bytes(other);
    for (const char* check : {"request", "answer"}) {
        EXPECT_TRUE(reason(dev, expectation, check).starts_with("have 0x")) << check;
    }
    expectation.request.reset();
    expectation.answer.reset();
    EXPECT_EQ(reason(dev, expectation, "request"), "no such check");
    EXPECT_EQ(reason(dev, expectation, "answer"), "no such check");
    EXPECT_TRUE(check_receipt(dev.receipt, expectation, test::make_policy()).is_accepted());
}

TEST(receipt_check, an_answer_costs_no_more_than_its_tokens) {
    const auto with = [](ReceiptPayment payment) {
        return [payment](DevReceipt& d) { d.receipt.payment = payment; };
    };
    const DevReceipt dev = test::make_receipt();
    const uint64_t prompt = dev.receipt.prompt_tokens - dev.receipt.cached_tokens;
    const uint64_t price = 2 * prompt + 5 * dev.receipt.completion_tokens;
    const ReceiptPayment paid = {
        .voucher = {7}, .prompt_price = 2, .completion_price = 5, .charged = price};
    EXPECT_EQ(reason_after(with(paid), "payment"), "accepted");
    ReceiptPayment other = paid;
    other.charged = price + 1;
    EXPECT_EQ(reason_after(with(other), "payment"), std::to_string(price + 1) +
                                                        " credits charged, the tokens come to " +
                                                        std::to_string(price));
    other = paid;
    other.query = 1;
    EXPECT_EQ(reason_after(with(other), "payment"), "paid from a voucher and from a query");
    other = {.charged = 1};
    EXPECT_EQ(reason_after(with(other), "payment"), "a price, and nothing that it was paid from");
    other = {.query = 1, .prompt_price = UINT64_MAX, .charged = UINT64_MAX};
    EXPECT_EQ(reason_after(with(other), "payment"), "accepted");
    // What was signed names it: it cannot be taken out, nor put in.
    DevReceipt changed = test::make_receipt();
    changed.receipt.payment = paid;
    EXPECT_NE(reason(changed, changed.expectation(), "entry"), "accepted");
    EXPECT_EQ(reason(dev, dev.expectation(), "payment"), "no such check");
}

}  // namespace
}  // namespace teetee::attest
