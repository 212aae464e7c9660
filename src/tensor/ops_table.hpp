// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace teetee::tensor {

/// The element-wise operations of ops.hpp, compiled for one instruction set. All tables give the
/// same bits: the source is one (ops_body.hpp), and no operation in it depends on a width.
struct OpsTable {
    float (*sum_strided)(const float*, size_t);
    void (*rms_norm)(const float*, const float*, size_t, float, float*);
    void (*add)(float*, const float*, size_t);
    void (*silu_multiply)(float*, const float*, size_t);
    void (*exp_all)(float*, size_t);
    float (*softmax_numerators)(float*, size_t);
    void (*rotate_adjacent)(float*, const float*, size_t);
    void (*to_f16_finite)(const float*, size_t, uint16_t*);
    float (*quantise_block)(const float*, int8_t*, int32_t&);
    float (*quantise_super_block)(const float*, int8_t*, size_t, int16_t*);
    float (*quantise_fixed_block)(const float*, int8_t*, int16_t*);
};

/// The best for this processor.
const OpsTable& ops_table();

const OpsTable& baseline_ops();
#if defined(__x86_64__)
const OpsTable& avx2_ops();    // where best_kernels() is avx2 or better
const OpsTable& avx512_ops();  // where best_kernels() is avx512 or better
#endif

}  // namespace teetee::tensor
