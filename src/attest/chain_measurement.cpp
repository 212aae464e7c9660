// SPDX-License-Identifier: Apache-2.0
#include "attest/chain_measurement.hpp"

#include "crypto/hash.hpp"

namespace teetee::attest {

Digest chain_measurement(const TdReport& report) {
    const bool is_configured = report.mrconfigid != Measurement{};
    ByteWriter writer;
    writer.u8(is_configured ? 2 : 1);
    writer.u64(report.tdattributes);
    writer.bytes(report.mrtd);
    for (size_t i = 0; i < 3; ++i) writer.bytes(report.rtmr[i]);
    writer.bytes(is_configured ? report.mrconfigid : report.rtmr[3]);
    return crypto::keccak256(writer.view());
}

Result<Digest> chain_measurement(const AcceptedMeasurement& accepted, uint64_t tdattributes) {
    TdReport report;
    report.tdattributes = tdattributes;
    std::string missing;
    const auto take = [&](const std::optional<Measurement>& from, Measurement& to,
                          std::string_view name) {
        if (from) {
            to = *from;
        } else {
            missing += (missing.empty() ? "" : ", ") + std::string(name);
        }
    };
    take(accepted.mrtd, report.mrtd, "mrtd");
    take(accepted.rtmr[0], report.rtmr[0], "rtmr0");
    take(accepted.rtmr[1], report.rtmr[1], "rtmr1");
    take(accepted.rtmr[2], report.rtmr[2], "rtmr2");
    report.mrconfigid = accepted.mrconfigid.value_or(Measurement{});
    if (report.mrconfigid == Measurement{}) take(accepted.rtmr[3], report.rtmr[3], "rtmr3");
    if (missing.empty()) return chain_measurement(report);
    return fail(ErrorCode::config_invalid,
                "the policy leaves open what contracts compare: " + missing);
}

}  // namespace teetee::attest
