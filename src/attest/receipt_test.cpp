// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include <gtest/gtest.h>

#include "attest/dev_receipt.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

using test::DevReceipt;

ReceiptReport report_of(const DevReceipt& dev) {
    return check_receipt(dev.receipt, dev.expectation(), test::make_policy());
}

TEST(receipt, an_honest_one_passes_every_check_and_is_simulated) {
    const DevReceipt dev = test::make_receipt();
    const ReceiptReport report = report_of(dev);
    for (const ReceiptCheck& check : report.checks)
        EXPECT_FALSE(check.error) << check.what << ": " << check.error->message();
    EXPECT_TRUE(report.is_accepted());
    EXPECT_TRUE(report.simulated);
    EXPECT_EQ(report.checks.size(), 3u * DevReceipt::stage_count + 8);
}

TEST(receipt, comes_back_from_its_file) {
    const DevReceipt dev = test::make_receipt();
    const std::string text = encode_receipt(dev.receipt);
    const auto back = parse_receipt(text + "\n");
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(encode_receipt(*back), text);
    EXPECT_TRUE(check_receipt(*back, dev.expectation(), test::make_policy()).is_accepted());
    EXPECT_NE(text.find("SIMULATED"), std::string::npos);
}

TEST(receipt, one_bit_changed_anywhere_is_found) {
    DevReceipt dev = test::make_receipt();
    dev.receipt.payment = {
        .voucher = {7}, .query = 0, .prompt_price = 2, .completion_price = 5, .charged = 9};
    dev.sign();
    dev.add_fresh_quotes();
    const std::string text = encode_receipt(dev.receipt);
    const Policy policy = test::make_policy();
    // A bit that moves on, at every start of a value and at every 61st byte between.
    size_t changed_count = 0;
    for (size_t at = 0; at < text.size(); ++at) {
        const bool begins_value = at > 2 && text[at - 1] == ':';
        if (!begins_value && at % 61 != 0 &&
            text.compare(at - std::min<size_t>(at, 3), 3, "\"0x") != 0)
            continue;
        std::string changed = text;
        changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
        const auto receipt = parse_receipt(changed);
        if (!receipt) continue;
        ++changed_count;
        EXPECT_FALSE(check_receipt(*receipt, dev.expectation(), policy).is_accepted())
            << at << ": " << text.substr(at - std::min<size_t>(at, 40), 80);
    }
    EXPECT_GT(changed_count, 100u);
}

TEST(receipt, is_refused_under_a_production_policy) {
    Policy policy = test::make_policy();
    policy.allow_simulated = false;
    const DevReceipt dev = test::make_receipt();
    const ReceiptReport report = check_receipt(dev.receipt, dev.expectation(), policy);
    ASSERT_NE(report.error(), nullptr);
    EXPECT_EQ(report.error()->code, ErrorCode::simulated_rejected);
}

/// Whoever holds every key but the right to change one thing is found out by this check.
struct Forgery {
    const char* check;
    std::function<void(DevReceipt&)> make;
};

