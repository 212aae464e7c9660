// SPDX-License-Identifier: Apache-2.0
#include "tensor/kernels.hpp"

#include <string>

#include "tensor/cpu.hpp"

namespace teetee::tensor {

#if defined(__x86_64__)
const KernelSet& avx2_kernels();    // kernels_avx2.cpp
const KernelSet& avx512_kernels();  // kernels_avx512.cpp
const KernelSet& amx_kernels();     // kernels_amx.cpp
#endif

namespace {

std::vector<const KernelSet*> find_kernels() {
    std::vector<const KernelSet*> found = {&scalar_kernels()};
#if defined(__x86_64__)
    if (cpu_features().avx2) found.push_back(&avx2_kernels());
    if (cpu_features().avx512) found.push_back(&avx512_kernels());
    if (cpu_features().amx) found.push_back(&amx_kernels());
#endif
    return found;
}

}  // namespace

const std::vector<const KernelSet*>& available_kernels() {
    static const std::vector<const KernelSet*> found = find_kernels();
    return found;
}

const KernelSet& best_kernels() {
    return *available_kernels().back();
}

Result<const KernelSet*> kernels_named(std::string_view name) {
    if (name == "auto") return &best_kernels();
    std::string names;
    for (const KernelSet* kernels : available_kernels()) {
        if (kernels->name == name) return kernels;
        names += std::string(kernels->name) + ", ";
    }
    return fail(
        ErrorCode::kernel_unavailable,
        "kernel " + quote_foreign(name) + " is not available here; choose " + names + "or auto");
}

}  // namespace teetee::tensor
