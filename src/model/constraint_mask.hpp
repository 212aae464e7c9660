// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "grammar/matcher.hpp"
#include "grammar/token_trie.hpp"
#include "model/sampler.hpp"
#include "model/tokenizer.hpp"

namespace teetee::model {

/// What the tokens of a vocabulary add to an answer, for all sequences that are held to a grammar.
struct ConstraintVocabulary {
    /// By token; "" for those that add nothing, which a constrained answer has none of. With a
    /// vocabulary that adds spaces neither has it user-defined tokens: after one of them the next
    /// token's text is another.
    std::vector<std::string> texts;
    grammar::TokenTrie trie;
    /// Each ends an answer.
    std::vector<TokenId> end_tokens;

    static std::shared_ptr<const ConstraintVocabulary> build(const Tokenizer& tokenizer,
                                                             std::vector<TokenId> end_tokens);
};

/// Holds the answer of one sequence to a grammar: says which tokens may come next, an end token
/// only where the text is a whole one. For one thread.
class ConstraintMask {
  public:
    /// Errors: grammar_invalid, grammar_too_complex. constraint.kind MUST NOT be none.
    static Result<ConstraintMask> begin(const Constraint& constraint,
                                        std::shared_ptr<const ConstraintVocabulary> vocabulary);

    /// Valid until the next call. Errors: grammar_stuck where no token goes on with the text and
    /// none may end it, grammar_too_complex.
    Result<const TokenMask*> allowed(grammar::MaskBudget& budget);
    Result<const TokenMask*> allowed() {
        grammar::MaskBudget alone(1);
        return allowed(alone);
    }

    /// The answer goes on with this token. Errors: grammar_stuck, grammar_too_complex; nothing more
    /// may be asked of the mask then.
    Result<void> push(TokenId token);

  private:
    ConstraintMask(grammar::Matcher matcher,
                   std::shared_ptr<const ConstraintVocabulary> vocabulary);

    grammar::Matcher matcher_;
    std::shared_ptr<const ConstraintVocabulary> vocabulary_;
    TokenMask mask_;
};

}  // namespace teetee::model