TEST(receipt, forgeries_signed_by_the_nodes_themselves_are_found) {
    const Forgery forgeries[] = {
        {"hand-over",
         [](DevReceipt& d) {
             // A stage that claims to have taken in what nobody sent.
             d.receipt.stages[1].record.input.digest[0] ^= 1;
             d.sign_stage(1);
         }},
        {"hand-over",
         [](DevReceipt& d) {
             // A stage that sends on another row than it signs for.
             d.receipt.stages[0].output.leaves[2][0] ^= 1;
             d.sign_stage(0);
         }},
        {"hand-over",
         [](DevReceipt& d) {
             d.receipt.stages[2].record.epoch = 2;
             d.sign_stage(2);
         }},
        {"tokens",
         [](DevReceipt& d) {
             // A tail that says it sampled another token than the entry went on with.
             d.receipt.stages[2].output.leaves[1] = token_leaf(d.receipt.opening.salt, 5, 99);
             d.sign_stage(2);
         }},
        {"tokens", [](DevReceipt& d) { d.receipt.completion_tokens = 5; }},
        {"tokens", [](DevReceipt& d) { d.receipt.cached_tokens = 0; }},
        {"opening", [](DevReceipt& d) { d.receipt.opening.prompt[2] = 99; }},
        {"opening", [](DevReceipt& d) { d.receipt.opening.salt[0] ^= 1; }},
        {"opening", [](DevReceipt& d) { d.receipt.opening.sampling.seed = 5; }},
        {"entry", [](DevReceipt& d) { d.receipt.pool += 1; }},
        {"route", [](DevReceipt& d) { d.receipt.stages.erase(d.receipt.stages.begin() + 1); }},
        {"evidence",
         [](DevReceipt& d) {
             // Weights that are not the manifest's, honestly stated and signed.
             d.nodes[1].statement.shard_root[5] ^= 1;
             d.receipt.stages[1].statement = d.nodes[1].encoded();
             d.receipt.stages[1].quote = d.nodes[1].quote();
             d.receipt.stages[1].record.shard_root = d.nodes[1].statement.shard_root;
             d.sign_stage(1);
         }},
        {"evidence",
         [](DevReceipt& d) {
             d.receipt.stages[1].record.layers = {4, 7};
             d.sign_stage(1);
         }},
        {"evidence", [](DevReceipt& d) { d.receipt.finished_at += 8 * 24 * 3600; }},
        {"signature",
         [](DevReceipt& d) { d.receipt.stages[1].signature = d.receipt.stages[0].signature; }},
        {"request", [](DevReceipt& d) { d.receipt.request_hash[0] ^= 1; }},
        {"answer", [](DevReceipt& d) { d.receipt.answer_hash[0] ^= 1; }},
        {"notice", [](DevReceipt& d) { d.receipt.simulated = false; }},
    };
    for (const Forgery& forgery : forgeries) {
        DevReceipt dev = test::make_receipt();
        const ReceiptExpectation expectation = dev.expectation();
        forgery.make(dev);
        dev.sign();
        const ReceiptReport report = check_receipt(dev.receipt, expectation, test::make_policy());
        EXPECT_FALSE(report.is_accepted()) << forgery.check;
        const bool is_found = std::ranges::any_of(report.checks, [&](const ReceiptCheck& check) {
            return check.error && check.what.starts_with(forgery.check);
        });
        EXPECT_TRUE(is_found) << forgery.check;
    }
}

TEST(receipt, fresh_quotes_are_checked_where_there_are_any) {
    DevReceipt dev = test::make_receipt();
    ReceiptExpectation expectation = dev.expectation();
    const Policy policy = test::make_policy();
    const size_t checks_without = check_receipt(dev.receipt, expectation, policy).checks.size();
    dev.add_fresh_quotes();
    const auto back = parse_receipt(encode_receipt(dev.receipt));
    ASSERT_TRUE(back) << back.error().message();
    for (const bool needs : {false, true}) {
        expectation.needs_fresh_quotes = needs;
        const ReceiptReport report = check_receipt(*back, expectation, policy);
        EXPECT_TRUE(report.is_accepted()) << report.error()->message();
        EXPECT_EQ(report.checks.size(), checks_without + DevReceipt::stage_count + 1);
    }
}

TEST(receipt, a_missing_fresh_quote_is_found_if_any_is_there_or_needed) {
    DevReceipt dev = test::make_receipt();
    ReceiptExpectation expectation = dev.expectation();
    const Policy policy = test::make_policy();
    EXPECT_TRUE(check_receipt(dev.receipt, expectation, policy).is_accepted());
    expectation.needs_fresh_quotes = true;
    EXPECT_FALSE(check_receipt(dev.receipt, expectation, policy).is_accepted());
    expectation.needs_fresh_quotes = false;
    dev.add_fresh_quotes();
    dev.receipt.stages[1].fresh_quote.reset();
    EXPECT_FALSE(check_receipt(dev.receipt, expectation, policy).is_accepted());
    dev.receipt.stages[1].fresh_quote = fail(ErrorCode::stage_timeout, "not in the file");
    dev.sign_fresh_quotes();
    const auto back = parse_receipt(encode_receipt(dev.receipt));
    ASSERT_TRUE(back) << back.error().message();
    const ReceiptReport report = check_receipt(*back, expectation, policy);
    ASSERT_NE(report.error(), nullptr);
    EXPECT_EQ(report.error()->detail, "the stage made none: stage_timeout");
}

