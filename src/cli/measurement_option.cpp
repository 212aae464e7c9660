// SPDX-License-Identifier: Apache-2.0
#include "cli/measurement_option.hpp"

#include "attest/chain_measurement.hpp"
#include "attest/intel.hpp"
#include "attest/limits.hpp"
#include "cli/evidence_file.hpp"

namespace teetee::cli {
namespace {

Result<Digest> measurement_of_quote(const std::string& path) {
    TT_TRY(const Bytes bytes, read_evidence_file(path, attest::quote_bytes_max));
    const auto quote = attest::parse_quote(bytes);
    if (!quote) return in_context(path, quote.error());
    const auto* report = std::get_if<attest::TdReport>(&quote->report);
    if (report == nullptr) return fail(ErrorCode::quote_unsupported, path + ": need one of a TD");
    return attest::chain_measurement(*report);
}

}  // namespace

void MeasurementOption::add_to(CLI::App& command) {
    command.add_option("--measurement", digests,
                       "Code that may serve, 32 bytes in hex; may be repeated");
    command.add_option("--quote", quotes,
                       "The code that this quote is of (binary or hex); may be repeated");
}

Result<std::vector<Digest>> MeasurementOption::resolve() const {
    std::vector<Digest> out;
    for (const std::string& text : digests) {
        const auto digest = array_from_hex<32>(text);
        if (!digest)
            return fail(ErrorCode::invalid_argument, "--measurement: " + digest.error().detail);
        out.push_back(*digest);
    }
    for (const std::string& path : quotes) {
        TT_TRY(const Digest digest, measurement_of_quote(path));
        out.push_back(digest);
    }
    return out;
}

Result<std::vector<Digest>> measurements_of(const attest::Policy& policy) {
    std::vector<Digest> out;
    for (const attest::AcceptedMeasurement& accepted : policy.measurements) {
        auto digest = attest::chain_measurement(accepted, attest::td_attribute_sept_ve_disable);
        if (!digest) {
            return fail(ErrorCode::config_invalid,
                        digest.error().detail + "; name the code by --measurement or --quote");
        }
        out.push_back(*digest);
    }
    return out;
}

}  // namespace teetee::cli
