// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <openssl/crypto.h>

#include "base/bytes.hpp"

namespace teetee::crypto {

/// N secret bytes, wiped when they go. Moved, never copied; a move wipes its source.
template <size_t N>
class Secret {
  public:
    Secret() = default;
    explicit Secret(const ByteArray<N>& bytes) : bytes_(bytes) {}
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            bytes_ = other.bytes_;
            other.wipe();
        }
        return *this;
    }
    ~Secret() { wipe(); }

    ByteView view() const { return bytes_; }
    const uint8_t* data() const { return bytes_.data(); }
    /// For filling in place, so that no second copy comes to be.
    std::span<uint8_t> writable() { return bytes_; }

  private:
    void wipe() { OPENSSL_cleanse(bytes_.data(), N); }

    ByteArray<N> bytes_{};
};

/// Wipes what a container held before it gives the memory back.
template <class T>
struct WipingAllocator {
    using value_type = T;

    WipingAllocator() = default;
    template <class U>
    WipingAllocator(const WipingAllocator<U>&) {}

    T* allocate(size_t count) { return std::allocator<T>().allocate(count); }
    void deallocate(T* memory, size_t count) {
        OPENSSL_cleanse(memory, count * sizeof(T));
        std::allocator<T>().deallocate(memory, count);
    }
    template <class U>
    bool operator==(const WipingAllocator<U>&) const {
        return true;
    }
};

/// Secret bytes of variable length, wiped when they go.
using SecretBytes = std::vector<uint8_t, WipingAllocator<uint8_t>>;

}  // namespace teetee::crypto
