// SPDX-License-Identifier: Apache-2.0
#include "base/storage.hpp"

#include <algorithm>

namespace teetee {

Result<void> MemorySource::read(uint64_t offset, std::span<uint8_t> out) const {
    if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
        return fail(ErrorCode::io_failed, "have " + std::to_string(bytes_.size()) +
                                              " bytes, need " + std::to_string(out.size()) +
                                              " at " + std::to_string(offset));
    }
    std::ranges::copy(bytes_.subspan(static_cast<size_t>(offset), out.size()), out.begin());
    return {};
}

}  // namespace teetee
