// SPDX-License-Identifier: Apache-2.0
#include "cli/entry_option.hpp"

#include <fmt/format.h>

namespace teetee::cli {

void EntryOption::add_to(CLI::App& command) {
    command
        .add_option("--entry", url,
                    "URL of the entry's attested API, https://HOST:PORT, which is verified first")
        ->envname("TEETEE_ENTRY");
}

Result<client::VerifiedEntry> EntryOption::open(const NetworkFiles& files,
                                                const NetworkTerms& terms) const {
    TT_TRY(auto client_terms, terms.for_client());
    TT_TRY(auto entry,
           client::VerifiedEntry::open(
               {.url = url.empty() ? fmt::format("https://127.0.0.1:{}", files.port + 1) : url,
                .privacy = client::Privacy::attested_tls,
                .terms = std::make_shared<client::Terms>(std::move(client_terms))}));
    TT_CHECK(entry.verify_route());
    return entry;
}

}  // namespace teetee::cli
