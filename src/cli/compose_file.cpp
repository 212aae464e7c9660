// SPDX-License-Identifier: Apache-2.0
#include "cli/compose_file.hpp"

#include <algorithm>
#include <array>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>

namespace teetee::cli {
namespace {

/// JSON's strings are YAML's.
std::string quoted(std::string_view text) {
    return boost::json::serialize(boost::json::string(text));
}

std::string list(const std::vector<std::string>& items) {
    std::string out;
    for (const std::string& item : items) out += (out.empty() ? "" : ", ") + quoted(item);
    return "[" + out + "]";
}

/// A command, a flag with its value a line.
std::string command(const std::vector<std::vector<std::string>>& lines) {
    std::string out;
    for (const auto& words : lines) {
        out += "      ";
        for (const std::string& word : words) out += quoted(word) + ", ";
        out.back() = '\n';
    }
    // The last comma.
    out.erase(out.size() - 2, 1);
    return "    command: [\n" + out + "    ]\n";
}

/// Nothing of the machine to write to, and no way to more rights.
constexpr std::string_view hardening =
    "    read_only: true\n"
    "    tmpfs: [/tmp]\n"
    "    cap_drop: [ALL]\n"
    "    security_opt: [\"no-new-privileges:true\"]\n";

/// Until the weights are verified nobody listens.
std::string health_check() {
    return fmt::format(
        "    healthcheck:\n"
        "      test: [\"CMD\", \"/usr/bin/teetee\", \"deploy\", \"probe\", "
        "\"http://127.0.0.1:{}/ready\"]\n"
        "      interval: 30s\n"
        "      timeout: 10s\n"
        "      start_period: 30m\n",
        ContainerPorts::status);
}

/// Root's only right: to write to volumes, which belong to the image's user.
constexpr std::string_view root_rights = "    cap_add: [DAC_OVERRIDE]\n";

struct Variable {
    /// As the program reads it, and as whoever deploys sets it.
    std::string_view program;
    std::string_view name;
};

constexpr std::array<Variable, 6> chain_variables = {{{"TEETEE_RPC", "TEETEE_RPC"},
                                                      {"TEETEE_CONTRACT", "TEETEE_CONTRACT"},
                                                      {"TEETEE_CHAIN_ID", "TEETEE_CHAIN_ID"},
                                                      {"TEETEE_FROM_BLOCK", "TEETEE_FROM_BLOCK"},
                                                      {"TEETEE_POOL", "TEETEE_POOL"},
                                                      {"TEETEE_SLOT", "TEETEE_SLOT"}}};

constexpr std::array<Variable, 5> fetch_variables = {
    {{"TEETEE_HOST_FROM", "TEETEE_SHARD_FROM"},
     {"TEETEE_HOST_MANIFEST", "TEETEE_MANIFEST_FROM"},
     {"TEETEE_HOST_POLICY", "TEETEE_POLICY_FROM"},
     {"HF_TOKEN", "HF_TOKEN"},
     {"HF_ENDPOINT", "HF_ENDPOINT"}}};

constexpr std::array<Variable, 6> node_variables = {{{"TEETEE_HOST", "TEETEE_HOST"},
                                                     {"TEETEE_ADVERTISE", "TEETEE_ADVERTISE"},
                                                     {"TEETEE_NEXT_URL", "TEETEE_NEXT_URL"},
                                                     {"TEETEE_API_URL", "TEETEE_API_URL"},
                                                     {"TEETEE_API_TLS_URL", "TEETEE_API_TLS_URL"},
                                                     {"TEETEE_PCCS", "TEETEE_PCCS"}}};

template <size_t N>
std::string environment(const std::array<Variable, N>& own) {
    std::string out = "    environment:\n";
    const auto add = [&out](const Variable& variable) {
        out += fmt::format("      {}: \"${{{}:-}}\"\n", variable.program, variable.name);
    };
    std::ranges::for_each(chain_variables, add);
    std::ranges::for_each(own, add);
    return out;
}

std::string port(int number) {
    return quoted(fmt::format("{0}:{0}", number));
}

std::string any_address(int number) {
    return fmt::format("0.0.0.0:{}", number);
}

std::string fetch_service(const HostCompose& options) {
    return "  fetch:\n    image: " + quoted(options.image) +
           "\n"
           "    user: \"0:0\"\n" +
           command({{"host", "--fetch-only"}, {"--dir", "/slot"}}) + environment(fetch_variables) +
           "    volumes: [\"slot:/slot\"]\n"
           "    restart: on-failure\n" +
           std::string(hardening) + std::string(root_rights);
}

std::string node_service(const HostCompose& options) {
    std::vector<std::vector<std::string>> words = {
        {"node"},
        {"--shard", "/slot/shard.gguf"},
        {"--manifest", "/slot/manifest.json"},
        {"--policy", "/slot/policy.json"},
        {"--listen", any_address(ContainerPorts::links)},
        {"--api", any_address(ContainerPorts::api)},
        {"--api-tls", any_address(ContainerPorts::api_tls)},
        {"--status", any_address(ContainerPorts::status)},
        {"--state", "/state"},
        // dstack's key service is the host's to choose, and whoever runs it has the key of a cache.
        {"--weights-cache", "off"},
        {"--collateral", "/state/collateral"},
        // The host renews the registration twice in that time.
        {"--statement-seconds", "604800"},
        // Settlements are paid by an account whose key only this TEE has.
        {"--tee-wallet"}};
    std::string evidence = "/var/run/dstack.sock:/var/run/dstack.sock";
    if (options.is_dev) {
        words.push_back({"--dev-tee", "/dev-tee.seed"});
        evidence = "./dev-tee.seed:/dev-tee.seed:ro";
    } else {
        words.push_back({"--tee", "dstack"});
    }
    std::vector<std::string> volumes = {"slot:/slot:ro", "state:/state", evidence};
    if (options.is_dev) volumes.emplace_back("./collateral:/state/collateral:ro");
    return "  node:\n    image: " + quoted(options.image) +
           "\n"
           "    # The guest agent's socket is root's; what root may do here, the lines below say.\n"
           "    user: \"0:0\"\n" +
           command(words) + environment(node_variables) +
           "    depends_on:\n"
           "      fetch: {condition: service_completed_successfully}\n"
           "    ports: [" +
           port(ContainerPorts::status) + ", " + port(ContainerPorts::api) + ", " +
           port(ContainerPorts::api_tls) + ", " + port(ContainerPorts::links) +
           "]\n"
           "    volumes: " +
           list(volumes) +
           "\n"
           "    restart: unless-stopped\n"
           // Longer than --drain-seconds.
           "    stop_grace_period: 45s\n" +
           health_check() + std::string(hardening) + std::string(root_rights);
}

bool is_image_name(std::string_view image) {
    constexpr std::string_view marks = "._-/:@";
    return !image.empty() && image.size() <= 512 && std::ranges::all_of(image, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               marks.find(c) != std::string_view::npos;
    });
}

// ------------------------------------------------------------------------ a network on one machine

std::string node_name(size_t shard, size_t replica, size_t replicas) {
    return replicas == 1 ? fmt::format("node-{}", shard)
                         : fmt::format("node-{}-{}", shard, replica);
}

std::string network_node(const NetworkCompose& options, size_t shard, size_t replica) {
    const std::string name = node_name(shard, replica, options.replicas);
    std::vector<std::vector<std::string>> words = {
        {"node"},
        {"--shard", fmt::format("/net/shard-{:03}-of-{:03}.gguf", shard, options.shards)},
        {"--manifest", "/net/manifest.json"},
        {"--policy", "/net/policy.json"},
        {"--dev-tee", "/net/dev-tee.seed"},
        {"--listen", any_address(ContainerPorts::links)},
        {"--advertise", fmt::format("tls://{}:{}", name, ContainerPorts::links)},
        {"--status", any_address(ContainerPorts::status)},
        {"--name", name}};
    if (options.shards > 1 || options.replicas > 1) {
        // Any other node will do: one of the next shard, which all replicas of this one share.
        const size_t next = (shard + 1) % options.shards;
        const size_t other = options.shards == 1 ? (replica + 1) % options.replicas : 0;
        words.push_back(
            {"--next", fmt::format("tls://{}:{}", node_name(next, other, options.replicas),
                                   ContainerPorts::links)});
    }
    std::string ports;
    if (shard == 0) {
        const int first = options.port + 2 * static_cast<int>(replica);
        words.push_back({"--api", any_address(ContainerPorts::api)});
        words.push_back({"--api-tls", any_address(ContainerPorts::api_tls)});
        ports = "    ports: [" +
                quoted(fmt::format("127.0.0.1:{}:{}", first, ContainerPorts::api)) + ", " +
                quoted(fmt::format("127.0.0.1:{}:{}", first + 1, ContainerPorts::api_tls)) + "]\n";
    }
    return "  " + name + ":\n    image: " + quoted(options.image) + "\n" + command(words) + ports +
           "    volumes: [\"./net:/net:ro\"]\n"
           "    restart: unless-stopped\n"
           "    stop_grace_period: 45s\n" +
           health_check() + std::string(hardening);
}

}  // namespace