TEST(receipt, forged_fresh_quotes_are_found) {
    const auto quote_of = [](const DevReceipt& d, size_t stage, const Receipt& over,
                             DevTee tee = test::make_tee()) {
        return tee.quote(report_data(d.receipt.stages[stage].statement, receipt_digest(over)));
    };
    DevMeasurements other_program = test::measurements();
    other_program.rtmr[2][0] ^= 1;
    const std::pair<ErrorCode, std::function<void(DevReceipt&)>> forgeries[] = {
        {ErrorCode::report_data_mismatch,
         [&](DevReceipt& d) {
             // Of another answer by the same stage.
             Receipt other = d.receipt;
             other.answer_hash[0] ^= 1;
             d.receipt.stages[1].fresh_quote = quote_of(d, 1, other);
         }},
        {ErrorCode::report_data_mismatch,
         [&](DevReceipt& d) { d.receipt.stages[1].fresh_quote = quote_of(d, 2, d.receipt); }},
        {ErrorCode::report_data_mismatch,
         // The one that the node has shown since it started.
         [](DevReceipt& d) { d.receipt.stages[1].fresh_quote = d.receipt.stages[1].quote; }},
        {ErrorCode::report_data_mismatch,
         [](DevReceipt& d) {
             // Fresh ones for what the receipt said before it was changed and signed again.
             d.receipt.finished_at += 1;
             d.sign();
         }},
        {ErrorCode::root_untrusted,
         [&](DevReceipt& d) {
             d.receipt.stages[1].fresh_quote =
                 quote_of(d, 1, d.receipt, test::make_tee(test::measurements(), 2));
         }},
        {ErrorCode::measurement_rejected,
         [&](DevReceipt& d) {
             d.receipt.stages[1].fresh_quote =
                 quote_of(d, 1, d.receipt, test::make_tee(other_program));
         }},
    };
    for (const auto& [code, make] : forgeries) {
        DevReceipt dev = test::make_receipt();
        dev.add_fresh_quotes();
        make(dev);
        dev.sign_fresh_quotes();
        const ReceiptReport report = report_of(dev);
        ASSERT_NE(report.error(), nullptr);
        EXPECT_EQ(report.error()->code, code) << report.error()->message();
        EXPECT_TRUE(std::ranges::all_of(report.checks, [](const ReceiptCheck& check) {
            return !check.error || check.what.starts_with("fresh quote of layers");
        }));
    }
}

TEST(receipt, the_entry_signs_the_fresh_quotes_as_they_came) {
    const std::function<void(Receipt&)> changes[] = {
        // Bytes that no signature of the TEE covers.
        [](Receipt& r) { r.stages[1].fresh_quote->value().push_back(0); },
        [](Receipt& r) { r.fresh_signature = r.signature; },
        [](Receipt& r) { r.fresh_signature.reset(); },
    };
    for (const auto& change : changes) {
        DevReceipt dev = test::make_receipt();
        dev.add_fresh_quotes();
        change(dev.receipt);
        const ReceiptReport report = report_of(dev);
        ASSERT_NE(report.error(), nullptr);
        for (const ReceiptCheck& check : report.checks)
            EXPECT_EQ(check.error.has_value(),
                      check.what == "entry: signature over the fresh quotes");
    }
}

