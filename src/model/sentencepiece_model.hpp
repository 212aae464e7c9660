// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "model/vocabulary.hpp"

namespace teetee::model {

/// Reads a tokenizer.model: the protobuf message ModelProto of SentencePiece (Kudo and Richardson
/// 2018, sentencepiece_model.proto). Model types UNIGRAM and BPE are known. A BPE model that
/// neither maps characters nor drops spaces becomes a vocabulary without rules, as llama.cpp has
/// it; others get rules. Errors: tokenizer_unsupported, vocabulary_invalid, limit_exceeded.
Result<Vocabulary> parse_sentencepiece_model(ByteView file);

}  // namespace teetee::model
