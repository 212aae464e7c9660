// SPDX-License-Identifier: Apache-2.0
// Receipts as files: every member is needed, has its type, and its range.
#include <functional>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "attest/dev_receipt.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

const std::string& good_text() {
    static const std::string text = encode_receipt(test::make_receipt().receipt);
    return text;
}

std::string refusal(const std::string& text) {
    const auto receipt = parse_receipt(text);
    if (receipt) return "accepted";
    EXPECT_EQ(receipt.error().code, ErrorCode::receipt_malformed);
    return receipt.error().detail;
}

// Calls back once for every object in the document and each of its keys.
using Each = std::function<void(json::object& owner, const std::string& key)>;

void for_each_member(json::value& value, const Each& each) {
    if (auto* array = value.if_array()) {
        for (json::value& element : *array) for_each_member(element, each);
    }
    auto* object = value.if_object();
    if (object == nullptr) return;
    std::vector<std::string> keys;
    for (const auto& member : *object) keys.emplace_back(member.key());
    for (const std::string& key : keys) {
        for_each_member(object->at(key), each);
        each(*object, key);
    }
}

TEST(receipt_file, needs_every_member) {
    json::value document = json::parse(good_text());
    ASSERT_EQ(refusal(json::serialize(document)), "accepted");
    size_t count = 0;
    for_each_member(document, [&](json::object& owner, const std::string& key) {
        const json::object kept = owner;
        owner.stable_erase(key);
        // Real hardware needs no notice.
        const std::string need = key == "notice" ? "accepted" : key + ": have nothing";
        EXPECT_NE(refusal(json::serialize(document)).find(need), std::string::npos)
            << key << ": " << refusal(json::serialize(document));
        owner = kept;
        ++count;
    });
    EXPECT_GT(count, 60u);
}

TEST(receipt_file, knows_no_other_members) {
    json::value document = json::parse(good_text());
    for_each_member(document, [&](json::object& owner, const std::string& key) {
        if (key != owner.begin()->key()) return;
        owner["extra"] = 1;
        EXPECT_NE(refusal(json::serialize(document)).find("'extra': have it, need no such member"),
                  std::string::npos)
            << refusal(json::serialize(document));
        owner.erase("extra");
    });
}

TEST(receipt_file, checks_the_type_of_every_member) {
    json::value document = json::parse(good_text());
    for_each_member(document, [&](json::object& owner, const std::string& key) {
        const json::value kept = owner[key];
        for (const json::value& other :
             {json::value(nullptr), json::value(true), json::value("x"), json::value(1.5),
              json::value(json::array()), json::value(json::object())}) {
            if (other.kind() == kept.kind()) continue;
            if (other.is_number() && kept.is_number()) continue;
            owner[key] = other;
            EXPECT_NE(refusal(json::serialize(document)).find(key + ": have "), std::string::npos)
                << key << " as " << json::serialize(other);
        }
        owner[key] = kept;
    });
}

struct Change {
    const char* from;
    const char* to;
    const char* detail;
};

void expect_refused(const std::string& text, const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        std::string changed = text;
        const size_t at = changed.find(change.from);
        ASSERT_NE(at, std::string::npos) << change.from;
        changed.replace(at, std::string_view(change.from).size(), change.to);
        EXPECT_EQ(refusal(changed), change.detail) << change.to;
    }
}

TEST(receipt_file, checks_the_range_of_numbers) {
    expect_refused(good_text(),
                   {{R"("finished_at":1800000000)", R"("finished_at":253402300800)",
                     "receipt.finished_at: have 253402300800, need at most 253402300799"},
                    {R"("finished_at":1800000000)", R"("finished_at":18446744073709551615)",
                     "receipt.finished_at: have 18446744073709551615, need at most 253402300799"},
                    {R"("prompt_tokens":4)", R"("prompt_tokens":4.5)",
                     "receipt.prompt_tokens: have something else, need a whole number"},
                    {R"("pool":"7")", R"("pool":"18446744073709551616")",
                     "receipt.pool: have another text, need a number of 64 bits in decimal digits"},
                    {R"("pool":"7")", R"("pool":"7x")",
                     "receipt.pool: have another text, need a number of 64 bits in decimal digits"},
                    {R"("pool":"7")", R"("pool":"")",
                     "receipt.pool: have another text, need a number of 64 bits in decimal digits"},
                    {R"("pool":"7")", R"("pool":"000000000000000000007")",
                     "receipt.pool: have 21 bytes, need at most 20"},
                    {R"("input_begin":1)", R"("input_begin":1048577)",
                     "receipt.input_begin: have 1048577, need at most 1048576"},
                    {R"("input":{"begin":1,"end":7)", R"("input":{"begin":8,"end":7)",
                     "stages.input.end: have a place before begin, need one behind it"},
                    {R"("input":{"begin":1,"end":7)", R"("input":{"begin":1,"end":1048577)",
                     "stages.input.end: have 1048577, need at most 1048576"}});
}

