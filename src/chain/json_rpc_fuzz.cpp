// SPDX-License-Identifier: Apache-2.0
#include "chain/json_rpc.hpp"
#include "chain/rpc_results.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    auto answer = chain::decode_rpc_answer(as_text({data, size}), 1);
    if (!answer) return 0;
    const auto result = chain::take_result(std::move(*answer));
    if (!result) return 0;
    (void)chain::parse_rpc_u64(*result);
    (void)chain::parse_rpc_data(*result);
    (void)chain::parse_rpc_hash(*result);
    (void)chain::parse_rpc_block(*result);
    (void)chain::parse_rpc_logs(*result);
    (void)chain::parse_rpc_receipt(*result);
    (void)chain::parse_rpc_fee_history(*result);
    return 0;
}
