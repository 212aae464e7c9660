// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/result.hpp"
#include "pipeline/engine.hpp"
#include "wire/message.hpp"

/// The steps from message to job and from result to message, the same on every stage.
namespace teetee::pipeline {

std::vector<EngineRow> engine_rows(const std::vector<wire::ForwardRow>& rows);

/// Removes the rows of the batch whose flag is false, and their activations.
/// `keep` has a flag for each row.
void keep_rows(wire::Forward& batch, const std::vector<bool>& keep);

/// What goes to the next node: a Forward, or from the tail Tokens. `rows` are the job's; those of
/// sequences that failed are left out of the message, and the others travel in `format`.
/// Error: internal, if the result is not the one that engine.hpp promises.
Result<wire::Message> message_of(std::vector<wire::ForwardRow> rows, ComputeResult result,
                                 const EngineLimits& limits, ActivationFormat format);

/// The message of a batch that has no rows left.
wire::Message empty_message(uint64_t batch_id, const EngineLimits& limits);

}  // namespace teetee::pipeline
