// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/command.hpp"
#include "net/api_key_file.hpp"
#include "net/file_update.hpp"
#include "net/limits.hpp"

namespace teetee::cli {
namespace {

struct KeyOptions {
    std::string path;
    std::string name;
    uint32_t days = 0;
};

/// A file that is not there yet has no keys.
Result<std::vector<net::ListedKey>> read_keys(const std::string& path) {
    const auto text = net::read_file(path, net::key_file_bytes_max);
    if (!text && text.error().code == ErrorCode::not_found) return std::vector<net::ListedKey>();
    if (!text) return text.error();
    auto keys = net::parse_api_keys(as_text(*text));
    if (!keys) return in_context(path, std::move(keys).error());
    return keys;
}

Result<void> write_keys(const std::string& path, const std::vector<net::ListedKey>& keys) {
    return net::update_file_atomic(path, as_bytes(net::encode_api_keys(keys)));
}

bool is_listed(const std::vector<net::ListedKey>& keys, const std::string& name) {
    return std::ranges::find(keys, name, &net::ListedKey::name) != keys.end();
}

Result<void> create_key(const KeyOptions& options, Session& session) {
    TT_TRY(const auto lock, net::FolderLock::take(options.path));
    TT_TRY(auto keys, read_keys(options.path));
    if (options.name.empty() || options.name.size() > net::key_name_bytes_max)
        return fail(ErrorCode::invalid_argument,
                    fmt::format("--name has 1 to {} bytes", net::key_name_bytes_max));
    if (is_listed(keys, options.name)) {
        return fail(ErrorCode::invalid_argument,
                    fmt::format("there is a key '{}' already: revoke it first", options.name));
    }
    if (keys.size() >= net::listed_keys_max)
        return fail(ErrorCode::limit_exceeded,
                    fmt::format("{} has {} keys, as many as may be", options.path, keys.size()));
    SystemRng rng;
    const std::string key = net::make_api_key(rng);
    const UnixSeconds expires =
        options.days == 0 ? 0 : SystemClock().unix_now() + UnixSeconds{options.days} * 86400;
    keys.push_back({.name = options.name, .hash = net::hash_of_api_key(key), .expires = expires});
    TT_CHECK(write_keys(options.path, keys));
    if (session.json) {
        print_json({{"name", options.name}, {"key", key}, {"expires", expires}});
    } else {
        print_text(fmt::format("{}\nThe file has only its hash: it is not shown again.\n", key));
    }
    return {};
}

Result<void> list_keys(const KeyOptions& options, Session& session) {
    TT_TRY(const auto keys, read_keys(options.path));
    boost::json::array list;
    std::string text;
    const UnixSeconds now = SystemClock().unix_now();
    for (const net::ListedKey& key : keys) {
        list.push_back({{"name", key.name}, {"expires", key.expires}});
        text += key.name;
        if (key.expires != 0) {
            text += now >= key.expires
                        ? "  expired"
                        : fmt::format("  for {} more days", (key.expires - now) / 86400);
        }
        text += '\n';
    }
    if (session.json) {
        print_json({{"keys", std::move(list)}});
    } else {
        print_text(text.empty() ? "no keys\n" : text);
    }
    return {};
}

Result<void> revoke_key(const KeyOptions& options, Session& session) {
    TT_TRY(const auto lock, net::FolderLock::take(options.path));
    TT_TRY(auto keys, read_keys(options.path));
    if (std::erase_if(keys, [&](const auto& key) { return key.name == options.name; }) == 0)
        return fail(ErrorCode::api_key_invalid,
                    fmt::format("{} has no key '{}'", options.path, options.name));
    TT_CHECK(write_keys(options.path, keys));
    if (session.json) {
        print_json({{"revoked", options.name}});
    } else {
        print_text("revoked; entries that use the file notice within a second or two\n");
    }
    return {};
}

}  // namespace

void add_api_key(CLI::App& app, Session& session) {
    CLI::App* group = app.add_subcommand(
        "api-key", "Make keys for applications that ask an entry, or serve-local (--api-keys)");
    group->require_subcommand(1);
    const struct {
        const char* name;
        const char* summary;
        Result<void> (*body)(const KeyOptions&, Session&);
    } commands[] = {{"create", "Make a key, and add its hash to the file", create_key},
                    {"list", "Show the names of the file's keys", list_keys},
                    {"revoke", "Take a key out of the file", revoke_key}};
    for (const auto& one : commands) {
        auto options = std::make_shared<KeyOptions>();
        CLI::App* command = add_command(*group, session, one.name, one.summary, options, one.body);
        command
            ->add_option("--file", options->path,
                         "The file of keys, as --api-keys of node and serve-local")
            ->required()
            ->envname("TEETEE_API_KEYS");
        if (one.body == list_keys) continue;
        command->add_option("--name", options->name, "What the key is called")->required();
        if (one.body != create_key) continue;
        command->add_option("--days", options->days, "How long it is good; 0: until it is revoked")
            ->check(CLI::Range(0, 36500))
            ->capture_default_str();
    }
}

}  // namespace teetee::cli
