// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/gguf.hpp"

namespace teetee::model {

template <class T>
struct Bounds {
    T least;
    T most;
};

/// Reads the keys <architecture>.* within bounds, and remembers which were read.
class KeyReader {
  public:
    KeyReader(const Gguf& gguf, std::string_view architecture)
        : gguf_(gguf), prefix_(std::string(architecture) + ".") {}

    bool has(std::string_view key) const {
        return gguf_.find(prefix_ + std::string(key)) != nullptr;
    }

    /// Without a fallback the key must be there.
    Result<uint32_t> u32(std::string_view key, Bounds<uint32_t> bounds,
                         std::optional<uint32_t> fallback = std::nullopt) {
        TT_TRY(const auto found, gguf_.u32(take(key)));
        return bounded<uint32_t>(key, found ? found : fallback, bounds);
    }

    Result<float> f32(std::string_view key, Bounds<float> bounds,
                      std::optional<float> fallback = std::nullopt) {
        TT_TRY(const auto found, gguf_.f32(take(key)));
        return bounded<float>(key, found ? found : fallback, bounds);
    }

    Result<std::optional<bool>> boolean(std::string_view key) { return gguf_.boolean(take(key)); }

    Result<std::optional<std::string_view>> string(std::string_view key) {
        return gguf_.string(take(key));
    }

    /// Keys that may stand in a file though nothing reads them.
    void ignore(std::string_view key) { take(key); }

    Error invalid(std::string_view key, const std::string& why) const {
        return fail(ErrorCode::hyperparameter_invalid, prefix_ + std::string(key) + ": " + why);
    }

    /// Error: architecture_unsupported naming a key of the architecture that nothing has read.
    Result<void> ensure_all_read() const {
        for (const GgufEntry& entry : gguf_.entries()) {
            if (entry.key.starts_with(prefix_) && !taken_.contains(entry.key)) {
                return fail(ErrorCode::architecture_unsupported,
                            "key " + quote_foreign(entry.key) +
                                " is not known; what it asks for may not be computed");
            }
        }
        return {};
    }

  private:
    const std::string& take(std::string_view key) {
        return *taken_.insert(prefix_ + std::string(key)).first;
    }

    template <class T>
    static std::string text(T value) {
        char digits[32];
        return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }

    template <class T>
    Result<T> bounded(std::string_view key, std::optional<T> value, Bounds<T> bounds) const {
        if (!value) return invalid(key, "is missing");
        // The comparison also refuses what is not a number.
        if (!(*value >= bounds.least && *value <= bounds.most)) {
            return invalid(key, "have " + text(*value) + ", need " + text(bounds.least) + " to " +
                                    text(bounds.most));
        }
        return *value;
    }

    const Gguf& gguf_;
    std::string prefix_;
    std::set<std::string, std::less<>> taken_;
};

}  // namespace teetee::model
