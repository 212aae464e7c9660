// SPDX-License-Identifier: Apache-2.0
#include "chain/contract_events.hpp"

namespace teetee::chain {
namespace {

template <size_t I = 0>
Result<ContractEvent> decode_from(const EventData& log) {
    if constexpr (I == std::variant_size_v<ContractEvent>) {
        return fail(ErrorCode::events_inconsistent,
                    "event: topic " + to_hex(log.topics[0]) + " is none of the contract's");
    } else {
        using Event = std::variant_alternative_t<I, ContractEvent>;
        if (log.topics[0] != Event::topic) return decode_from<I + 1>(log);
        TT_TRY(Event event, Event::decode(log));
        return ContractEvent(std::move(event));
    }
}

}  // namespace

Result<ContractEvent> decode_contract_event(const EventData& log) {
    if (log.topics.empty()) return fail(ErrorCode::events_inconsistent, "event: anonymous");
    return decode_from(log);
}

}  // namespace teetee::chain
