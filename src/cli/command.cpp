// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <boost/json/serialize.hpp>

namespace teetee::cli {

Exit exit_for(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid_argument:
        case ErrorCode::address_invalid:
        case ErrorCode::config_invalid:
        case ErrorCode::grammar_invalid:
        case ErrorCode::grammar_too_complex:
        case ErrorCode::file_ambiguous:
        case ErrorCode::account_malformed:
        case ErrorCode::amount_malformed:
            return Exit::usage;
        case ErrorCode::io_failed:
        case ErrorCode::not_found:
        case ErrorCode::kernel_unavailable:
        case ErrorCode::port_in_use:
        case ErrorCode::connect_failed:
        case ErrorCode::connection_closed:
        case ErrorCode::timed_out:
        case ErrorCode::not_ready:
        case ErrorCode::evidence_unavailable:
        case ErrorCode::collateral_unavailable:
        case ErrorCode::cancelled:
        case ErrorCode::rpc_malformed:
        case ErrorCode::rpc_refused:
        case ErrorCode::rpc_unavailable:
        case ErrorCode::rpc_disagreement:
        case ErrorCode::chain_mismatch:
        case ErrorCode::chain_reorganised:
        case ErrorCode::events_inconsistent:
        case ErrorCode::fee_too_high:
        case ErrorCode::hub_unavailable:
        case ErrorCode::access_denied:
        case ErrorCode::rate_limited:
        case ErrorCode::already_exists:
            return Exit::environment;
        default:
            return Exit::not_so;
    }
}

void report(Session& session, const Error& error) {
    session.exit = exit_for(error.code);
    if (session.log.is_json()) {
        StderrLog(session.log, {.component = "teetee"}).error(error.message());
    } else {
        std::fprintf(stderr, "teetee: %s\n", error.message().c_str());
    }
    if (session.json) {
        print_json({{"error", {{"code", to_string(error.code)}, {"detail", error.detail}}}});
    }
}

void print_json(const boost::json::object& object) {
    print_text(boost::json::serialize(object) + "\n");
}

void print_text(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
        std::fflush(stdout) == 0) {
        return;
    }
    if (errno != EPIPE) std::fprintf(stderr, "teetee: stdout: %s\n", std::strerror(errno));
    std::_Exit(static_cast<int>(Exit::environment));
}

}  // namespace teetee::cli
