// SPDX-License-Identifier: Apache-2.0

#include "tensor/ops_body.hpp"

namespace teetee::tensor {

const OpsTable& baseline_ops() {
    return this_table;
}

}  // namespace teetee::tensor
