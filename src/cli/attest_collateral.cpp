// SPDX-License-Identifier: Apache-2.0
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "attest/limits.hpp"
#include "attest/time_text.hpp"
#include "cli/collateral_option.hpp"
#include "cli/command.hpp"
#include "cli/dev_network.hpp"
#include "cli/evidence_file.hpp"
#include "net/file.hpp"

namespace teetee::cli {
namespace {

struct GetOptions {
    CollateralOption from;
    std::string quote;
    bool early = false;
    std::string root;
    std::string dev_tee;
    bool dev_revoked = false;
    bool dev_outdated = false;
    UnixSeconds time = -1;
    std::string out;
};

struct ShowOptions {
    std::string file;
    std::string root;
    UnixSeconds time = -1;
};

UnixSeconds time_or_now(UnixSeconds time) {
    return time >= 0 ? time : SystemClock().unix_now();
}

Result<attest::TrustedRoots> read_roots(const std::string& root) {
    if (root.empty()) return attest::TrustedRoots::intel();
    return read_root_file(root);
}

/// Collateral that has been verified, and whose it is.
struct Found {
    attest::Collateral collateral;
    attest::VerifiedCollateral verified;
    attest::PlatformId platform;
};

Result<Found> verify(attest::Collateral collateral, const attest::TrustedRoots& roots,
                     UnixSeconds now) {
    TT_TRY(auto verified, attest::verify_collateral(collateral, roots, now));
    TT_TRY(const auto platform, attest::platform_of(verified));
    return Found{std::move(collateral), std::move(verified), platform};
}

/// From the first service that gives what verifies.
Result<Found> fetch(const GetOptions& options) {
    TT_TRY(const Bytes quote, read_evidence_file(options.quote, attest::quote_bytes_max));
    TT_TRY(const auto platform, attest::platform_of(quote));
    TT_TRY(const auto roots, read_roots(options.root));
    TT_TRY(const auto services, options.from.open_services(roots));
    const auto update = options.early ? attest::TcbUpdate::early : attest::TcbUpdate::standard;
    SystemRng rng;
    Error failure = fail(ErrorCode::invalid_argument, "have no service to ask, need --pccs");
    for (const net::PcsClient& service : services) {
        auto fetched = service.fetch(platform, update, rng);
        auto found = fetched ? verify(std::move(*fetched), roots, SystemClock().unix_now())
                             : Result<Found>(std::move(fetched).error());
        if (found && found->platform == platform) return found;
        failure = found ? fail(ErrorCode::collateral_mismatch, "have collateral for " +
                                                                   to_string(found->platform) +
                                                                   ", need " + to_string(platform))
                        : std::move(found).error();
        failure = in_context(service.url(), std::move(failure));
    }
    return failure;
}

/// What Intel would publish for the simulated platform, and how it would revoke or outdate it.
Result<Found> make_for_dev_tee(const GetOptions& options) {
    TT_TRY(const auto pki, open_dev_pki(options.dev_tee));
    TT_TRY(const std::string root, pki.root_pem());
    attest::TrustedRoots roots;
    TT_CHECK(roots.add_pem(root));
    const UnixSeconds now = time_or_now(options.time);
    TT_TRY(auto collateral, pki.collateral(now));
    if (options.dev_revoked) {
        attest::CrlFields list = attest::DevPki::pck_crl_fields(now);
        list.revoked_serials = {pki.pck_fields(now).serial};
        TT_TRY(collateral.pck_crl, attest::build_crl(list, pki.platform_ca_key()));
    }
    if (options.dev_outdated) {
        constexpr std::string_view current = "UpToDate";
        std::string tcb_info = attest::DevPki::tcb_info(now);
        const size_t at = tcb_info.find(current);
        TT_ASSERT(at != std::string::npos);
        tcb_info.replace(at, current.size(), "OutOfDate");
        TT_TRY(collateral.tcb_info, pki.sign_document(std::move(tcb_info)));
    }
    return verify(std::move(collateral), roots, now);
}

boost::json::object describe_json(const Found& found) {
    const attest::VerifiedCollateral& verified = found.verified;
    return {{"platform", to_string(found.platform)},
            {"issued", attest::format_utc(verified.issued())},
            {"expires", attest::format_utc(verified.expires())},
            {"tcb_evaluation_number", verified.tcb_info.head.evaluation_number},
            {"revoked_pcks", verified.pck_crl.revoked.size()}};
}

std::string describe_text(const Found& found) {
    const attest::VerifiedCollateral& verified = found.verified;
    return fmt::format(
        "{}: issued {}, good until {}, evaluation number {}, {} PCK certificates revoked\n",
        to_string(found.platform), attest::format_utc(verified.issued()),
        attest::format_utc(verified.expires()), verified.tcb_info.head.evaluation_number,
        verified.pck_crl.revoked.size());
}

Result<void> get(const GetOptions& options, Session& session) {
    if (options.quote.empty() == options.dev_tee.empty()) {
        return fail(ErrorCode::invalid_argument,
                    "need --quote, whose collateral is fetched, or --dev-tee, whose is made");
    }
    TT_TRY(const Found found, options.dev_tee.empty() ? fetch(options) : make_for_dev_tee(options));
    const std::string text = attest::encode_collateral(found.collateral);
    TT_CHECK(net::write_file_atomic(options.out, as_bytes(text)));
    boost::json::object report = describe_json(found);
    report["file"] = options.out;
    if (session.json) {
        print_json(report);
    } else {
        print_text(options.out + ": " + describe_text(found));
    }
    return {};
}

Result<void> show(const ShowOptions& options, Session& session) {
    TT_TRY(const Bytes text, net::read_file(options.file, attest::collateral_bytes_max));
    TT_TRY(auto collateral, attest::parse_collateral(as_text(text)));
    TT_TRY(const auto roots, read_roots(options.root));
    TT_TRY(const Found found, verify(std::move(collateral), roots, time_or_now(options.time)));
    if (session.json) {
        print_json(describe_json(found));
    } else {
        print_text(describe_text(found));
    }
    return {};
}

}  // namespace

void add_attest_collateral(CLI::App& attest, Session& session) {
    const auto options = std::make_shared<GetOptions>();
    CLI::App* command = add_command(attest, session, "collateral",
                                    "Fetch Intel's documents for a quote's platform", options, get);
    command->add_option("--quote", options->quote, "The quote, binary or hex");
    options->from.add_services_to(*command);
    command->add_flag("--early", options->early,
                      "Those of the early TCB evaluation, for a forecast");
    command->add_option("--root", options->root, "Trust this PEM root in place of Intel's");
    command->add_option("--out", options->out, "File to write, QuoteCollateralV3 JSON")->required();
    command->add_option("--dev-tee", options->dev_tee,
                        "Instead: make those of the SIMULATED TEE of this seed file");
    command->add_flag("--dev-revoked", options->dev_revoked,
                      "With --dev-tee: its certificate is revoked");
    command->add_flag("--dev-outdated", options->dev_outdated,
                      "With --dev-tee: its TCB status is OutOfDate");
    command->add_option("--dev-time", options->time, "With --dev-tee: as of this Unix time")
        ->check(CLI::NonNegativeNumber);

    const auto show_options = std::make_shared<ShowOptions>();
    CLI::App* shown =
        add_command(attest, session, "show-collateral",
                    "Verify a collateral file and say how long it is good", show_options, show);
    shown->add_option("file", show_options->file, "QuoteCollateralV3 JSON")->required();
    shown->add_option("--root", show_options->root, "Trust this PEM root in place of Intel's");
    shown->add_option("--time", show_options->time, "As of this Unix time; default: now")
        ->check(CLI::NonNegativeNumber);
}

}  // namespace teetee::cli
