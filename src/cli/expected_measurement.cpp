// SPDX-License-Identifier: Apache-2.0
#include "cli/expected_measurement.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "attest/chain_measurement.hpp"
#include "attest/intel.hpp"
#include "attest/limits.hpp"
#include "net/file.hpp"

namespace teetee::cli {

Result<ExpectedMeasurement> ExpectedMeasurement::of(ByteView app_compose,
                                                    std::optional<attest::AppId> app_id,
                                                    const std::string& image_path) {
    ExpectedMeasurement out{.app = attest::measure_app(app_compose, app_id), .images = {}};
    if (image_path.empty()) return out;
    TT_TRY(const Bytes text, net::read_file(image_path, attest::image_measurements_bytes_max));
    auto images = attest::parse_image_measurements(as_text(text));
    if (!images) return in_context(image_path, std::move(images).error());
    out.images = std::move(*images);
    return out;
}

std::vector<attest::AcceptedMeasurement> ExpectedMeasurement::accepted() const {
    std::vector<attest::AcceptedMeasurement> out;
    for (const attest::ImageMeasurement& image : images)
        out.push_back(attest::accepted_measurement(image, app.mrconfigid));
    return out;
}

std::vector<Digest> ExpectedMeasurement::on_chain() const {
    std::vector<Digest> out;
    for (const attest::AcceptedMeasurement& build : accepted()) {
        const auto digest = attest::chain_measurement(build, attest::td_attribute_sept_ve_disable);
        TT_ASSERT(digest);
        out.push_back(*digest);
    }
    return out;
}

void ExpectedMeasurement::put_into(boost::json::object& out) const {
    out["compose_hash"] = to_hex(app.compose_hash);
    out["app_id"] = to_hex(app.app_id);
    out["mrconfigid"] = to_hex(app.mrconfigid);
    out["events"] =
        boost::json::array{boost::json::object{{"event", "app-id"},
                                               {"payload", to_hex(app.app_id)},
                                               {"digest", to_hex(app.app_id_digest)}},
                           boost::json::object{{"event", "compose-hash"},
                                               {"payload", to_hex(app.compose_hash)},
                                               {"digest", to_hex(app.compose_hash_digest)}}};
    boost::json::array list;
    const auto names = on_chain();
    for (size_t i = 0; i < images.size(); ++i) {
        list.push_back(boost::json::object{{"mrtd", to_hex(images[i].mrtd)},
                                           {"rtmr0", to_hex(images[i].rtmr[0])},
                                           {"rtmr1", to_hex(images[i].rtmr[1])},
                                           {"rtmr2", to_hex(images[i].rtmr[2])},
                                           {"measurement", "0x" + to_hex(names[i])}});
    }
    out["images"] = std::move(list);
}

std::string ExpectedMeasurement::text() const {
    std::string out = fmt::format(
        "compose hash  {}\n"
        "app id        {}\n"
        "MRCONFIGID    {}\n"
        "into RTMR3    app-id        {}\n"
        "              compose-hash  {}\n",
        to_hex(app.compose_hash), to_hex(app.app_id), to_hex(app.mrconfigid),
        to_hex(app.app_id_digest), to_hex(app.compose_hash_digest));
    const auto names = on_chain();
    for (size_t i = 0; i < images.size(); ++i) {
        out += fmt::format(
            "MRTD          {}\nRTMR0         {}\nRTMR1         {}\nRTMR2         {}\n"
            "on chain      0x{}\n",
            to_hex(images[i].mrtd), to_hex(images[i].rtmr[0]), to_hex(images[i].rtmr[1]),
            to_hex(images[i].rtmr[2]), to_hex(names[i]));
    }
    return out;
}

Result<attest::Policy> policy_for(const ExpectedMeasurement& expected, const std::string& base) {
    attest::Policy policy;
    if (base.empty()) {
        policy.roots.add_intel();
    } else {
        TT_TRY(const Bytes text, net::read_file(base, attest::policy_bytes_max));
        auto parsed = attest::parse_policy(as_text(text));
        if (!parsed) return fail(ErrorCode::config_invalid, base + ": " + parsed.error().message());
        policy = std::move(*parsed);
    }
    policy.measurements = expected.accepted();
    if (!policy.measurements.empty()) return policy;
    return fail(ErrorCode::config_invalid,
                "a policy needs --image-measurements, what the OS image shows: a host may set any "
                "MRCONFIGID, and only an image that is known starts nothing else");
}

}  // namespace teetee::cli
