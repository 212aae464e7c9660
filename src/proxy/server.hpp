// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/json/object.hpp>

#include "client/client.hpp"
#include "net/address.hpp"
#include "net/http_server.hpp"
#include "net/loop.hpp"
#include "proxy/access.hpp"

namespace teetee::proxy {

struct ServerOptions {
    net::Address listen;
    AccessRules access{};
    /// At a time; what comes beyond is told to come again.
    size_t requests_max = 64;
    /// Those of a network; what was verified of one counts as the options of Entries say.
    std::shared_ptr<client::Entries> entries;
    /// As in ClientOptions.
    Duration patience = std::chrono::seconds(15);
    /// Null: answers are free.
    std::shared_ptr<client::Payer> payer{};
    /// What the entry is shown as Authorization; "": for each key of an application a token of this
    /// process, by which the entry keeps a prefix cache for it and knows nothing of the key.
    std::string entry_key{};
    /// What stands under "payment" in /proxy/status, of the entry that was asked last; it may wait.
    /// Empty: nothing.
    std::function<boost::json::object(const client::VerifiedEntry&)> payment_status{};
};

/// A plain endpoint for the programs of this machine, in front of a network that is verified for
/// them: it passes requests on to an attested entry, pays for them, and has another entry go on
/// with an answer when one dies. It tells the log nothing of what is asked or answered.
class Server {
  public:
    /// Errors: of net::HttpServer::listen.
    static Result<std::unique_ptr<Server>> listen(net::Loop& loop, ServerOptions options, Log& log);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    uint16_t port() const;

    /// As net::HttpServer::stop.
    void stop(Duration deadline, std::function<void()> done);

  private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace teetee::proxy
