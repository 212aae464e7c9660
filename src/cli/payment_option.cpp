// SPDX-License-Identifier: Apache-2.0
#include "cli/payment_option.hpp"

#include <filesystem>

#include "cli/dev_network.hpp"
#include "client/limits.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

constexpr const char* group = "Payment";

}  // namespace

void Payment::complete(NetworkTerms& terms) const {
    if (!session || terms.pool != 0) return;
    terms.pool = session->pool;
    terms.deployment = session->deployment;
}

void PaymentOption::add_session_to(CLI::App& command) {
    command
        .add_option("--payment", session_path,
                    "What answers are paid from: the file of 'teetee voucher open --session'; "
                    "default: that of 'teetee up'")
        ->envname("TEETEE_PAYMENT")
        ->group(group);
    command
        .add_option("--spend-max", spend_max,
                    "Credits that may be spent with an entry; 0: what is left of the voucher")
        ->capture_default_str()
        ->group(group);
}

void PaymentOption::add_to(CLI::App& command) {
    add_session_to(command);
    command
        .add_flag("--as-host", is_host,
                  "Free, for the wallet of a host of the pool, which signs in")
        ->group(group);
    wallet.add_to(command);
}

Result<Payment> PaymentOption::open(const NetworkFiles& files) const {
    Payment out;
    if (is_host) {
        if (!session_path.empty())
            return fail(ErrorCode::invalid_argument, "either --payment or --as-host");
        TT_TRY(auto key, wallet.open());
        out.wallet = std::make_unique<crypto::SecpKey>(std::move(key));
        out.payer = std::make_shared<client::HostPayer>(*out.wallet);
        return out;
    }
    std::string path = session_path;
    const std::string made_by_up =
        DevNetwork{default_network_folder(files.port), {}}.payment_path();
    if (path.empty() && files.policy.empty() && files.manifest.empty() &&
        std::filesystem::exists(made_by_up))
        path = made_by_up;
    if (path.empty()) return out;
    TT_TRY(out.session, read_payment_session(path));
    TT_TRY(out.voucher, client::VoucherPayer::open(
                            *out.session, {.spend_max = spend_max, .tokens_ahead = tokens_ahead}));
    out.payer = out.voucher;
    return out;
}

Result<client::PaymentSession> read_payment_session(const std::string& path) {
    TT_TRY(const auto text, net::read_file(path, client::payment_session_bytes_max));
    auto session = client::parse_payment_session(as_text(text));
    if (!session) return in_context(path, std::move(session).error());
    return session;
}

Result<void> write_payment_session(const std::string& path, const client::PaymentSession& session) {
    return net::write_file_atomic(path, client::encode_payment_session(session), {.mode = 0600});
}

}  // namespace teetee::cli
