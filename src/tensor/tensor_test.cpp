// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "base/float16.hpp"
#include "tensor/cpu.hpp"
#include "tensor/math.hpp"
#include "tensor/matrix.hpp"
#include "tensor/ops.hpp"
#include "tensor/ops_table.hpp"

namespace teetee::tensor {

#if defined(__x86_64__)
const KernelSet& emulated_amx_kernels();  // kernels_amx_emulated_test.cpp
#endif

namespace {

/// Every kernel set that this processor can run one way or another.
std::vector<const KernelSet*> tested_kernels() {
    std::vector<const KernelSet*> all = available_kernels();
#if defined(__x86_64__)
    static KernelSet emulated = emulated_amx_kernels();
    emulated.name = "amx on emulated tiles";
    if (cpu_features().avx512) all.push_back(&emulated);
#endif
    return all;
}

/// Own generator: the distributions of <random> differ between libraries.
class Numbers {
  public:
    explicit Numbers(uint32_t seed) : generator_(seed) {}
    float next() { return static_cast<float>(generator_()) * 0x1p-31F - 1.0F; }
    uint8_t byte() { return static_cast<uint8_t>(generator_()); }

  private:
    std::mt19937 generator_;
};

TEST(float16, narrows_to_the_nearest_finite_half) {
    for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
        const float value = f16_to_f32(static_cast<uint16_t>(bits));
        ASSERT_EQ(f32_to_f16_finite(value), bits);
        ASSERT_EQ(f32_to_f16_finite(-value), bits | 0x8000u);
        // Half way to the next one goes to the even one, a little more goes up.
        const float next = f16_to_f32(static_cast<uint16_t>(bits + 1));
        if (bits == 0x7bff) break;
        const float middle = (value + next) / 2;
        ASSERT_EQ(f32_to_f16_finite(middle), bits + (bits & 1));
        ASSERT_EQ(f32_to_f16_finite(std::nextafter(middle, next)), bits + 1);
    }
    EXPECT_EQ(f32_to_f16_finite(INFINITY), 0x7bff);
    EXPECT_EQ(f32_to_f16_finite(-1e30F), 0xfbff);
    EXPECT_EQ(f32_to_f16_finite(NAN), 0);
}

TEST(float16, many_values_give_the_bits_of_one) {
    Numbers numbers(11);
    std::vector<float> values = {INFINITY, -INFINITY, NAN, 65504, 65519, 65520, 1e-8F, -0.0F};
    for (int i = 0; i < 500; ++i) {
        values.push_back(std::bit_cast<float>(static_cast<uint32_t>(numbers.byte()) << 24 |
                                              static_cast<uint32_t>(numbers.byte()) << 16 |
                                              static_cast<uint32_t>(numbers.byte()) << 8));
        values.push_back(numbers.next() * 100);
    }
    std::vector<uint16_t> halves(values.size());
    to_f16_finite(values.data(), values.size(), halves.data());
    for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(halves[i], f32_to_f16_finite(values[i]));
}

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

/// Where the 16-bit floats of a block stand.
std::vector<size_t> halves_of(DataType type) {
    switch (type) {
        case DataType::f32:
            return {};
        case DataType::q4_1:
        case DataType::q5_1:
        case DataType::q4_k:
        case DataType::q5_k:
            return {0, 2};
        case DataType::q2_k:
            return {80, 82};
        case DataType::q3_k:
            return {108};
        case DataType::q6_k:
            return {208};
        default:
            return {0};
    }
}

/// Random weights in the file's layout: every byte value may come in a hostile file, but scales are
/// kept small and finite.
Bytes random_matrix(DataType type, size_t rows, size_t columns, Numbers& numbers) {
    const BlockLayout layout = block_layout(type);
    Bytes data;
    for (size_t block = 0; block < rows * columns / layout.elements; ++block) {
        const size_t begin = data.size();
        for (size_t i = 0; i < layout.bytes; ++i) data.push_back(numbers.byte());
        if (type == DataType::f32) {
            const float value = numbers.next();
            std::memcpy(data.data() + begin, &value, 4);
        }
        for (const size_t at : halves_of(type)) {
            // F16 of 2^-7 to 2^-6, BF16 of 2^-4 to 2^-2, either sign.
            data[begin + at + 1] = static_cast<uint8_t>((numbers.byte() & 0x83) |
                                                        (type == DataType::bf16 ? 0x3d : 0x20));
        }
    }
    return data;
}

struct MultiplyCase {
    DataType type;
    size_t rows;
    size_t columns;
};

void PrintTo(const MultiplyCase& c, std::ostream* out) {
    *out << to_string(c.type) << " " << c.rows << " x " << c.columns;
}

class Multiply : public testing::TestWithParam<MultiplyCase> {};

std::vector<float> product(const PackedMatrix& matrix, const float* x, size_t batch,
                           const KernelSet& kernels, ThreadPool& pool) {
    std::vector<float> out(batch * matrix.rows());
    Activations activations;
    activations.assign(x, batch, matrix.columns(), pool);
    matrix.multiply(activations, out.data(), kernels, pool);
    return out;
}

/// The bits do not depend on the kernel, the threads, or the rows that are computed together: of
/// every size around the kernels' tiles of 8 and 16.
TEST_P(Multiply, is_bit_identical_everywhere) {
    const auto [type, rows, columns] = GetParam();
    Numbers numbers(7);
    const Bytes data = random_matrix(type, rows, columns, numbers);
    constexpr size_t batch_max = 91;
    std::vector<float> x(batch_max * columns);
    for (float& v : x) v = numbers.next();
    ThreadPool one(1);
    ThreadPool three(3);
    const PackedMatrix packed({type, rows, columns, data}, three);
    const std::vector<float> reference =
        product(packed, x.data(), batch_max, scalar_kernels(), three);
    for (const KernelSet* kernels : tested_kernels()) {
        for (const size_t batch :
             {1u, 2u, 3u, 4u, 7u, 8u, 9u, 11u, 15u, 16u, 17u, 31u, 33u, 70u, 75u}) {
            const std::vector<float> got = product(packed, x.data(), batch, *kernels, one);
            ASSERT_EQ(std::memcmp(got.data(), reference.data(), 4 * got.size()), 0)
                << kernels->name << " with " << batch << " rows";
        }
        const std::vector<float> got = product(packed, x.data(), batch_max, *kernels, three);
        ASSERT_EQ(got, reference) << kernels->name << " with 3 threads";
    }
}

TEST_P(Multiply, agrees_with_double_precision) {
    const auto [type, rows, columns] = GetParam();
    Numbers numbers(7);
    const Bytes data = random_matrix(type, rows, columns, numbers);
    const MatrixView matrix{type, rows, columns, data};
    constexpr size_t batch = 3;
    std::vector<float> x(batch * columns);
    for (float& v : x) v = numbers.next();
    ThreadPool pool(1);
    const std::vector<float> got =
        product(PackedMatrix(matrix, pool), x.data(), batch, best_kernels(), pool);
    const Arithmetic arithmetic = code_format(type).arithmetic;
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
            // 8-bit activations are off by half a step, 1/254 of the block's largest value, those
            // of 13 bits by 1/8190; floats by the rounding of `columns` additions.
            const double step = arithmetic == Arithmetic::plain   ? 1e-6
                                : arithmetic == Arithmetic::fixed ? 1.0 / 8190
                                                                  : 1.0 / 254;
            ASSERT_NEAR(got[b * rows + r], truth, norm * step + 1e-6);
        }
    }
}

