// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "cli/client_commands.hpp"
#include "cli/client_flags.hpp"
#include "cli/key_file.hpp"
#include "cli/log.hpp"
#include "cli/route_notice.hpp"
#include "net/loopback.hpp"
#include "proxy/server.hpp"

namespace teetee::cli {
namespace {

struct ServeLocalOptions : ClientFlags {
    std::string listen = "127.0.0.1:8787";
    bool is_public = false;
    std::string api_key_file;
    std::string entry_key_file;
    std::vector<std::string> hosts;
    std::vector<std::string> origins;
    uint32_t requests_max = 64;
    uint32_t verify_s = 300;
};

/// What is under way may end for so long when serve-local is told to.
constexpr Duration drain_time = std::chrono::seconds(10);

Result<net::Address> address_of(const ServeLocalOptions& options) {
    auto address = net::parse_address(options.listen);
    if (!address) return in_context("--listen", std::move(address).error());
    if (!net::is_loopback(address->host) && !options.is_public) {
        return fail(ErrorCode::invalid_argument,
                    "--listen: have " + quote_foreign(options.listen) +
                        ", need an address of this machine alone, such as 127.0.0.1:8787: what "
                        "comes there is not encrypted, and spends your credits; --public means it");
    }
    return address;
}

Result<proxy::AccessRules> access_of(const ServeLocalOptions& options) {
    proxy::AccessRules out;
    for (const std::string& text : options.hosts) {
        auto host = proxy::clean_host(text);
        if (!host) return in_context("--allow-host", std::move(host).error());
        out.hosts.push_back(std::move(*host));
    }
    for (const std::string& text : options.origins) {
        auto origin = proxy::clean_origin(text);
        if (!origin) return in_context("--allow-origin", std::move(origin).error());
        out.origins.push_back(std::move(*origin));
    }
    return out;
}

Result<std::string> entry_key_of(const ServeLocalOptions& options) {
    if (options.entry_key_file.empty()) return std::string();
    return read_key_file(options.entry_key_file);
}

boost::json::object payment_json(const Payment& payment, const client::VerifiedEntry& entry) {
    if (!payment.voucher) return {{"as_host", payment.wallet != nullptr}};
    const auto standing = payment.voucher->standing(entry);
    if (!standing) return {{"error", to_string(standing.error().code)}};
    const auto used = standing->charged + standing->held;
    const auto before = payment.voucher->charged_before(entry.receipt_address());
    boost::json::object out = {
        {"charged", std::to_string(standing->charged)},
        {"held", std::to_string(standing->held)},
        {"left", std::to_string(standing->claimable - std::min(standing->claimable, used))},
        {"spent_here", std::to_string(standing->charged - before.value_or(standing->charged))}};
    if (const auto prices = payment.voucher->prices()) {
        out["prompt_price"] = std::to_string(prices->prompt);
        out["completion_price"] = std::to_string(prices->completion);
    }
    return out;
}

void announce(const ServeLocalOptions& options, const client::Client& client, uint16_t port,
              const net::Address& address, const Session& session, Log& log) {
    const std::string url = "http://" + to_string(net::Address{address.host, port});
    const auto say = [&](const std::string& text, LogLevel level) {
        // Nothing but lines of JSON, where these are asked for.
        if (session.log.is_json()) return log.write(level, text);
        std::fprintf(stderr, "%s\n", text.c_str());
    };
    if (!net::is_loopback(address.host)) {
        say(fmt::format("WARNING: {} is not of this machine alone. What is asked there is not "
                        "encrypted on its way to here{}",
                        url,
                        options.api_key_file.empty()
                            ? ", and whoever reaches it spends your credits; --api-keys asks "
                              "for a key"
                            : ""),
            LogLevel::warn);
    }
    const auto& route = client.route();
    if (session.json) {
        print_json({{"ready", true},
                    {"url", url},
                    {"openai_base_url", url + "/v1"},
                    {"entry", client.entry()->url()},
                    {"nodes", route.node_count},
                    {"simulated", route.simulated}});
        return;
    }
    std::string notice = client.entry()->url() + ", " + route_notice(route);
    notice.pop_back();
    say(notice, LogLevel::info);
    print_text(fmt::format("serving {0}; OpenAI base URL {0}/v1\n", url));
}

Result<void> serve(const ServeLocalOptions& options, Session& session) {
    TT_TRY(const auto address, address_of(options));
    TT_TRY(auto access, access_of(options));
    const SystemClock clock;
    StderrLog log(session.log, {.component = "serve-local"});
    std::optional<net::ApiKeyFile> api_keys;
    if (!options.api_key_file.empty()) {
        TT_TRY(auto opened, net::ApiKeyFile::open({clock, log}, options.api_key_file));
        api_keys.emplace(std::move(opened));
    }
    proxy::ServerOptions server_options;
    server_options.listen = address;
    server_options.access = std::move(access);
    if (api_keys) server_options.access.keys = &*api_keys;
    TT_TRY(server_options.entry_key, entry_key_of(options));
    TT_TRY(const auto setting,
           ClientSetting::open(options, std::chrono::seconds(options.verify_s)));
    TT_TRY(const auto client, client::Client::connect(setting.options));
    setting.options.entries->prefer(client.entry()->url());
    server_options.requests_max = options.requests_max;
    server_options.entries = setting.options.entries;
    server_options.patience = setting.options.patience;
    server_options.payer = setting.options.payer;
    if (setting.payment.payer) {
        server_options.payment_status = [&payment = setting.payment](const auto& entry) {
            return payment_json(payment, entry);
        };
    }
    net::Loop loop;
    TT_TRY(auto server, proxy::Server::listen(loop, std::move(server_options), log));
    bool is_ending = false;
    loop.on_signal([&](int) {
        if (std::exchange(is_ending, true)) return loop.stop();
        server->stop(drain_time, [&loop] { loop.stop(); });
    });
    announce(options, client, server->port(), address, session, log);
    loop.run();
    server.reset();
    return {};
}

}  // namespace

void add_serve_local(CLI::App& app, Session& session) {
    auto options = std::make_shared<ServeLocalOptions>();
    CLI::App* command = add_command(
        app, session, "serve-local",
        "A plain OpenAI endpoint for the programs of this machine: it verifies the network, "
        "encrypts, pays, and has another entry go on when one dies",
        options, serve);
    options->add_to(*command);
    command->add_option("--listen", options->listen, "Where it is asked; port 0: any free one")
        ->capture_default_str();
    command->add_flag("--public", options->is_public,
                      "Let --listen be an address that other machines reach");
    command
        ->add_option("--api-keys", options->api_key_file,
                     "A file of keys (teetee api-key), of which programs must show one "
                     "(Authorization: Bearer), so that not all of them can spend the credits")
        ->envname("TEETEE_API_KEYS");
    command->add_option("--entry-key-file", options->entry_key_file,
                        "A key that the entry is shown in the place of the programs' own");
    command->add_option("--allow-host", options->hosts,
                        "Another name under which it may be asked; may be repeated");
    command->add_option("--allow-origin", options->origins,
                        "Pages that may ask from a browser, http://HOST:PORT; may be repeated");
    command
        ->add_option("--requests-max", options->requests_max,
                     "Requests at a time; what comes beyond is told to come again (503)")
        ->capture_default_str()
        ->check(CLI::Range(1, 1024));
    command
        ->add_option("--verify-seconds", options->verify_s,
                     "How long a verified route counts; an entry's own evidence is looked at with "
                     "every connection")
        ->capture_default_str()
        ->check(CLI::Range(1, 86400));
}

}  // namespace teetee::cli
