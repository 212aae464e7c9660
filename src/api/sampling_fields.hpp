// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/generation_request.hpp"

namespace teetee::api {

/// Reads into `request` how tokens are to be picked: temperature, top_p, top_k, min_p, typical_p,
/// seed, the penalties, logit_bias, logprobs, top_logprobs, response_format, grammar. Errors: those
/// of parse_generation_request.
Result<void> parse_sampling(const boost::json::object& body, GenerationRequest& request);

}  // namespace teetee::api