/// A row of the packed form has the bits of the file's, so that one copy serves as both.
TEST_P(Multiply, rows_can_be_had_back_from_the_packed_form) {
    const auto [type, rows, columns] = GetParam();
    if (!packing_keeps_elements(type, columns)) {
        EXPECT_EQ(code_format(type).arithmetic, Arithmetic::fixed);
        return;
    }
    Numbers numbers(7);
    const Bytes data = random_matrix(type, rows, columns, numbers);
    const MatrixView matrix{type, rows, columns, data};
    ThreadPool pool(2);
    const PackedMatrix packed(matrix, pool);
    std::vector<float> wanted(columns);
    std::vector<float> got(columns);
    for (size_t r = 0; r < rows; ++r) {
        dequantise_row(matrix, r, wanted.data());
        packed.dequantise_row(r, got.data());
        ASSERT_EQ(std::memcmp(got.data(), wanted.data(), 4 * columns), 0) << "row " << r;
    }
}

INSTANTIATE_TEST_SUITE_P(
    types, Multiply,
    testing::Values(MultiplyCase{DataType::f32, 37, 172}, MultiplyCase{DataType::f32, 16, 1024},
                    MultiplyCase{DataType::f16, 40, 300}, MultiplyCase{DataType::f16, 75, 544},
                    MultiplyCase{DataType::bf16, 16, 256}, MultiplyCase{DataType::q8_0, 50, 544},
                    MultiplyCase{DataType::q8_0, 1, 32}, MultiplyCase{DataType::q8_0, 80, 1024},
                    MultiplyCase{DataType::q4_0, 33, 768}, MultiplyCase{DataType::q4_0, 70, 96},
                    MultiplyCase{DataType::q4_1, 35, 352}, MultiplyCase{DataType::q5_0, 35, 352},
                    MultiplyCase{DataType::q5_1, 35, 352}, MultiplyCase{DataType::q2_k, 35, 512},
                    MultiplyCase{DataType::q3_k, 50, 512}, MultiplyCase{DataType::q4_k, 50, 768},
                    MultiplyCase{DataType::q5_k, 35, 512}, MultiplyCase{DataType::q6_k, 50, 512}));

