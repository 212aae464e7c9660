// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/doctor_judgement.hpp"
#include "cli/doctor_setup.hpp"
#include "net/header_field.hpp"
#include "net/http_client.hpp"
#include "net/http_date.hpp"
#include "net/kernel_file.hpp"
#include "tensor/cpu.hpp"
#include "tensor/kernels.hpp"

namespace teetee::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t socket_table_bytes_max = 16u << 20;
constexpr uint64_t state_bytes_min = uint64_t{64} << 20;

/// Whose clock can be compared: services that the node asks anyway.
std::vector<std::string> clock_urls(const DoctorSetup& setup) {
    std::vector<std::string> out;
    // One variable may name several.
    for (const std::string& urls : setup.options.chain.chain.rpc_urls) {
        for (const std::string& url : CLI::detail::split(urls, ',')) out.push_back(url);
    }
    for (const std::string& url : setup.options.collateral.services) {
        if (url != "none") out.push_back(url);
    }
    return out;
}

std::optional<UnixSeconds> ask_time(const std::string& url, const CollateralOption& option) {
    net::HttpClientRequest request = {
        .url = url, .time_max = std::chrono::seconds(10), .response_bytes_max = 1u << 20};
    if (url.starts_with("https:")) request.web_pki = net::WebPki{option.ca_file};
    const auto response = net::http_fetch(request);
    if (!response) return std::nullopt;
    return net::parse_http_date(net::field(response->headers, "date"));
}

struct Holder {
    std::string name;
    std::string process_id;
    bool is_node = false;
};

/// The process that has one of these sockets, as far as this user may see.
std::optional<Holder> holder_of(const std::vector<uint64_t>& inodes) {
    std::error_code failed;
    for (const auto& process : fs::directory_iterator("/proc", failed)) {
        const std::string id = process.path().filename().string();
        if (id.find_first_not_of("0123456789") != std::string::npos) continue;
        std::error_code denied;
        for (const auto& file : fs::directory_iterator(process.path() / "fd", denied)) {
            const std::string target = fs::read_symlink(file.path(), denied).string();
            for (const uint64_t inode : inodes) {
                if (target != fmt::format("socket:[{}]", inode)) continue;
                Holder holder{.name = "a process", .process_id = id};
                const auto command =
                    net::read_kernel_file((process.path() / "cmdline").string(), 1u << 20);
                if (!command) return holder;
                const std::string text(as_text(*command));
                holder.name = fs::path(text.substr(0, text.find('\0'))).filename().string();
                const std::string_view arguments =
                    std::string_view(text).substr(std::min(text.find('\0'), text.size()));
                holder.is_node = holder.name.starts_with("teetee") &&
                                 arguments.starts_with(std::string_view("\0node\0", 6));
                return holder;
            }
        }
    }
    return std::nullopt;
}

std::optional<Holder> who_listens(uint16_t port) {
    std::vector<uint64_t> inodes;
    for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        const auto table = net::read_kernel_file(path, socket_table_bytes_max);
        if (!table) continue;
        for (const uint64_t inode : listening_inodes(as_text(*table), port))
            inodes.push_back(inode);
    }
    return holder_of(inodes);
}

/// 0, or the system's reason why nobody can listen there.
int try_listen(const net::Address& address) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(address.port);
    if (::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found) != 0)
        return EADDRNOTAVAIL;
    int reason = 0;
    const net::Descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.number(), found->ai_addr, found->ai_addrlen) != 0 ||
        ::listen(socket.number(), 1) != 0) {
        reason = errno;
    }
    ::freeaddrinfo(found);
    return reason;
}

void check_port(const std::string& option, const std::string& text, DoctorSetup& setup,
                DoctorFindings& findings) {
    const auto address = net::parse_address(text);
    if (!address) {
        return findings.problem({.cause = option + " " + address.error().message(),
                                 .fix = option + " HOST:PORT, as 0.0.0.0:5010"});
    }
    const std::string where = option + " " + net::to_string(*address);
    const int reason = try_listen(*address);
    if (reason == 0) return findings.ok(where + " is free");
    if (reason == EADDRNOTAVAIL) {
        return findings.problem({.cause = where + ": no interface of this machine has the address",
                                 .fix = "ip address shows what there is; " + option + " 0.0.0.0:" +
                                        std::to_string(address->port) + " takes them all"});
    }
    if (reason == EACCES) {
        return findings.problem({.cause = where + ": this user may not listen on so low a port",
                                 .fix = "a port from 1024 on, or: setcap "
                                        "cap_net_bind_service=+ep $(command -v teetee)"});
    }
    if (reason != EADDRINUSE)
        return findings.problem({.cause = where + ": " + std::strerror(reason),
                                 .fix = "another address: " + option + " HOST:PORT"});
    const auto holder = who_listens(address->port);
    if (holder && holder->is_node) {
        setup.has_running_node = true;
        return findings.warn({.cause = fmt::format("{} is in use by a node that runs, process {}",
                                                   where, holder->process_id),
                              .fix = fmt::format("a second node needs another port: {} HOST:PORT; "
                                                 "to end that one: kill {}",
                                                 option, holder->process_id)});
    }
    if (!holder) {
        return findings.problem(
            {.cause = where + " is in use",
             .fix = fmt::format("ss -tlnp 'sport = :{}' says by whom; or another {}", address->port,
                                option)});
    }
    findings.problem({.cause = fmt::format("{} is in use by {}, process {}", where,
                                           quote_foreign(holder->name), holder->process_id),
                      .fix = fmt::format("another {} HOST:PORT; ps -fp {} says what has it", option,
                                         holder->process_id)});
}

