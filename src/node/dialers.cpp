// SPDX-License-Identifier: Apache-2.0
#include "node/dialers.hpp"

#include <set>

namespace teetee::node {

void Dialers::want(const std::vector<pipeline::WantedLink>& wanted) {
    std::set<std::string> urls;
    for (const pipeline::WantedLink& link : wanted) {
        const auto dialer = dialers_.find(link.url);
        // A dialer whose own link is up stays: it remembers how long to wait if that ends at once.
        const bool is_up = dialer != dialers_.end() && dialer->second && dialer->second->is_up();
        if (!link.linked || is_up) urls.insert(link.url);
    }
    std::erase_if(dialers_, [&](const auto& dialer) { return !urls.contains(dialer.first); });
    for (const std::string& url : urls) {
        if (dialers_.contains(url)) continue;
        std::unique_ptr<net::LinkDialer>& dialer = dialers_[url];
        const auto address = net::parse_address(url);
        if (!address) {
            environment_.log.warn("cannot dial " + quote_foreign(url) + ": " +
                                  address.error().message());
            continue;
        }
        dialer = std::make_unique<net::LinkDialer>(environment_, *address,
                                                   net::LinkDialer::Callbacks{on_link_, {}});
    }
}

}  // namespace teetee::node