std::string local_image() {
    return "teetee:" TEETEE_VERSION;
}

const std::vector<std::string>& host_variables() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> out;
        const auto add = [&out](const Variable& variable) { out.emplace_back(variable.name); };
        std::ranges::for_each(chain_variables, add);
        std::ranges::for_each(fetch_variables, add);
        std::ranges::for_each(node_variables, add);
        return out;
    }();
    return names;
}

std::string host_compose(const HostCompose& options) {
    return "# A node of a TeeTee pool, as 'teetee host' writes it. A TD measures this text: change "
           "nothing in it.\n"
           "# Pool, slot, chain and names come by the variables below, from .env or encrypted to "
           "the TD.\n"
           "services:\n" +
           fetch_service(options) + node_service(options) +
           "volumes:\n"
           "  slot: {}\n"
           "  state: {}\n";
}

std::string host_override() {
    return "# Beside docker-compose.yaml: the slot's files are those that 'teetee host' fetched.\n"
           "services:\n"
           "  fetch:\n"
           "    volumes: [\"./slot:/slot:ro\"]\n"
           "  node:\n"
           "    volumes: [\"./slot:/slot:ro\"]\n";
}

std::string host_app_compose(const std::string& compose) {
    return attest::encode_app_compose(
        {.name = "teetee-node", .docker_compose_file = compose, .allowed_envs = host_variables()});
}

std::string network_compose(const NetworkCompose& options) {
    std::string out = fmt::format(
        "# SIMULATED TEEs on one machine, {} shards, {} of each; they protect nothing. Before:\n"
        "#   teetee up --prepare-only --shards {} --dir net\n"
        "# It is what 'teetee deploy compose --shards {} --replicas {}' prints.\n"
        "services:\n",
        options.shards, options.replicas, options.shards, options.shards, options.replicas);
    for (size_t replica = 0; replica < options.replicas; ++replica) {
        for (size_t shard = 0; shard < options.shards; ++shard)
            out += network_node(options, shard, replica);
    }
    return out;
}

Result<void> ensure_pinned(const std::string& image) {
    constexpr std::string_view mark = "@sha256:";
    if (is_image_name(image)) {
        const size_t at = image.find(mark);
        if (at != std::string::npos && at > 0 && array_from_hex<32>(image.substr(at + mark.size())))
            return {};
    }
    return fail(ErrorCode::invalid_argument,
                "--image: have " + quote_foreign(image) +
                    ", need NAME@sha256:DIGEST: a tag may be another image tomorrow, and a TD "
                    "measures the name alone");
}

}  // namespace teetee::cli
