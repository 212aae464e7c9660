// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/world.hpp"
#include "net/http_server.hpp"

namespace teetee::api {

/// What every answer has, whatever it answers: an id, by which client and operator can speak of it
/// ("x-request-id"), and what lets pages of other origins read it (WHATWG Fetch, "CORS protocol").
/// Nobody is let in by cookies here, so an answer to a page is as good as one to a program.
class RequestContext {
  public:
    /// `origins`: of pages that may ask; "*" is any. Empty: none.
    static RequestContext begin(const net::HttpRequest& request, Rng& rng,
                                const std::vector<std::string>& origins);

    const std::string& id() const { return id_; }

    /// Adds the headers to whatever is answered.
    std::shared_ptr<net::HttpExchange> wrap(std::shared_ptr<net::HttpExchange> exchange) const;

    /// The answer to OPTIONS, by which a browser asks before it sends.
    void respond_preflight(const net::HttpRequest& request, net::HttpExchange& exchange) const;

  private:
    std::string id_;
    net::HttpHeaders headers_;
};

}  // namespace teetee::api
