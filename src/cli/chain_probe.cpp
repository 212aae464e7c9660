// SPDX-License-Identifier: Apache-2.0
#include "cli/chain_probe.hpp"

#include "chain/limits.hpp"
#include "chain/rpc_calls.hpp"
#include "chain/rpc_results.hpp"
#include "net/http_client.hpp"

namespace teetee::cli {
namespace {

constexpr uint64_t anvil_chain = 31337;
constexpr uint64_t base_sepolia_chain = 84532;

Result<Bytes> ask_data(const std::string& url, const chain::RpcCall& call) {
    TT_TRY(const auto answer, ask_endpoint(url, call));
    return chain::parse_rpc_data(answer);
}

Result<void> ensure_chain(const std::string& url, uint64_t need) {
    TT_TRY(const auto answer, ask_endpoint(url, chain::call_chain_id()));
    TT_TRY(const uint64_t have, chain::parse_rpc_u64(answer));
    if (have == need) return {};
    return fail(ErrorCode::chain_mismatch,
                "have chain " + std::to_string(have) + ", need " + std::to_string(need));
}

Result<chain::U256> ask_price(const std::string& url, const chain::Address& contract) {
    TT_TRY(Bytes call, chain::tee_tee::WeiPerCreditCall{}.encode());
    const auto data = ask_data(url, chain::call_contract({.to = contract, .data = std::move(call)},
                                                         chain::BlockTag::latest()));
    if (!data && data.error().code != ErrorCode::call_reverted) return data.error();
    const auto reply = data ? chain::tee_tee::WeiPerCreditCall::decode_reply(*data)
                            : Result<chain::tee_tee::WeiPerCreditCall::Reply>(data.error());
    if (reply && !reply->value.is_zero()) return reply->value;
    return fail(ErrorCode::chain_mismatch,
                "have no TeeTee contract at " + chain::to_checksum_text(contract) +
                    ": is it --contract (or the --deployment) of this chain?");
}

Result<ChainFacts> probe(const std::string& url, const chain::Deployment& deployment) {
    TT_CHECK(ensure_chain(url, deployment.chain_id));
    ChainFacts facts;
    TT_TRY(const auto block, ask_endpoint(url, chain::call_block(chain::BlockTag::at(0))));
    TT_TRY(const auto genesis, chain::parse_rpc_block(block));
    if (!genesis) return fail(ErrorCode::rpc_malformed, "the chain has no first block");
    facts.genesis = genesis->hash;
    TT_TRY(const Bytes code,
           ask_data(url, chain::call_code(gas_oracle(), chain::BlockTag::latest())));
    facts.has_gas_oracle = !code.empty();
    facts.is_dev = deployment.chain_id == anvil_chain ||
                   (deployment.chain_id == base_sepolia_chain && code.empty());
    TT_TRY(facts.wei_per_credit, ask_price(url, deployment.contract));
    return facts;
}

}  // namespace

Result<boost::json::value> ask_endpoint(const std::string& url, const chain::RpcCall& call,
                                        Duration time_max) {
    net::HttpClientRequest request = {.method = "POST",
                                      .url = url,
                                      .headers = {{"content-type", "application/json"}},
                                      .body = chain::encode_rpc_request(call, 1),
                                      .time_max = time_max,
                                      .response_bytes_max = chain::rpc_answer_bytes_max};
    if (url.starts_with("https:")) request.web_pki.emplace();
    const auto response = net::http_fetch(request);
    if (!response && response.error().code == ErrorCode::address_invalid) {
        return fail(ErrorCode::address_invalid, "--rpc " + quote_foreign(url));
    }
    if (!response) return fail(ErrorCode::rpc_unavailable, response.error().message());
    auto answer = chain::decode_rpc_answer(response->body, 1);
    if (!answer && response->status != 200) {
        return fail(ErrorCode::rpc_unavailable, "HTTP status " + std::to_string(response->status));
    }
    if (!answer) return answer.error();
    return chain::take_result(std::move(*answer), chain::tee_tee::errors());
}

chain::Address gas_oracle() {
    chain::Address out{};
    out.front() = 0x42;
    out.back() = 0x0f;
    return out;
}

Result<ChainFacts> probe_chain(const ChainTarget& target) {
    std::optional<ChainFacts> facts;
    std::optional<Error> unreachable;
    for (const std::string& url : target.rpc_urls) {
        auto found = probe(url, target.deployment);
        if (!found && found.error().code == ErrorCode::rpc_unavailable) {
            unreachable = in_context(quote_foreign(url), std::move(found).error());
            continue;
        }
        if (!found) return in_context(quote_foreign(url), std::move(found).error());
        if (facts && *facts != *found) {
            return fail(ErrorCode::rpc_disagreement,
                        quote_foreign(url) + " says another thing than the endpoints before it");
        }
        facts = *found;
    }
    if (!facts) return *unreachable;
    const auto& recorded = target.record ? target.record->wei_per_credit : std::nullopt;
    if (recorded && *recorded != facts->wei_per_credit) {
        return fail(ErrorCode::chain_mismatch,
                    "a credit costs " + facts->wei_per_credit.to_decimal() +
                        " wei, by the deployment's file " + recorded->to_decimal());
    }
    return *facts;
}

}  // namespace teetee::cli
