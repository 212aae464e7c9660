// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>

namespace teetee::tensor {

/// Points to a callable that outlives the call it is passed to. Unlike std::function it never
/// allocates, so the loops of a token can be written as lambdas.
template <class Signature>
class FunctionRef;

template <class R, class... Args>
class FunctionRef<R(Args...)> {
  public:
    template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>) FunctionRef(
        F&& function)  // NOLINT(google-explicit-constructor): lambdas convert where passed
        : object_(const_cast<void*>(static_cast<const void*>(&function))),
          call_([](void* object, Args... args) -> R {
              return (*static_cast<std::remove_reference_t<F>*>(object))(
                  std::forward<Args>(args)...);
          }) {}

    R operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

  private:
    void* object_;
    R (*call_)(void*, Args...);
};

}  // namespace teetee::tensor
