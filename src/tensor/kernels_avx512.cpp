// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
namespace teetee::tensor {
namespace {
constexpr unsigned long prefetch_bytes = 0;
}  // namespace
}  // namespace teetee::tensor

#include "tensor/kernels_avx512.hpp"

#include "tensor/attention_avx512.hpp"
#include "tensor/kernels.hpp"

namespace teetee::tensor {

const KernelSet& avx512_kernels();

namespace {

void multiply(const PackedView& matrix, const ActivationView& x, float* out, size_t out_stride,
              PanelRange panels) {
    multiply_rows(matrix, x, {0, x.row_count}, out, out_stride, panels);
}

}  // namespace

const KernelSet& avx512_kernels() {
    static constexpr KernelSet set = {"avx512", multiply, score_page, accumulate_page};
    return set;
}

}  // namespace teetee::tensor
#endif
