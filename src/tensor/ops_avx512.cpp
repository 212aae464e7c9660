// SPDX-License-Identifier: Apache-2.0
#if defined(__x86_64__)
#include "tensor/ops_body.hpp"

namespace teetee::tensor {

const OpsTable& avx512_ops() {
    return this_table;
}

}  // namespace teetee::tensor
#endif
