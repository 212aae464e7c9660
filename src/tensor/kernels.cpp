// SPDX-License-Identifier: Apache-2.0
#include "tensor/kernels.hpp"

#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/assert.hpp"

namespace teetee::tensor {

#if defined(__x86_64__)
const KernelSet& avx2_kernels();  // kernels_avx2.cpp
#endif

namespace {

bool has_avx2() {
#if defined(__x86_64__)
    // clang 14 cannot be asked for F16C by name: CPUID leaf 1, ECX bit 29.
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    const bool has_f16c = __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
    return has_f16c && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

}  // namespace

MultiplyFn KernelSet::multiply(DataType type) const {
    switch (type) {
        case DataType::f32:
            return multiply_f32;
        case DataType::f16:
            return multiply_f16;
        case DataType::q8_0:
            return multiply_q8_0;
        case DataType::q4_0:
            return multiply_q4_0;
        default:
            assertion_failed("a type without a kernel", __FILE__, __LINE__);
            return nullptr;
    }
}

const KernelSet& best_kernels() {
#if defined(__x86_64__)
    if (has_avx2()) return avx2_kernels();
#endif
    return scalar_kernels();
}

Result<const KernelSet*> kernels_named(std::string_view name) {
    if (name == "auto") return &best_kernels();
    if (name == "scalar") return &scalar_kernels();
#if defined(__x86_64__)
    if (name == "avx2" && has_avx2()) return &avx2_kernels();
#endif
    return fail(ErrorCode::kernel_unavailable,
                "kernel " + quote_foreign(name) + " is not available here; choose " +
                    (has_avx2() ? "scalar, avx2 or auto" : "scalar or auto"));
}

}  // namespace teetee::tensor
