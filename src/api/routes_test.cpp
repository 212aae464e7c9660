// SPDX-License-Identifier: Apache-2.0
#include "api/routes.hpp"

#include <set>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include "api/openapi.hpp"
#include "base/ascii.hpp"

namespace teetee::api {
namespace {

namespace json = boost::json;

const json::object& document() {
    static const json::value parsed = json::parse(openapi_document());
    return parsed.as_object();
}

/// Every "$ref" in the document.
void add_references(const json::value& value, std::set<std::string>& out) {
    if (const auto* object = value.if_object()) {
        for (const auto& member : *object) {
            if (member.key() == "$ref") out.insert(std::string(member.value().as_string()));
            add_references(member.value(), out);
        }
    } else if (const auto* list = value.if_array()) {
        for (const auto& item : *list) add_references(item, out);
    }
}

TEST(openapi, describes_the_paths_that_are_served_and_no_others) {
    std::set<std::string> served;
    for (const Routes::Route& route : Routes::table())
        served.insert(to_lower(route.method) + " " + std::string(route.path));
    std::set<std::string> described;
    for (const auto& path : document().at("paths").as_object()) {
        for (const auto& method : path.value().as_object())
            described.insert(std::string(method.key()) + " " + std::string(path.key()));
    }
    EXPECT_EQ(served, described);
}

TEST(openapi, says_which_paths_want_a_key) {
    for (const Routes::Route& route : Routes::table()) {
        const auto& operation =
            document().at("paths").at(route.path).at(to_lower(route.method)).as_object();
        const auto* security = operation.if_contains("security");
        bool names_key = false;
        // Nothing, where the entry asks for no keys; a key; a payment.
        const size_t ways = security == nullptr ? 0 : security->as_array().size();
        for (size_t i = 0; i < ways; ++i) names_key |= security->at(i).as_object().contains("key");
        EXPECT_EQ(names_key, route.access != Routes::Access::open) << route.path;
        if (names_key) {
            EXPECT_EQ(ways, route.access == Routes::Access::with_key ? 2u : 3u) << route.path;
        }
    }
}

TEST(openapi, defines_all_that_it_refers_to) {
    std::set<std::string> references;
    add_references(document(), references);
    EXPECT_GT(references.size(), 20u);
    const auto& schemas = document().at("components").at("schemas").as_object();
    constexpr std::string_view prefix = "#/components/schemas/";
    for (const std::string& reference : references) {
        ASSERT_TRUE(reference.starts_with(prefix)) << reference;
        EXPECT_TRUE(schemas.contains(reference.substr(prefix.size()))) << reference;
    }
    EXPECT_EQ(references.size(), schemas.size()) << "a schema that nothing uses";
}

}  // namespace
}  // namespace teetee::api
