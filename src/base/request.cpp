// SPDX-License-Identifier: Apache-2.0
#include "base/request.hpp"

namespace teetee {

Result<void> validate(const SamplingOptions& options) {
    if (!(options.temperature >= 0.0F && options.temperature <= 100.0F)) {
        return fail(ErrorCode::invalid_argument, "temperature must be between 0 and 100");
    }
    if (!(options.top_p > 0.0F && options.top_p <= 1.0F)) {
        return fail(ErrorCode::invalid_argument, "top_p must be above 0 and at most 1");
    }
    return {};
}

}  // namespace teetee