TEST(receipt, of_nothing_is_refused) {
    const ReceiptReport report =
        check_receipt({}, {.peers = test::make_expectation()}, test::make_policy());
    EXPECT_FALSE(report.is_accepted());
}

TEST(receipt, malformed_files_are_refused_with_the_member_at_fault) {
    const std::string text = encode_receipt(test::make_receipt().receipt);
    const auto refusal = [&](std::string_view from, std::string_view to) {
        std::string changed = text;
        const size_t at = changed.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        changed.replace(at, from.size(), to);
        const auto receipt = parse_receipt(changed);
        EXPECT_FALSE(receipt) << from;
        return receipt ? std::string() : receipt.error().detail;
    };
    EXPECT_NE(refusal("\"version\":3", "\"version\":1").find("version"), std::string::npos);
    EXPECT_NE(refusal("\"pool\":\"7\"", "\"pool\":\"07\"").find("pool"), std::string::npos);
    EXPECT_NE(refusal("\"pool\":\"7\"", "\"pool\":7").find("pool"), std::string::npos);
    EXPECT_NE(refusal("\"prompt_tokens\":4", "\"prompt_tokens\":-4").find("prompt_tokens"),
              std::string::npos);
    EXPECT_NE(refusal("\"layers\":[0,4]", "\"layers\":[4,0]").find("layers"), std::string::npos);
    EXPECT_NE(refusal("\"layers\":[0,4]", "\"layers\":[0]").find("layers"), std::string::npos);
    EXPECT_NE(refusal("[11,12", "[-1,12").find("prompt"), std::string::npos);
    EXPECT_NE(refusal("\"opening\":{", "\"opening\":{\"more\":1,").find("more"), std::string::npos);
    EXPECT_NE(refusal("{\"version\"", "{\"version\":2,\"version\"").find("twice"),
              std::string::npos);
    EXPECT_NE(refusal("\"top_p\":1E0", "\"top_p\":5E0").find("sampling"), std::string::npos);
    EXPECT_NE(refusal("\"top_p\":1E0", "\"top_p\":1.0").find("form"), std::string::npos);
    EXPECT_NE(refusal("SIMULATED", "Simulated").find("notice"), std::string::npos);
    EXPECT_NE(refusal("\"signature\":\"0x", "\"signature\":\"").find("signature"),
              std::string::npos);
    const auto with_fresh = [&](const std::string& members) {
        std::string changed = text;
        changed.replace(changed.find("\"},{\"statement\""), 2, "\"," + members + "}");
        changed.insert(changed.size() - 1,
                       ",\"fresh_signature\":\"0x" + std::string(130, '0') + "\"");
        return parse_receipt(changed);
    };
    EXPECT_TRUE(with_fresh(R"("fresh_quote_error":"overloaded")"));
    EXPECT_TRUE(with_fresh(R"("fresh_quote":"AAAA")")) << "not verified yet";
    for (const char* members :
         {R"("fresh_quote_error":"unknown")", R"("fresh_quote_error":"no_such_error")",
          R"("fresh_quote_error":703)", R"("fresh_quote":"AAA")", R"("fresh_quote":null)",
          R"("fresh_quote":"AAAA","fresh_quote_error":"overloaded")"}) {
        EXPECT_FALSE(with_fresh(members)) << members;
    }
    EXPECT_FALSE(with_fresh("\"fresh_quote\":\"" + to_base64(Bytes(quote_bytes_max + 1)) + "\""));
    EXPECT_FALSE(parse_receipt(text.substr(0, text.size() - 1) + ",\"fresh_signature\":\"0x" +
                               std::string(130, '0') + "\"}"))
        << "over nothing";
    EXPECT_FALSE(parse_receipt(""));
    EXPECT_FALSE(parse_receipt("[]"));
    EXPECT_FALSE(parse_receipt(text + "\n\n"));
    for (size_t length = 0; length < text.size(); length += 97)
        EXPECT_FALSE(parse_receipt(std::string_view(text).substr(0, length))) << length;
}

}  // namespace
}  // namespace teetee::attest