/// Whether a file can be made in a folder, or the folder itself where it is not there yet.
Result<fs::path> try_write(const std::string& folder) {
    fs::path at(folder);
    std::error_code failed;
    while (!fs::exists(at, failed) && at.has_relative_path()) at = at.parent_path();
    if (at.empty()) at = ".";
    if (!fs::is_directory(at, failed))
        return fail(ErrorCode::io_failed, at.string() + " is no folder");
    // mkdtemp(3) puts what is free in the place of the last six letters.
    std::string name = (at / ".teetee-doctor-").string() + std::string(6, 'X');
    if (::mkdtemp(name.data()) == nullptr)
        return fail(ErrorCode::io_failed, at.string() + ": " + std::strerror(errno));
    ::rmdir(name.c_str());
    return at;
}

}  // namespace

void check_clock(DoctorSetup& setup, DoctorFindings& findings) {
    findings.add(judge_clock(setup.clock.unix_now()));
    for (const std::string& url : clock_urls(setup)) {
        const auto time = ask_time(url, setup.options.collateral);
        if (!time) continue;
        // A path may hold a key.
        const auto parsed = net::parse_url(url);
        findings.add(judge_clock_against(
            {.name = parsed ? net::to_string(parsed->address) : "a service", .time = *time},
            setup.clock.unix_now()));
    }
}

void check_ports(DoctorSetup& setup, DoctorFindings& findings) {
    const NodeCommandOptions& options = setup.options;
    std::map<std::string, std::string> wanted = {{"--listen", options.listen}};
    if (setup.may_be_entry()) {
        wanted["--api"] = options.api;
        if (!options.api_tls.empty()) wanted["--api-tls"] = options.api_tls;
    }
    if (const auto metrics = options.metrics_address(); metrics && *metrics)
        wanted["--metrics"] = net::to_string(**metrics);
    if (const auto status = options.status_address(); status && *status)
        wanted["--status"] = net::to_string(**status);
    std::vector<std::pair<net::Address, std::string>> seen;
    for (const auto& [option, text] : wanted) {
        const auto address = net::parse_address(text);
        const auto other = std::ranges::find_if(
            seen, [&](const auto& one) { return address && shares_port(*address, one.first); });
        if (other != seen.end()) {
            findings.problem({.cause = fmt::format("{} and {} have the same port, {}", option,
                                                   other->second, address->port),
                              .fix = "another port for one of them"});
            continue;
        }
        if (address) seen.emplace_back(*address, option);
        check_port(option, text, setup, findings);
    }
    const auto listen = net::parse_address(options.listen);
    const bool is_wildcard = listen && (listen->host == "0.0.0.0" || listen->host == "::");
    if (is_wildcard && options.node.url.empty()) {
        findings.problem({.cause = "--listen " + options.listen +
                                   " takes links on every address, and others cannot dial that",
                          .fix = fmt::format("--advertise tls://HOST:{}, with the name or address "
                                             "that others reach",
                                             listen->port)});
    }
}

void check_disk(DoctorSetup& setup, DoctorFindings& findings) {
    const NodeCommandOptions& options = setup.options;
    struct Place {
        std::string option;
        std::string path;
        uint64_t need_bytes;
    };
    std::vector<Place> places;
    if (!options.chain.state_folder.empty())
        places.push_back({"--state", options.chain.state_folder, state_bytes_min});
    if (options.weights_cache.open())
        places.push_back({"--weights-cache", options.weights_cache.folder, setup.weight_bytes});
    if (!options.collateral.folder.empty())
        places.push_back({"--collateral", options.collateral.folder, 1u << 20});
    for (const Place& place : places) {
        const auto at = try_write(place.path);
        if (!at) {
            findings.problem({.cause = fmt::format("{} {} cannot be written: {}", place.option,
                                                   place.path, at.error().detail),
                              .fix = fmt::format("mkdir -p {0} && chown {1} {0}, or another {2}",
                                                 place.path, ::getuid(), place.option)});
            continue;
        }
        struct statvfs space {};
        if (::statvfs(at->c_str(), &space) != 0) continue;
        findings.add(judge_space({.option = place.option,
                                  .path = place.path,
                                  .free_bytes = uint64_t{space.f_bavail} * space.f_frsize,
                                  .need_bytes = place.need_bytes}));
    }
}

void check_descriptors(DoctorSetup&, DoctorFindings& findings) {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    findings.add(judge_descriptors(files.rlim_max));
}

void check_processor(DoctorSetup& setup, DoctorFindings& findings) {
    const std::string& wanted = setup.options.node.shard.kernel;
    const auto kernels = tensor::kernels_named(wanted);
    if (!kernels) {
        return findings.problem(
            {.cause = "--kernel: " + kernels.error().detail, .fix = "--kernel auto"});
    }
    const size_t threads = setup.options.node.shard.threads;
    const size_t cores = std::max(1u, std::thread::hardware_concurrency());
    const std::string text = fmt::format("kernel {} on {} threads, {} cores", (*kernels)->name,
                                         threads == 0 ? cores : threads, cores);
    if (threads > cores) {
        return findings.warn({.cause = text + ": they would wait for each other",
                              .fix = fmt::format("--threads {}", cores)});
    }
    if (wanted == "auto" && (*kernels)->name == "scalar") {
        return findings.warn({.cause = text + ": the processor shows no AVX2, and this is slow",
                              .fix = "in a virtual machine: let it have the host's processor "
                                     "(qemu -cpu host)"});
    }
    findings.ok(text);
}

}  // namespace teetee::cli
