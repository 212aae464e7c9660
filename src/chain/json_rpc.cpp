// SPDX-License-Identifier: Apache-2.0
#include "chain/json_rpc.hpp"

#include "base/strict_json.hpp"
#include "chain/json_fields.hpp"
#include "chain/limits.hpp"

namespace teetee::chain {
namespace {

namespace json = boost::json;

// EIP-1474 has no code of its own for it; nodes of most kinds answer reverted calls with this one.
constexpr int64_t code_reverted = 3;

Error malformed(std::string detail) {
    return fail(ErrorCode::rpc_malformed, "RPC answer: " + std::move(detail));
}

Result<RpcError> read_error(const JsonFields& fields) {
    RpcError out;
    TT_TRY(const json::value* code, fields.value("code"));
    const int64_t* number = code->if_int64();
    if (number == nullptr) return malformed("error.code: have another value, need an integer");
    out.code = *number;
    TT_TRY(const std::string_view message, fields.text("message"));
    out.message = message;
    out.is_revert = out.code == code_reverted;
    // Some nodes put an object there, or a sentence; only bytes are of use.
    if (fields.is_absent("data")) return out;
    if (auto data = fields.data("data", rpc_data_bytes_max)) {
        out.data = std::move(*data);
        out.is_revert = out.is_revert || !out.data.empty();
    }
    return out;
}

}  // namespace

std::string encode_rpc_request(const RpcCall& call, uint64_t id) {
    return json::serialize(json::object{
        {"jsonrpc", "2.0"}, {"id", id}, {"method", call.method}, {"params", call.parameters}});
}

Result<RpcAnswer> decode_rpc_answer(std::string_view body, uint64_t id) {
    auto parsed =
        parse_strict_json(body, {.bytes_max = rpc_answer_bytes_max, .depth_max = rpc_depth_max});
    if (!parsed) return malformed(parsed.error().detail);
    TT_TRY(const JsonFields fields,
           JsonFields::of(*parsed, "RPC answer", ErrorCode::rpc_malformed));
    TT_TRY(const std::string_view version, fields.text("jsonrpc"));
    if (version != "2.0") return malformed("version: have " + quote_foreign(version));
    // A request that the node could not read is answered with the id null.
    const bool has_error = !fields.is_absent("error");
    if (!(has_error && fields.is_absent("id"))) {
        TT_TRY(const uint64_t answered, fields.number("id", UINT64_MAX));
        if (answered != id) {
            return malformed("id: have " + std::to_string(answered) + ", need " +
                             std::to_string(id));
        }
    }
    json::object& members = parsed->get_object();
    const bool has_result = members.contains("result");
    if (has_error) {
        if (!fields.is_absent("result")) return malformed("both a result and an error");
        TT_TRY(const JsonFields error_fields, fields.object("error"));
        TT_TRY(RpcError error, read_error(error_fields));
        return RpcAnswer(std::move(error));
    }
    if (!has_result) return malformed("neither a result nor an error");
    return RpcAnswer(std::move(members.at("result")));
}

Error to_error(const RpcError& error, std::span<const AbiError> known) {
    if (error.is_revert) return fail(ErrorCode::call_reverted, describe_revert(error.data, known));
    return fail(ErrorCode::rpc_refused, "RPC endpoint: " + quote_foreign(error.message) + " (" +
                                            std::to_string(error.code) + ")");
}

Result<json::value> take_result(RpcAnswer answer, std::span<const AbiError> known) {
    if (const auto* error = std::get_if<RpcError>(&answer)) return to_error(*error, known);
    return std::get<json::value>(std::move(answer));
}

}  // namespace teetee::chain
