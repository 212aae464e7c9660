// SPDX-License-Identifier: Apache-2.0
#include "tensor/huge_buffer.hpp"

#include <sys/mman.h>

#include "base/assert.hpp"

namespace teetee::tensor {
namespace {

constexpr size_t huge_page_bytes = size_t{2} << 20;
constexpr size_t page_bytes = 4096;

}  // namespace

HugeBuffer::HugeBuffer(size_t bytes) : size_(bytes) {
    if (bytes == 0) return;
    const bool large = bytes >= huge_page_bytes;
    // The mapping ends with the data, so that the last, partial huge page stays small pages.
    mapping_bytes_ =
        (bytes + page_bytes - 1) / page_bytes * page_bytes + (large ? huge_page_bytes : 0);
    mapping_ =
        mmap(nullptr, mapping_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping_ == MAP_FAILED) assertion_failed("out of memory", __FILE__, __LINE__);
    data_ = static_cast<uint8_t*>(mapping_);
    if (!large) return;
    const auto address = reinterpret_cast<uintptr_t>(data_);
    data_ += (huge_page_bytes - address % huge_page_bytes) % huge_page_bytes;
    // Where there are no huge pages, small ones do the same, only slower.
    (void)madvise(data_, bytes, MADV_HUGEPAGE);
}

HugeBuffer::~HugeBuffer() {
    if (mapping_ != nullptr) munmap(mapping_, mapping_bytes_);
}

}  // namespace teetee::tensor
