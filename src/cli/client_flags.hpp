// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/payment_option.hpp"
#include "client/client.hpp"

namespace teetee::cli {

/// How a network is asked: which of its entries, how it is made sure that only they read what is
/// asked, and what they are paid with.
struct ClientFlags : NetworkFiles {
    PaymentOption payment;
    std::vector<std::string> entries;
    uint32_t patience_s = 15;
    uint32_t silence_s = 20;
    bool sealed = false;

    void add_to(CLI::App& command);
};

/// The same, opened.
struct ClientSetting {
    Payment payment;
    NetworkTerms terms;
    client::ClientOptions options;

    /// `verified_for` as in Entries::Options. Errors: of PaymentOption::open and
    /// NetworkTerms::load.
    static Result<ClientSetting> open(
        const ClientFlags& flags, Duration verified_for = client::Entries::Options{}.verified_for);
};

}  // namespace teetee::cli
