// SPDX-License-Identifier: Apache-2.0
#include "attest/image_measurements.hpp"

#include "attest/json_object.hpp"
#include "attest/limits.hpp"
#include "base/strict_json.hpp"

namespace teetee::attest {
namespace {

namespace json = boost::json;

Result<ImageMeasurement> parse_image(const json::value& value, const JsonPlace& place) {
    TT_TRY(const JsonObject object, JsonObject::of(value, place));
    ImageMeasurement out;
    TT_TRY(out.mrtd, object.hex<48>("mrtd"));
    for (size_t i = 0; i < out.rtmr.size(); ++i) {
        TT_TRY(out.rtmr[i], object.hex<48>("rtmr" + std::to_string(i)));
    }
    return out;
}

}  // namespace

Result<std::vector<ImageMeasurement>> parse_image_measurements(std::string_view text) {
    const JsonPlace place{"image measurements", ErrorCode::config_invalid};
    const auto parsed =
        parse_strict_json(text, {.bytes_max = image_measurements_bytes_max, .depth_max = 8});
    if (!parsed)
        return fail(ErrorCode::config_invalid, place.component + ": " + parsed.error().detail);
    std::vector<ImageMeasurement> out;
    const json::array* list = parsed->if_array();
    if (list == nullptr) {
        TT_TRY(const auto image, parse_image(*parsed, place));
        out.push_back(image);
        return out;
    }
    if (list->empty() || list->size() > image_measurements_max) {
        return place.wrong(std::to_string(list->size()) + " entries",
                           "1 to " + std::to_string(image_measurements_max));
    }
    for (size_t i = 0; i < list->size(); ++i) {
        TT_TRY(const auto image, parse_image((*list)[i], place.at(i)));
        out.push_back(image);
    }
    return out;
}

AcceptedMeasurement accepted_measurement(const ImageMeasurement& image,
                                         const Measurement& mrconfigid) {
    AcceptedMeasurement out;
    out.mrtd = image.mrtd;
    for (size_t i = 0; i < image.rtmr.size(); ++i) out.rtmr[i] = image.rtmr[i];
    out.mrconfigid = mrconfigid;
    return out;
}

}  // namespace teetee::attest