constexpr DataType quantised_types[] = {
    DataType::q8_0, DataType::q4_0, DataType::q4_1, DataType::q5_0, DataType::q5_1,
    DataType::q2_k, DataType::q3_k, DataType::q4_k, DataType::q5_k, DataType::q6_k};

/// More rows than a kernel set keeps the sums of at a time.
TEST(kernels, long_batches_are_bit_identical) {
    Numbers numbers(17);
    ThreadPool pool(2);
    constexpr size_t batch = 533;
    for (const auto& [type, columns] : {std::pair{DataType::f32, 40u},
                                        {DataType::f16, 288u},
                                        {DataType::q5_1, 288u},
                                        {DataType::q6_k, 512u}}) {
        const Bytes data = random_matrix(type, 33, columns, numbers);
        const PackedMatrix packed({type, 33, columns, data}, pool);
        std::vector<float> x(batch * columns);
        for (float& v : x) v = numbers.next();
        const std::vector<float> reference =
            product(packed, x.data(), batch, scalar_kernels(), pool);
        for (const KernelSet* kernels : tested_kernels()) {
            EXPECT_EQ(product(packed, x.data(), batch, *kernels, pool), reference)
                << to_string(type) << " " << kernels->name;
        }
    }
}

/// Blocks at their extremes: no sum may leave 32 bits.
TEST(kernels, the_largest_codes_do_not_overflow) {
    ThreadPool pool(1);
    for (const DataType type : {DataType::f16, DataType::q8_0, DataType::q6_k}) {
        Bytes data(16 * 256 / block_layout(type).elements * block_layout(type).bytes, 0x80);
        for (size_t i = 0; type == DataType::f16 && i < data.size(); i += 2)
            data[i] = 0xff, data[i + 1] = 0x7b;  // 65504
        for (size_t at = halves_of(type)[0]; type != DataType::f16 && at < data.size();
             at += block_layout(type).bytes) {
            data[at] = 0, data[at + 1] = 0x3c;  // 1
        }
        const MatrixView matrix{type, 16, 256, data};
        const PackedMatrix packed(matrix, pool);
        const std::vector<float> x(16 * 256, 1.0F);
        std::vector<float> row(256);
        dequantise_row(matrix, 3, row.data());
        double truth = 0;
        for (const float w : row) truth += static_cast<double>(w);
        for (const KernelSet* kernels : tested_kernels()) {
            const std::vector<float> got = product(packed, x.data(), 16, *kernels, pool);
            EXPECT_NEAR(got[3] / truth, 1.0, 1e-4) << to_string(type) << " " << kernels->name;
        }
    }
}

/// Nor the 16 bits that a kernel may hold sums of pairs in: all codes and scales of a block at
/// once, against activations of either sign.
TEST(kernels, extreme_bytes_give_the_bits_of_the_specification) {
    ThreadPool pool(1);
    Numbers numbers(13);
    std::vector<float> x(8 * 256);
    for (size_t i = 0; i < x.size(); ++i) {
        const size_t row = i / 256;
        x[i] = row == 0 ? 1.0F : row == 1 ? -1.0F : numbers.next() < 0 ? -1.0F : 1.0F;
    }
    for (const DataType type : quantised_types) {
        for (const int byte : {0x00, 0x7f, 0x80, 0x81, 0xff}) {
            Bytes data(16 * 256 / block_layout(type).elements * block_layout(type).bytes,
                       static_cast<uint8_t>(byte));
            for (size_t block = 0; block < data.size(); block += block_layout(type).bytes) {
                for (const size_t half : halves_of(type))
                    data[block + half] = 0, data[block + half + 1] = 0x3c;  // 1
            }
            const PackedMatrix packed({type, 16, 256, data}, pool);
            const std::vector<float> expected =
                product(packed, x.data(), 8, scalar_kernels(), pool);
            for (const KernelSet* kernels : tested_kernels()) {
                EXPECT_EQ(product(packed, x.data(), 8, *kernels, pool), expected)
                    << to_string(type) << " " << kernels->name << " " << byte;
            }
        }
    }
}

TEST(kernels, forced_sets_are_the_named_ones) {
    for (const KernelSet* kernels : available_kernels())
        EXPECT_EQ(*kernels_named(kernels->name), kernels);
    EXPECT_EQ(available_kernels().front(), &scalar_kernels());
    EXPECT_EQ(available_kernels().back(), &best_kernels());
    EXPECT_EQ((*kernels_named("scalar"))->name, "scalar");
    EXPECT_EQ(*kernels_named("auto"), &best_kernels());
    EXPECT_EQ(kernels_named("quantum").error().code, ErrorCode::kernel_unavailable);
}

