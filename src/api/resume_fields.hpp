// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "api/generation_request.hpp"

namespace teetee::api {

/// Reads into `request` what lets an answer be taken up elsewhere: answer_token_ids,
/// return_token_ids, activations, created. Error: field_invalid naming the field.
Result<void> parse_resume(const boost::json::object& body, GenerationRequest& request);

}  // namespace teetee::api
