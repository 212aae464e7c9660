// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "attest/app_compose.hpp"
#include "attest/image_measurements.hpp"

namespace teetee::cli {

/// What TDs that run an app must show, as far as it is known before one runs.
struct ExpectedMeasurement {
    attest::AppMeasurement app;
    /// Of the OS image on each size of machine; empty where nobody said.
    std::vector<attest::ImageMeasurement> images;

    /// Errors: of reading; config_invalid. `image_path` may be empty.
    static Result<ExpectedMeasurement> of(ByteView app_compose, std::optional<attest::AppId> app_id,
                                          const std::string& image_path);
    /// For a policy; one an image.
    std::vector<attest::AcceptedMeasurement> accepted() const;
    /// As contracts name the same (attest::chain_measurement), for a TD without debugging.
    std::vector<Digest> on_chain() const;

    /// Members compose_hash, app_id, mrconfigid, events, images.
    void put_into(boost::json::object& out) const;
    std::string text() const;
};

/// The policy at `base`, or Intel's roots and the defaults, that accepts these alone.
/// Errors: config_invalid without images: MRCONFIGID is the host's to set, and only what the image
/// measures makes it true; of reading and parsing.
Result<attest::Policy> policy_for(const ExpectedMeasurement& expected, const std::string& base);

}  // namespace teetee::cli
