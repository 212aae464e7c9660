// SPDX-License-Identifier: Apache-2.0
#include "tensor/cpu.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace teetee::tensor {
namespace {

#if defined(__x86_64__)

/// CPUID is asked where clang 14 knows no name for a feature.
struct CpuidRegisters {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidRegisters cpuid(unsigned leaf) {
    CpuidRegisters r;
    if (__get_cpuid_count(leaf, 0, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
    return r;
}

/// Linux gives a process the 8 KiB of tile registers only when it asks for them (Linux kernel
/// documentation, x86/xstate: ARCH_REQ_XCOMP_PERM of XFEATURE_XTILEDATA).
bool request_tile_permission() {
    constexpr long request = 0x1023;
    constexpr long tile_data = 18;
    return syscall(SYS_arch_prctl, request, tile_data) == 0;
}

CpuFeatures find_features() {
    CpuFeatures found;
    const CpuidRegisters basic = cpuid(1);
    const CpuidRegisters extended = cpuid(7);
    constexpr unsigned f16c = 1u << 29;
    found.avx2 =
        (basic.ecx & f16c) != 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    found.avx512 = found.avx2 && __builtin_cpu_supports("avx512f") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vbmi") &&
                   __builtin_cpu_supports("avx512vnni");
    constexpr unsigned amx_tile = 1u << 24;
    constexpr unsigned amx_int8 = 1u << 25;
    found.amx = found.avx512 && (extended.edx & amx_tile) != 0 && (extended.edx & amx_int8) != 0 &&
                request_tile_permission();
    return found;
}

#else

CpuFeatures find_features() {
    return {};
}

#endif

}  // namespace

const CpuFeatures& cpu_features() {
    static const CpuFeatures features = find_features();
    return features;
}

}  // namespace teetee::tensor
