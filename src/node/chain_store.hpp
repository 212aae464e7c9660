// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>

#include "chain/journal.hpp"

namespace teetee::node {

/// Where a process keeps what it knows of the chain: the journal of settled events, which may be
/// lost and is then read anew, and the sender's state, which must not be.
class ChainStore {
  public:
    /// `folder` exists; empty: nothing is kept.
    ChainStore(std::string folder, const chain::JournalHead& head)
        : folder_(std::move(folder)), head_(head) {}

    /// Feeds the view what the journal has, and opens it for more. Errors: io_failed.
    Result<void> load_journal(chain::ChainView& view, const chain::ChainViewOptions& options);
    /// As the effects of a view say.
    Result<void> keep(const chain::ChainViewEffects& effects);

    /// Empty where there is none. Errors: io_failed, limit_exceeded.
    Result<Bytes> load_sender() const;
    /// Durable when it returns. Error: io_failed.
    Result<void> save_sender(ByteView state) const;

  private:
    std::string journal_path() const { return folder_ + "/chain.journal"; }
    std::string sender_path() const { return folder_ + "/sender.state"; }
    Result<void> begin_anew();
    Result<void> append(ByteView frame);

    std::string folder_;
    chain::JournalHead head_;
    std::ofstream journal_;
    uint64_t written_number_ = 0;
};

}  // namespace teetee::node
