// SPDX-License-Identifier: Apache-2.0
// 'teetee deploy': files for deployments, and the probe that images run (docs/deploy.md).
#include <fmt/format.h>

#include "attest/limits.hpp"
#include "cli/compose_file.hpp"
#include "cli/deploy_commands.hpp"
#include "net/file.hpp"
#include "net/http_client.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;

constexpr size_t network_shards_max = 64;

struct ComposeOptions {
    NetworkCompose network{.image = local_image()};
    std::string out;
};

struct AppComposeOptions {
    std::string compose;
    std::string image;
    std::string compose_out;
    std::string name = "teetee-node";
    std::vector<std::string> envs;
    bool no_instance_id = false;
    std::string out;
};

struct ProbeOptions {
    std::string url = "http://127.0.0.1:5001/ready";
    uint32_t seconds = 5;
};

Result<void> give(const std::string& text, const std::string& path, std::string_view member,
                  Session& session) {
    if (!path.empty()) TT_CHECK(net::write_file_atomic(path, as_bytes(text)));
    if (session.json) {
        boost::json::object out = {{"file", path}};
        out[member] = text;
        print_json(out);
    } else if (path.empty()) {
        print_text(text);
    }
    return {};
}

Result<void> compose(const ComposeOptions& options, Session& session) {
    return give(network_compose(options.network), options.out, "compose", session);
}

/// A file's, or that of 'teetee host' for an image.
Result<std::string> compose_of(const AppComposeOptions& options) {
    if (options.image.empty() == options.compose.empty())
        return fail(ErrorCode::invalid_argument, "need one of --compose FILE and --image NAME");
    if (!options.image.empty()) {
        TT_CHECK(ensure_pinned(options.image));
        return host_compose({.image = options.image});
    }
    TT_TRY(const Bytes text, net::read_file(options.compose, attest::app_compose_bytes_max / 2));
    return std::string(as_text(text));
}

Result<void> app_compose(const AppComposeOptions& options, Session& session) {
    TT_TRY(const std::string compose_text, compose_of(options));
    if (!options.compose_out.empty())
        TT_CHECK(net::write_file_atomic(options.compose_out, as_bytes(compose_text)));
    const std::string app = attest::encode_app_compose(
        {.name = options.name,
         .docker_compose_file = compose_text,
         .allowed_envs = options.envs.empty() ? host_variables() : options.envs,
         .no_instance_id = options.no_instance_id});
    // What it would not take of others it does not write either.
    TT_CHECK(attest::parse_app_compose(app));
    return give(app, options.out, "app_compose", session);
}

Result<void> probe(const ProbeOptions& options, Session& session) {
    net::HttpClientRequest request;
    request.url = options.url;
    request.connect_time_max = request.time_max = std::chrono::seconds(options.seconds);
    request.response_bytes_max = 64u << 10;
    if (options.url.starts_with("https:"))
        request.verify_certificate = [](ByteView) -> Result<void> { return {}; };
    const auto answer = net::http_fetch(request);
    const bool is_good = answer && answer->status == 200;
    if (session.json) {
        print_json({{"url", options.url},
                    {"status", answer ? json::value(answer->status) : json::value()},
                    {"good", is_good}});
    } else if (!is_good) {
        const std::string have =
            answer ? fmt::format("HTTP status {}", answer->status) : answer.error().message();
        std::fprintf(stderr, "teetee: %s: have %s, need 200\n", options.url.c_str(), have.c_str());
    }
    // What runs probes knows of no other code.
    if (!is_good) session.exit = Exit::not_so;
    return {};
}

}  // namespace

void add_deploy(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand("deploy", "Files for deployments in containers");
    group->require_subcommand(1);
    auto compose_options = std::make_shared<ComposeOptions>();
    CLI::App* command = add_command(*group, session, "compose",
                                    "A compose file for a network of SIMULATED TEEs on one machine",
                                    compose_options, compose);
    NetworkCompose& network = compose_options->network;
    command->add_option("--shards", network.shards, "Shards of the model")
        ->capture_default_str()
        ->check(CLI::Range(size_t{1}, network_shards_max));
    command->add_option("--replicas", network.replicas, "Nodes of each shard")
        ->capture_default_str()
        ->check(CLI::Range(size_t{1}, network_shards_max));
    command->add_option("--image", network.image, "The container image")->capture_default_str();
    command->add_option("--port", network.port, "First port on this machine")
        ->capture_default_str()
        ->check(CLI::Range(1, 65000));
    command->add_option("--out", compose_options->out, "File to write; default: stdout");

    auto app_options = std::make_shared<AppComposeOptions>();
    command = add_command(*group, session, "app-compose",
                          "The app-compose.json of a compose file, always the same bytes",
                          app_options, app_compose);
    command->add_option("--compose", app_options->compose, "The docker-compose file");
    command->add_option("--image", app_options->image,
                        "Instead: the one that 'teetee host' writes for this image, "
                        "NAME@sha256:DIGEST");
    command->add_option("--compose-out", app_options->compose_out,
                        "File for the compose file itself");
    command->add_option("--name", app_options->name, "Name of the app")->capture_default_str();
    command
        ->add_option("--env", app_options->envs,
                     "Variable that whoever deploys may set; may be repeated. Default: those of "
                     "'teetee host'")
        ->delimiter(',');
    command->add_flag("--no-instance-id", app_options->no_instance_id,
                      "Instances have no id of their own: RTMR3 is the same of all");
    command->add_option("--out", app_options->out, "File to write; default: stdout");

    auto probe_options = std::make_shared<ProbeOptions>();
    command = add_command(*group, session, "probe", "Exit code 0 where a URL answers 200",
                          probe_options, probe);
    command->add_option("url", probe_options->url, "What is asked")->capture_default_str();
    command->add_option("--seconds", probe_options->seconds, "How long it may take")
        ->capture_default_str()
        ->check(CLI::Range(1u, 600u));
}

}  // namespace teetee::cli
