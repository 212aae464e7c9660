// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace teetee::tensor {

/// What the processor and the operating system let this process use, found out once.
struct CpuFeatures {
    bool avx2 = false;    // with FMA and F16C
    bool avx512 = false;  // F, BW, VL, DQ, VBMI and VNNI
    bool amx = false;     // AMX-INT8 on top of avx512, with the system's permission for tile data
};

const CpuFeatures& cpu_features();

}  // namespace teetee::tensor
