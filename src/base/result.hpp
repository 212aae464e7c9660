// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.hpp"
#include "base/error.hpp"

namespace teetee {

/// A value or an Error; a subset of std::expected (C++23), so that it can be replaced by it.
/// The class is [[nodiscard]]: dropping a failure does not compile.
template <class T>
class [[nodiscard]] Result {
  public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& value() & {
        TT_ASSERT(has_value());
        return *std::get_if<0>(&state_);
    }
    const T& value() const& {
        TT_ASSERT(has_value());
        return *std::get_if<0>(&state_);
    }
    T&& value() && {
        TT_ASSERT(has_value());
        return std::move(*std::get_if<0>(&state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T value_or(T fallback) && { return has_value() ? std::move(*this).value() : fallback; }

    const Error& error() const& {
        TT_ASSERT(!has_value());
        return *std::get_if<1>(&state_);
    }
    Error&& error() && {
        TT_ASSERT(!has_value());
        return std::move(*std::get_if<1>(&state_));
    }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    using value_type = void;

    Result() = default;
    Result(Error error) : failed_(true), error_(std::move(error)) {}

    bool has_value() const noexcept { return !failed_; }
    explicit operator bool() const noexcept { return has_value(); }
    void value() const { TT_ASSERT(has_value()); }

    const Error& error() const& {
        TT_ASSERT(failed_);
        return error_;
    }
    Error&& error() && {
        TT_ASSERT(failed_);
        return std::move(error_);
    }

  private:
    bool failed_ = false;
    Error error_;
};

inline Error fail(ErrorCode code, std::string detail) {
    return Error{code, std::move(detail)};
}

}  // namespace teetee

#define TT_CONCAT_INNER(a, b) a##b
#define TT_CONCAT(a, b) TT_CONCAT_INNER(a, b)

/// TT_TRY(auto index, parse(bytes)); declares `index` or returns the error. One on a line.
#define TT_TRY(declaration, ...)                                   \
    auto TT_CONCAT(tt_result_, __LINE__) = (__VA_ARGS__);          \
    if (!TT_CONCAT(tt_result_, __LINE__))                          \
        return std::move(TT_CONCAT(tt_result_, __LINE__)).error(); \
    declaration = std::move(TT_CONCAT(tt_result_, __LINE__)).value()

/// TT_CHECK(validate(x)); returns the error of a Result<void>, or of any Result whose value is
/// not needed.
#define TT_CHECK(...)                                        \
    do {                                                     \
        auto tt_result = (__VA_ARGS__);                      \
        if (!tt_result) return std::move(tt_result).error(); \
    } while (false)
