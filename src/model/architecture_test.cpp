// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>
#include <map>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "model/test_decoding.hpp"

// Every architecture against tests/reference: an independent implementation in float64. The
// fixtures there describe small models whose weights follow from the names of their tensors.

namespace teetee::model {
namespace {

namespace json = boost::json;

std::string text(const json::value& value) {
    return std::string(std::string_view(value.as_string()));
}

/// As in tests/reference/micro_model.py.
std::vector<float> weights(std::string_view name, uint64_t count, double center, double spread) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
    std::vector<float> values;
    for (uint64_t i = 1; i <= count; ++i) {
        uint64_t z = hash + i * 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z = z ^ (z >> 31);
        const double u = static_cast<double>(z >> 40) * 0x1p-23 - 1.0;
        values.push_back(static_cast<float>(center + spread * u));
    }
    return values;
}

void write_key(GgufWriter& writer, std::string_view key, const json::value& value) {
    if (value.is_bool()) return writer.boolean(key, value.as_bool());
    if (value.is_string()) return writer.string(key, text(value));
    if (value.is_double()) return writer.f32(key, static_cast<float>(value.as_double()));
    writer.u32(key, value.to_number<uint32_t>());
}

struct Fixture {
    Bytes file;
    std::vector<TokenId> tokens;
    size_t vocabulary = 0;
    std::vector<size_t> positions;
    std::vector<double> logits;  // (positions, vocabulary)
};

Fixture load_fixture(const std::string& name) {
    const Bytes bytes = read_file(TEETEE_SOURCE_DIR "/tests/reference/fixtures/" + name + ".json");
    const json::value document = json::parse(as_text(bytes));
    F32Model model;
    model.writer.string("general.architecture", text(document.at("architecture")));
    for (const auto& [key, value] : document.at("keys").as_object())
        write_key(model.writer, key, value);
    for (const auto& [tensor, description] : document.at("tensors").as_object()) {
        std::vector<uint64_t> dimensions;
        uint64_t count = 1;
        for (const json::value& length : description.at("shape").as_array()) {
            dimensions.insert(dimensions.begin(), length.to_number<uint64_t>());
            count *= dimensions.front();
        }
        model.tensor(std::string(tensor), dimensions,
                     weights(tensor, count, description.at("center").to_number<double>(),
                             description.at("spread").to_number<double>()));
    }
    Fixture fixture;
    fixture.file = written(model.writer);
    fixture.vocabulary = document.at("vocabulary").to_number<size_t>();
    for (size_t i = 0; i < document.at("token_count").to_number<size_t>(); ++i)
        fixture.tokens.push_back(static_cast<TokenId>((i * i * 31 + 7 * i) % fixture.vocabulary));
    for (const json::value& position : document.at("positions").as_array())
        fixture.positions.push_back(position.to_number<size_t>());
    for (const json::value& row : document.at("logits").as_array()) {
        for (const json::value& logit : row.as_array())
            fixture.logits.push_back(logit.to_number<double>());
    }
    return fixture;
}

struct Pinned {
    const char* fixture;
    const char* sha256;
};

void PrintTo(const Pinned& pinned, std::ostream* out) {
    *out << pinned.fixture;
}

class Architecture : public testing::TestWithParam<Pinned> {};

TEST_P(Architecture, agrees_with_the_reference) {
    const Fixture fixture = load_fixture(GetParam().fixture);
    const std::vector<float> logits = logits_of(fixture.file, fixture.tokens);
    double worst = 0;
    double largest = 0;
    for (size_t i = 0; i < fixture.logits.size(); ++i) {
        const size_t position = fixture.positions[i / fixture.vocabulary];
        const float have = logits[position * fixture.vocabulary + i % fixture.vocabulary];
        ASSERT_TRUE(std::isfinite(have));
        worst = std::max(worst, std::fabs(have - fixture.logits[i]));
        largest = std::max(largest, std::fabs(fixture.logits[i]));
    }
    EXPECT_LE(worst, 2e-5 * largest);
    EXPECT_GT(largest, 1.0);
}

/// docs/numerics.md: whatever the kernel, threads, cut, chunks and batch mates. 300 positions go
/// beyond one segment of attention, and beyond every window.
TEST_P(Architecture, has_pinned_bits_that_are_the_same_everywhere) {
    const Fixture fixture = load_fixture(GetParam().fixture);
    const std::vector<float> reference = logits_of(fixture.file, fixture.tokens);
    EXPECT_EQ(digest(reference), GetParam().sha256);
    const Setting settings[] = {{.kernels = &tensor::scalar_kernels()},
                                {.threads = 2},
                                {.shards = 2, .chunk = 64},
                                {.threads = 2, .shards = 3, .chunk = 7},
                                {.chunk = 64, .mates = Mates::in_front},
                                {.chunk = 1}};
    for (const Setting& setting : settings) {
        EXPECT_EQ(logits_of(fixture.file, fixture.tokens, setting), reference)
            << setting.kernels->name << " threads " << setting.threads << " shards "
            << setting.shards << " chunk " << setting.chunk;
    }
}

INSTANTIATE_TEST_SUITE_P(
    of, Architecture,
    testing::Values(
        Pinned{"llama-llama3", "1adabcc2502b58107654f3f240155a12cd7b455a4f05959b76aeb5f07cb313c0"},
        Pinned{"llama-linear", "d4523896bc69cf25438bc79a31a9d1fb6db8e266d54c5d7315f8722e26d41113"},
        Pinned{"llama-yarn", "5b7c42da4f6c9a94f5bcde700fb9d5411b9427623502efbb2b99ee19c4499420"},
        Pinned{"llama-mistral", "949c3a2943a370cd28175db9a767592c3d3d4fef59227408143dabd1bef61949"},
        Pinned{"llama-mixtral", "72c9567b930c686d42b666d1f29a7f655348f895501fdf614ef6712e10158038"},
        Pinned{"qwen2", "797b905b873def3f3a839aaa76954cd68a6025683b20b593be1861cdbfeaeb11"},
        Pinned{"qwen3", "e35dcb111ed738f5b3996eaa06d2c574e09ca0687043d79a1337798ea5d3bb76"},
        Pinned{"qwen3moe", "602cf4f8453b4d9fcb6422878c5e82751bb2ff2d1b76e7381cbfd746b16617e4"},
        Pinned{"qwen3moe-shares",
               "d44fe8a810d848573fe73d21205834ae0abcc91bf8884559f3fdd9a0828f73e4"},
        Pinned{"gemma2", "99fa2f1e522d73cc1d4ba784ca13d0cbcda417fc71b87c170a7b341d03be1abf"},
        Pinned{"phi3-long", "05d9cb98f43e2c83ae8df036240afca7895e6e3ab8e5011601d6b8e4b9769ed3"},
        Pinned{"phi3-short", "b0852d6cce244310dbe75ece7ecb4cbb92cb2723d5a3a9be6df990e22f5fef53"},
        Pinned{"gpt2", "853bbbc0d901a0fc5c490c6f57bf34ad43585cae0bcdc37fe593a4cd55b6e380"}),
    [](const auto& parameter) {
        std::string name = parameter.param.fixture;
        std::replace(name.begin(), name.end(), '-', '_');
        return name;
    });

}  // namespace
}  // namespace teetee::model
