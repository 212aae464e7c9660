// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/world.hpp"

namespace teetee::api {

/// When something is made anew that everybody may ask for: a second after it was begun, and later
/// where it took long, so that making it takes one part in fifty of the time at most.
class MakingPace {
  public:
    bool is_due(Instant now) const;
    void begin(Instant now);
    /// Of what was begun last.
    void spend(Duration taken) { spent_ += taken; }

  private:
    std::optional<Instant> began_;
    Duration spent_{};
};

/// Bytes that many are sent, there once.
using SharedText = std::shared_ptr<const std::string>;

/// An answer that is the same for everybody, made at that pace however many ask.
class KeptAnswer {
  public:
    /// `clock` MUST outlive it.
    explicit KeptAnswer(const Clock& clock) : clock_(clock) {}

    SharedText get(const std::function<std::string()>& make);

  private:
    const Clock& clock_;
    MakingPace pace_;
    SharedText text_;
};

}  // namespace teetee::api
