// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/gguf_writer.hpp"
#include "model/vocabulary.hpp"

namespace teetee::model {

/// Appends the `tokenizer.*` keys from which vocabulary_from reads the same vocabulary again.
void write_vocabulary(const Vocabulary& vocabulary, GgufWriter& writer);

}  // namespace teetee::model
