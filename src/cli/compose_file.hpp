// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "attest/app_compose.hpp"

namespace teetee::cli {

// Compose files (compose-spec.io). Those that TDs measure are the same bytes for the same answers
// to the questions here, whatever else a host sets: that comes by variables.

/// Ports inside a container.
struct ContainerPorts {
    static constexpr int status = 5001;
    static constexpr int api = 5002;
    static constexpr int api_tls = 5003;
    static constexpr int links = 5010;
};

/// As deploy/build_image.sh names it: of this version of the program.
std::string local_image();

struct HostCompose {
    /// NAME@sha256:DIGEST.
    std::string image{};
    /// A SIMULATED TEE, from a seed file beside the compose file: for development.
    bool is_dev = false;
};

/// One node of a pool: a service that fetches the slot's files and verifies them, and one that
/// serves them. Which pool, slot, chain and names it has come by host_variables.
std::string host_compose(const HostCompose& options);

/// The same in a folder where the files lie already: bound in place of the volume.
std::string host_override();

/// What whoever deploys host_compose may set: nothing of it is measured, and nothing of it can make
/// a node serve other weights or another policy than the contract names.
const std::vector<std::string>& host_variables();

/// The app-compose.json of a compose file, see attest::encode_app_compose.
std::string host_app_compose(const std::string& compose);

struct NetworkCompose {
    std::string image{};
    size_t shards = 2;
    size_t replicas = 1;
    /// The first port on this machine: each entry takes two, its API and its attested API.
    int port = 5002;
};

/// A network of SIMULATED TEEs on one machine, each node a container: the files are those of
/// 'teetee up --prepare-only --shards N --dir net'.
std::string network_compose(const NetworkCompose& options);

/// Error: invalid_argument, for an image whose bytes its name does not say, or what is no name.
Result<void> ensure_pinned(const std::string& image);

}  // namespace teetee::cli
