// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "tensor/float16.hpp"
#include "tensor/math.hpp"
#include "tensor/matrix.hpp"
#include "tensor/ops.hpp"

namespace teetee::tensor {
namespace {

/// Own generator: the distributions of <random> differ between libraries.
class Numbers {
  public:
    explicit Numbers(uint32_t seed) : generator_(seed) {}
    float next() { return static_cast<float>(generator_()) * 0x1p-31F - 1.0F; }
    uint8_t byte() { return static_cast<uint8_t>(generator_()); }

  private:
    std::mt19937 generator_;
};

TEST(float16, widens_every_value_exactly) {
    EXPECT_EQ(f16_to_f32(0x3c00), 1.0F);
    EXPECT_EQ(f16_to_f32(0x0001), 0x1p-24F);
    EXPECT_EQ(f16_to_f32(0x83ff), -1023 * 0x1p-24F);
    EXPECT_EQ(f16_to_f32(0x7bff), 65504.0F);
    EXPECT_TRUE(std::isinf(f16_to_f32(0x7c00)));
    EXPECT_TRUE(std::isnan(f16_to_f32(0x7e01)));
    EXPECT_TRUE(std::signbit(f16_to_f32(0x8000)));
}

TEST(math, exp_is_within_two_units_of_the_truth) {
    for (float x = -87.0F; x < 88.0F; x += 0.00137F) {
        const double truth = std::exp(static_cast<double>(x));
        const float unit =
            std::nextafter(static_cast<float>(truth), INFINITY) - static_cast<float>(truth);
        ASSERT_LE(std::fabs(exp_f32(x) - truth), 2.0 * unit) << x;
    }
    EXPECT_EQ(exp_f32(0.0F), 1.0F);
    EXPECT_EQ(exp_f32(-INFINITY), 0.0F);
    EXPECT_EQ(exp_f32(INFINITY), INFINITY);
    EXPECT_TRUE(std::isnan(exp_f32(NAN)));
}

TEST(math, many_values_give_the_bits_of_one) {
    Numbers numbers(1);
    std::vector<float> values(1003);
    for (float& v : values) v = 100.0F * numbers.next();
    std::vector<float> many = values;
    exp_f32(many.data(), many.size());
    for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(std::bit_cast<uint32_t>(many[i]), std::bit_cast<uint32_t>(exp_f32(values[i])));
    }
}

TEST(math, double_functions_agree_with_the_library) {
    for (double x = 1e-6; x < 1e9; x *= 1.37) {
        EXPECT_NEAR(log_f64(x), std::log(x), 1e-14 * (1 + std::fabs(std::log(x))));
    }
    for (double x = -50; x < 50; x += 0.173) EXPECT_NEAR(exp_f64(x) / std::exp(x), 1.0, 4e-15);
    for (double x = 0; x < 2e5; x += 1.7 + x / 300) {
        EXPECT_NEAR(sin_cos_f64(x).sin, std::sin(x), 1e-15);
        EXPECT_NEAR(sin_cos_f64(x).cos, std::cos(x), 1e-15);
    }
}

/// Random weights in the file's layout; scales are kept small and finite.
Bytes random_matrix(DataType type, size_t rows, size_t columns, Numbers& numbers) {
    const BlockLayout layout = block_layout(type);
    Bytes data;
    for (size_t block = 0; block < rows * columns / layout.elements; ++block) {
        if (type == DataType::f32) {
            const float value = numbers.next();
            const auto* p = reinterpret_cast<const uint8_t*>(&value);
            data.insert(data.end(), p, p + 4);
            continue;
        }
        const auto scale =
            static_cast<uint16_t>(0x2000 | (numbers.byte() << 3) | (numbers.byte() & 0x8000));
        data.push_back(static_cast<uint8_t>(scale));
        data.push_back(static_cast<uint8_t>(scale >> 8));
        // Every byte value may come in a hostile file, -128 among them.
        for (size_t i = 2; i < layout.bytes; ++i) data.push_back(numbers.byte());
    }
    return data;
}

struct MultiplyCase {
    DataType type;
    size_t rows;
    size_t columns;
};

class Multiply : public testing::TestWithParam<MultiplyCase> {};

TEST_P(Multiply, agrees_with_double_precision_and_is_bit_identical_everywhere) {
    const auto [type, rows, columns] = GetParam();
    Numbers numbers(7);
    const Bytes data = random_matrix(type, rows, columns, numbers);
    const MatrixView matrix{type, rows, columns, data};
    constexpr size_t batch = 7;
    std::vector<float> x(batch * columns);
    for (float& v : x) v = numbers.next();

    std::vector<std::vector<float>> results;
    for (const size_t threads : {1u, 2u, 3u}) {
        ThreadPool pool(threads);
        const PackedMatrix packed(matrix, pool);
        for (const KernelSet* kernels : {&scalar_kernels(), &best_kernels()}) {
            std::vector<float> together(batch * rows);
            Activations activations;
            activations.assign(x.data(), batch, columns, pool);
            packed.multiply(activations, together.data(), *kernels, pool);
            std::vector<float> one_by_one(batch * rows);
            for (size_t row = 0; row < batch; ++row) {
                activations.assign(x.data() + row * columns, 1, columns, pool);
                packed.multiply(activations, one_by_one.data() + row * rows, *kernels, pool);
            }
            results.push_back(together);
            results.push_back(one_by_one);
        }
    }
    for (const auto& result : results) {
        ASSERT_EQ(std::memcmp(result.data(), results[0].data(), 4 * result.size()), 0);
    }

    std::vector<float> weights(columns);
    for (size_t r = 0; r < rows; ++r) {
        dequantise_row(matrix, r, weights.data());
        for (size_t b = 0; b < batch; ++b) {
            double truth = 0;
            double norm = 0;
            for (size_t k = 0; k < columns; ++k) {
                truth += static_cast<double>(weights[k]) * x[b * columns + k];
                norm += std::fabs(static_cast<double>(weights[k]));
            }
            // 8-bit activations are off by half a step, 1/254 of the block's largest value; floats
            // by the rounding of `columns` additions.
            const double step = block_layout(type).elements > 1 ? 1.0 / 254 : 1e-6;
            ASSERT_NEAR(results[0][b * rows + r], truth, norm * step + 1e-6);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    types, Multiply,
    testing::Values(MultiplyCase{DataType::f32, 37, 172}, MultiplyCase{DataType::f32, 16, 1024},
                    MultiplyCase{DataType::f16, 40, 300}, MultiplyCase{DataType::q8_0, 50, 544},
                    MultiplyCase{DataType::q8_0, 1, 32}, MultiplyCase{DataType::q4_0, 33, 768}));

TEST(kernels, forced_sets_are_the_named_ones) {
    EXPECT_EQ((*kernels_named("scalar"))->name, "scalar");
    EXPECT_EQ(*kernels_named("auto"), &best_kernels());
    EXPECT_EQ(kernels_named("quantum").error().code, ErrorCode::kernel_unavailable);
}

TEST(kernels, attention_pages_are_bit_identical) {
    Numbers numbers(3);
    for (const size_t head_dim : {8u, 48u, 64u, 100u}) {
        std::vector<float> page(page_positions * head_dim), query(head_dim),
            weights(page_positions);
        for (auto* v : {&page, &query, &weights}) {
            for (float& f : *v) f = numbers.next();
        }
        std::vector<float> scores[2] = {std::vector<float>(page_positions),
                                        std::vector<float>(page_positions)};
        std::vector<float> sums[2] = {std::vector<float>(head_dim), std::vector<float>(head_dim)};
        const KernelSet* sets[2] = {&scalar_kernels(), &best_kernels()};
        for (int i = 0; i < 2; ++i) {
            sets[i]->score_page(query.data(), page.data(), head_dim, scores[i].data());
            sets[i]->accumulate_page(weights.data(), page.data(), head_dim, 13, sums[i].data());
        }
        EXPECT_EQ(scores[0], scores[1]);
        EXPECT_EQ(sums[0], sums[1]);
    }
}

TEST(activations, survive_what_is_not_a_number) {
    ThreadPool pool(1);
    std::vector<float> values(64, 1.0F);
    values[3] = NAN;
    values[40] = INFINITY;
    Activations activations;
    activations.assign(values.data(), 1, 64, pool);
    const ActivationView& view = activations.as(DataType::q8_0);
    EXPECT_EQ(view.quants[3], 0);
    EXPECT_EQ(view.quants[4], 127);
    EXPECT_EQ(view.quants[40], 0);
}

TEST(ops, norm_softmax_and_silu_agree_with_their_formulas) {
    Numbers numbers(5);
    std::vector<float> x(100), w(100), out(100);
    for (size_t i = 0; i < x.size(); ++i) x[i] = numbers.next(), w[i] = numbers.next();
    rms_norm(x.data(), w.data(), x.size(), 1e-5F, out.data());
    double squares = 0;
    for (const float v : x) squares += static_cast<double>(v) * v;
    for (size_t i = 0; i < x.size(); ++i) {
        EXPECT_NEAR(out[i], x[i] / std::sqrt(squares / 100 + 1e-5) * w[i], 1e-6);
    }
    std::vector<float> p = x;
    const float inverse = softmax_numerators(p.data(), p.size());
    double total = 0;
    for (const float v : p) total += static_cast<double>(v) * inverse;
    EXPECT_NEAR(total, 1.0, 1e-6);
    std::vector<float> gate = x;
    silu_multiply(gate.data(), w.data(), gate.size());
    for (size_t i = 0; i < x.size(); ++i)
        EXPECT_NEAR(gate[i], x[i] / (1 + std::exp(-x[i])) * w[i], 1e-6);
}

TEST(ops, rope_turns_pairs_by_the_position) {
    const RopeTable table(8, 10000.0);
    std::vector<float> rotation;
    table.rotation(100000, rotation);
    float head[8] = {1, 0, 1, 0, 1, 0, 1, 0};
    rotate_adjacent(head, rotation);
    for (int i = 0; i < 4; ++i) {
        const double angle = 100000 * std::pow(10000.0, -2.0 * i / 8);
        EXPECT_NEAR(head[2 * i], std::cos(angle), 1e-6);
        EXPECT_NEAR(head[2 * i + 1], std::sin(angle), 1e-6);
    }
}

TEST(thread_pool, covers_every_index_once) {
    for (const size_t threads : {1u, 2u, 5u}) {
        ThreadPool pool(threads);
        for (size_t count = 0; count < 40; ++count) {
            std::vector<int> seen(count);
            pool.run(count, [&](size_t begin, size_t end) {
                for (size_t i = begin; i < end; ++i) ++seen[i];
            });
            EXPECT_EQ(seen, std::vector<int>(count, 1));
        }
    }
}

}  // namespace
}  // namespace teetee::tensor
