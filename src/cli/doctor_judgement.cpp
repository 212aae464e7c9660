// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_judgement.hpp"

#include <array>
#include <cstdlib>
#include <sstream>

#include <fmt/format.h>

#include "attest/time_text.hpp"
#include "base/ascii.hpp"
#include "model/kv_budget.hpp"

namespace teetee::cli {
namespace {

constexpr const char* set_clock = "timedatectl set-ntp true (or: chronyc makestep)";

DoctorFinding found(Finding finding, std::string cause, std::string fix = {}) {
    return {.finding = finding, .cause = std::move(cause), .fix = std::move(fix)};
}

std::string span_text(UnixSeconds seconds) {
    const UnixSeconds s = std::abs(seconds);
    if (s >= 2 * 86400) return fmt::format("{} days", s / 86400);
    if (s >= 2 * 3600) return fmt::format("{} hours", s / 3600);
    if (s >= 120) return fmt::format("{} minutes", s / 60);
    return fmt::format("{} s", s);
}

}  // namespace

DoctorFinding judge_clock(UnixSeconds now) {
    if (now >= build_time_min) return found(Finding::ok, "it is " + attest::format_utc(now));
    return found(Finding::problem,
                 fmt::format("the clock says {}, which is before this program was built",
                             attest::format_utc(now)),
                 set_clock);
}

DoctorFinding judge_clock_against(const OtherClock& other, UnixSeconds now) {
    const UnixSeconds ahead = now - other.time;
    if (std::abs(ahead) <= clock_difference_max_s)
        return found(Finding::ok, "as " + other.name + " has it");
    return found(Finding::problem,
                 fmt::format("the clock is {} {} {}: evidence and vouchers would be out of date",
                             span_text(ahead), ahead > 0 ? "ahead of" : "behind", other.name),
                 set_clock);
}

DoctorFinding judge_head(const ChainHead& head, UnixSeconds now) {
    const UnixSeconds age = now - head.time;
    const std::string text = fmt::format("{}: block {}", head.url, head.number);
    if (age < -clock_difference_max_s) {
        return found(Finding::problem,
                     fmt::format("{} is {} ahead of this machine's clock", text, span_text(age)),
                     set_clock);
    }
    if (age <= head_age_warning_s) return found(Finding::ok, text);
    if (head.is_dev)
        return found(Finding::ok, text + ", " + span_text(age) + " old, as dev chains have it");
    return found(
        Finding::problem,
        fmt::format("{} is {} old: the endpoint does not follow its chain", text, span_text(age)),
        "name another --rpc, or wait until this one has caught up");
}

DoctorFinding judge_memory(const MemoryFacts& facts) {
    const uint64_t need = facts.weight_bytes + facts.kv_bytes;
    const std::string text = fmt::format("{} of weights and up to {} of keys and values",
                                         model::show_byte_count(facts.weight_bytes),
                                         model::show_byte_count(facts.kv_bytes));
    if (facts.is_in_use) return found(Finding::ok, "the node that runs has " + text);
    if (facts.available_bytes == 0)
        return found(Finding::warning, "need " + text + "; the kernel does not say what is free",
                     "free -m, or mount /proc into the container");
    const std::string have = model::show_byte_count(facts.available_bytes);
    if (need <= facts.available_bytes) return found(Finding::ok, have + " free for " + text);
    if (facts.weight_bytes >= facts.available_bytes) {
        return found(Finding::problem, "have " + have + " free, need " + text,
                     "serve fewer layers: teetee shard cut with more --shards");
    }
    const uint64_t left = facts.available_bytes - facts.weight_bytes;
    return found(Finding::problem, "have " + have + " free, need " + text,
                 fmt::format("--kv-memory {}MiB, or serve fewer layers", (left / 10 * 9) >> 20));
}

DoctorFinding judge_descriptors(uint64_t limit) {
    if (limit >= descriptors_min) return found(Finding::ok, fmt::format("{} files at once", limit));
    return found(Finding::problem,
                 fmt::format("have {} file descriptors at most, need {}: clients' connections "
                             "would use up what links need",
                             limit, descriptors_min),
                 "ulimit -n 65536 (systemd: LimitNOFILE=65536)");
}

DoctorFinding judge_space(const SpaceFacts& facts) {
    const std::string have = model::show_byte_count(facts.free_bytes);
    if (facts.free_bytes >= facts.need_bytes)
        return found(Finding::ok, fmt::format("{} {}: {} free", facts.option, facts.path, have));
    return found(Finding::problem,
                 fmt::format("{} {}: have {} free, need {}", facts.option, facts.path, have,
                             model::show_byte_count(facts.need_bytes)),
                 fmt::format("free some, or name another folder with {}", facts.option));
}

DoctorFinding judge_expiry(const std::string& name, UnixSeconds expires, UnixSeconds now) {
    const std::string until = attest::format_utc(expires);
    if (expires <= now) return found(Finding::problem, name + " ran out at " + until);
    if (expires - now < expiry_warning_s)
        return found(Finding::warning, name + " runs out at " + until);
    return found(Finding::ok, name + " is good until " + until);
}

bool shares_port(const net::Address& one, const net::Address& other) {
    if (one.port == 0 || one.port != other.port) return false;
    const auto stands_for_all = [](const std::string& host) {
        return host == "0.0.0.0" || host == "::";
    };
    const auto number = [](const std::string& host) {
        return host == "localhost" ? std::string("127.0.0.1") : host;
    };
    return stands_for_all(one.host) || stands_for_all(other.host) ||
           number(one.host) == number(other.host);
}

std::vector<uint64_t> listening_inodes(std::string_view table, uint16_t port) {
    const std::string wanted = fmt::format(":{:04X}", port);
    std::vector<uint64_t> out;
    std::istringstream lines{std::string(table)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::array<std::string, 10> field;
        for (std::string& f : field) fields >> f;
        constexpr std::string_view listens = "0A";
        if (!field[1].ends_with(wanted) || field[3] != listens) continue;
        if (const auto inode = parse_decimal(field[9])) out.push_back(*inode);
    }
    return out;
}

}  // namespace teetee::cli
