// SPDX-License-Identifier: Apache-2.0
#include "cli/pending_commands.hpp"

#include <algorithm>

#include "base/strict_json.hpp"
#include "chain/json_fields.hpp"
#include "cli/limits.hpp"

namespace teetee::cli {
namespace {

namespace json = boost::json;
using chain::JsonFields;

json::object to_json(const chain::Inclusion& inclusion) {
    return {{"transaction", "0x" + to_hex(inclusion.transaction_hash)},
            {"block", inclusion.block_number},
            {"block_hash", "0x" + to_hex(inclusion.block_hash)},
            {"gas_used", inclusion.gas_used},
            {"cost_wei", inclusion.cost.to_quantity()}};
}

Result<chain::Inclusion> inclusion_of(const JsonFields& fields) {
    chain::Inclusion out;
    TT_TRY(out.transaction_hash, fields.array_data<32>("transaction"));
    TT_TRY(out.block_number, fields.number("block", UINT64_MAX));
    TT_TRY(out.block_hash, fields.array_data<32>("block_hash"));
    TT_TRY(out.gas_used, fields.number("gas_used", UINT64_MAX));
    TT_TRY(out.cost, fields.quantity("cost_wei"));
    return out;
}

Result<PendingCommand> command_of(const json::value& value) {
    TT_TRY(const auto fields, JsonFields::of(value, "command", ErrorCode::config_invalid));
    PendingCommand out;
    TT_TRY(out.command, fields.text("command"));
    TT_TRY(out.intent.key, fields.text("key"));
    TT_TRY(out.intent.to, fields.array_data<20>("to"));
    TT_TRY(out.intent.value, fields.quantity("value"));
    TT_TRY(out.intent.data, fields.data("data", pending_data_bytes_max));
    if (!fields.is_absent("once")) {
        TT_TRY(out.name, fields.text("once"));
    }
    if (fields.is_absent("done")) return out;
    TT_TRY(const auto done, fields.object("done"));
    TT_TRY(out.inclusion, inclusion_of(done));
    return out;
}

}  // namespace

std::string fresh_key(Rng& rng) {
    ByteArray<16> bytes;
    rng.fill(bytes);
    return to_hex(bytes);
}

Result<PendingCommands> PendingCommands::parse(std::string_view text) {
    const auto parsed =
        parse_strict_json(text, {.bytes_max = pending_file_bytes_max, .depth_max = 8});
    if (!parsed) return fail(ErrorCode::config_invalid, parsed.error().message());
    TT_TRY(const auto fields, JsonFields::of(*parsed, "commands", ErrorCode::config_invalid));
    TT_TRY(const uint64_t version, fields.number("version", UINT64_MAX));
    if (version != 1) return fields.wrong("version", std::to_string(version), "1");
    TT_TRY(const json::array* list, fields.array("commands", pending_commands_max));
    PendingCommands out;
    for (const json::value& value : *list) {
        TT_TRY(auto command, command_of(value));
        out.commands_.push_back(std::move(command));
    }
    return out;
}

std::string PendingCommands::encode() const {
    json::array list;
    for (const PendingCommand& command : commands_) {
        json::object object = {{"command", command.command},
                               {"key", command.intent.key},
                               {"to", "0x" + to_hex(command.intent.to)},
                               {"value", command.intent.value.to_quantity()},
                               {"data", "0x" + to_hex(command.intent.data)}};
        if (!command.name.empty()) object["once"] = command.name;
        if (command.inclusion) object["done"] = to_json(*command.inclusion);
        list.push_back(std::move(object));
    }
    return json::serialize(json::object{{"version", 1}, {"commands", std::move(list)}}) + "\n";
}

PendingCommand* PendingCommands::first(const std::function<bool(const PendingCommand&)>& is_it) {
    const auto found = std::ranges::find_if(commands_, is_it);
    return found == commands_.end() ? nullptr : &*found;
}

PendingCommand* PendingCommands::unfinished(std::string_view command) {
    return first([&](const PendingCommand& known) {
        return known.name.empty() && known.command == command;
    });
}

PendingCommand* PendingCommands::named(std::string_view name) {
    return first([&](const PendingCommand& known) { return known.name == name; });
}

PendingCommand* PendingCommands::of_key(std::string_view key) {
    return first([&](const PendingCommand& known) { return known.intent.key == key; });
}

PendingCommand& PendingCommands::add(PendingCommand command) {
    // The oldest names are forgotten, as the sender forgets the oldest outcomes.
    if (commands_.size() >= pending_commands_max) {
        const auto oldest = std::ranges::find_if(
            commands_, [](const PendingCommand& known) { return known.inclusion.has_value(); });
        commands_.erase(oldest == commands_.end() ? commands_.begin() : oldest);
    }
    return commands_.emplace_back(std::move(command));
}

void PendingCommands::erase(std::string_view key) {
    std::erase_if(commands_, [&](const PendingCommand& known) { return known.intent.key == key; });
}

}  // namespace teetee::cli