TEST(kernels, attention_pages_are_bit_identical) {
    Numbers numbers(3);
    for (const KvType type : {KvType::f32, KvType::f16, KvType::q8_0}) {
        for (const size_t head_dim : {8u, 48u, 64u, 100u, 256u}) {
            const size_t blocks = (head_dim + block_elements - 1) / block_elements;
            AlignedVector<uint8_t> keys(4 * page_positions * head_dim), values(keys.size());
            for (auto* plane : {&keys, &values}) {
                for (size_t i = 0; i < plane->size(); ++i) (*plane)[i] = numbers.byte();
                for (size_t i = 0; type == KvType::f32 && i < plane->size(); i += 4) {
                    const float value = numbers.next();
                    std::memcpy(plane->data() + i, &value, 4);
                }
                for (size_t i = 1; type == KvType::f16 && i < plane->size(); i += 2)
                    (*plane)[i] &= 0xbb;  // finite
            }
            std::vector<float> key_scales(blocks * page_positions), value_scales(key_scales.size());
            for (auto* scales : {&key_scales, &value_scales}) {
                for (float& f : *scales) f = numbers.next();
            }
            const KvPageView page = {type, keys.data(), values.data(), key_scales.data(),
                                     value_scales.data()};
            for (const size_t count : {1u, 2u, 3u, 7u, 8u}) {
                std::vector<float> queries(count * head_dim), weights(count * 40);
                for (auto* v : {&queries, &weights}) {
                    for (float& f : *v) f = numbers.next();
                }
                std::vector<const float*> pointers;
                for (size_t i = 0; i < count; ++i) pointers.push_back(&queries[i * head_dim]);
                std::vector<float> expected_scores, expected_sums;
                for (const KernelSet* kernels : tested_kernels()) {
                    std::vector<float> scores(count * 40), sums(count * head_dim, 0.5F);
                    kernels->score_page(page, head_dim, pointers.data(), count, scores.data(), 40);
                    kernels->accumulate_page(page, head_dim, 13, weights.data(), 40, count,
                                             sums.data());
                    if (expected_scores.empty()) expected_scores = scores, expected_sums = sums;
                    EXPECT_EQ(scores, expected_scores) << kernels->name << " " << head_dim;
                    EXPECT_EQ(sums, expected_sums) << kernels->name << " " << head_dim;
                }
            }
        }
    }
}

TEST(activations, survive_what_is_not_a_number) {
    ThreadPool pool(1);
    std::vector<float> values(64, 1.0F);
    values[3] = NAN;
    values[40] = INFINITY;
    Activations activations;
    activations.assign(values.data(), 1, 64, pool);
    const ActivationView& view = activations.as(Arithmetic::blocks);
    EXPECT_EQ(view.quants[3], 0);
    EXPECT_EQ(view.quants[4], 127);
    EXPECT_EQ(view.quants[40], 0);
}

/// One source, several instruction sets.
TEST(ops, every_table_gives_the_same_bits) {
    std::vector<const OpsTable*> tables = {&baseline_ops()};
    if (cpu_features().avx2) tables.push_back(&avx2_ops());
    if (cpu_features().avx512) tables.push_back(&avx512_ops());
    for (const size_t count : {1u, 15u, 16u, 17u, 100u, 257u}) {
        std::vector<std::vector<float>> results;
        for (const OpsTable* table : tables) {
            Numbers numbers(static_cast<uint32_t>(count));
            std::vector<float> x(count), y(count), out(count + 4);
            for (size_t i = 0; i < count; ++i) x[i] = 9 * numbers.next(), y[i] = numbers.next();
            table->rms_norm(x.data(), y.data(), count, 1e-5F, out.data());
            out[count] = table->sum_strided(x.data(), count);
            table->silu_multiply(x.data(), y.data(), count);
            out[count + 1] = table->softmax_numerators(y.data(), count);
            table->add(x.data(), y.data(), count);
            table->add(out.data(), x.data(), count);
            std::vector<float> block(256);
            for (float& v : block) v = numbers.next();
            std::vector<int8_t> quants(1024);
            std::vector<int16_t> integers(256);
            int32_t sum = 0;
            out[count + 2] =
                table->quantise_block(block.data(), quants.data(), sum) +
                table->quantise_super_block(block.data(), quants.data() + 64, 100, integers.data());
            out[count + 3] = table->quantise_fixed_block(block.data(), quants.data() + 600,
                                                         integers.data() + 64);
            for (const int8_t q : quants) out.push_back(q);
            for (const int16_t i : integers) out.push_back(i);
            out.push_back(static_cast<float>(sum));
            results.push_back(out);
        }
        for (const auto& result : results) EXPECT_EQ(result, results[0]) << count;
    }
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