TEST(receipt_file, checks_layers_tokens_and_options) {
    constexpr const char* layers = "stages.layers: have something else, need two layer numbers";
    constexpr const char* tokens = "receipt.opening.prompt: have something else, need token ids";
    constexpr const char* bias =
        "receipt.opening.sampling.logit_bias: have something else, need "
        "pairs of token and number";
    expect_refused(
        good_text(),
        {{"[0,4]", "[-1,4]", layers},
         {"[0,4]", "[0,65536]", layers},
         {"[0,4]", R"([0,"4"])", layers},
         {"[0,4]", "[4,4]", "stages.layers: have another range, need [first, behind the last]"},
         {"[0,4]", "[0,4,8]", "stages.layers: have 3 entries, need at most 2"},
         {"[11,12", R"(["11",12)", tokens},
         {"[11,12", "[4294967296,12", tokens},
         {R"("logit_bias":[])", R"("logit_bias":[1])", bias},
         {R"("logit_bias":[])", R"("logit_bias":[[1]])", bias},
         {R"("logit_bias":[])", R"("logit_bias":[["1",2]])", bias},
         {R"("logit_bias":[])", R"("logit_bias":[[-1,2]])", bias},
         {R"("logit_bias":[])", R"("logit_bias":[[4294967296,2]])", bias},
         {R"("logit_bias":[])", R"("logit_bias":[[1,"2"]])", bias},
         {R"("min_p":0E0)", R"("min_p":1E39)",
          "receipt.opening.sampling.min_p: have too much, need a number"},
         {R"("constraint_kind":0)", R"("constraint_kind":99)",
          "receipt.opening.sampling.constraint_kind: have 99, need at most 3"},
         {R"("answer_given":0)", R"("answer_given":99)",
          "receipt.opening.answer_given: have 99, need no more than the prompt"}});
}

TEST(receipt_file, checks_the_form_of_bytes) {
    expect_refused(good_text(),
                   {{R"("statement":")", R"("statement":"A)",
                     "stages.statement: have base64: length is not a multiple of 4, need base64"},
                    {R"("statement":")", R"("statement":"!AAA)",
                     "stages.statement: have base64: foreign character, need base64"},
                    {R"("input_leaves":")", R"("input_leaves":"AAAA)",
                     "receipt.input_leaves: have 195 bytes, need a multiple of 32"},
                    {R"("output_leaves":")", R"("output_leaves":"AAAA)",
                     "stages.output_leaves: have 195 bytes, need a multiple of 32"},
                    {R"("salt":"0x01)", R"("salt":"0xzz)",
                     "receipt.opening.salt: have another text, need 0x and 64 hex digits"}});
}

TEST(receipt_file, has_stages_that_are_objects) {
    json::value document = json::parse(good_text());
    document.at("stages").as_array()[1] = 1;
    EXPECT_EQ(refusal(json::serialize(document)), "stages: have another type, need an object");
}

TEST(receipt_file, has_limits) {
    test::DevReceipt dev = test::make_receipt();
    const auto refused = [](const Receipt& receipt) { return refusal(encode_receipt(receipt)); };
    Receipt many = dev.receipt;
    many.stages.resize(receipt_stages_max + 1, many.stages[0]);
    EXPECT_EQ(refused(many), "receipt.stages: have 65 entries, need at most 64");
    Receipt statement = dev.receipt;
    statement.stages[0].statement.resize(statement_bytes_max + 1);
    EXPECT_EQ(refused(statement), "stages.statement: have 2049 bytes, need at most 2048");
    Receipt quote = dev.receipt;
    quote.stages[0].quote.resize(quote_bytes_max + 3);
    EXPECT_EQ(refused(quote), "stages.quote: have 43696 bytes, need at most 43692");
}

TEST(receipt_file, keeps_every_sampling_option) {
    Receipt receipt = test::make_receipt().receipt;
    receipt.opening.sampling.logit_bias = {{.token = 7, .bias = -1.5F}, {.token = 9, .bias = 2}};
    receipt.opening.sampling.seed = UINT64_MAX;
    receipt.opening.sampling.answer_given = 2;
    const auto back = parse_receipt(encode_receipt(receipt));
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(back->opening.sampling.seed, UINT64_MAX);
    ASSERT_EQ(back->opening.sampling.logit_bias.size(), 2u);
    EXPECT_EQ(back->opening.sampling.logit_bias[0].bias, -1.5F);
    EXPECT_EQ(opening_digest(back->opening), opening_digest(receipt.opening));
}

}  // namespace
}  // namespace teetee::attest
