// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "chain/bindings/tee_tee.hpp"

namespace teetee::chain {

/// What the contract logs (contracts/src).
using ContractEvent = std::variant<
    tee_tee::PoolCreatedEvent, tee_tee::PricesAnnouncedEvent, tee_tee::PolicyAnnouncedEvent,
    tee_tee::MeasurementAcceptedEvent, tee_tee::MeasurementRevokedEvent,
    tee_tee::CreatorOfferedEvent, tee_tee::CreatorChangedEvent, tee_tee::PoolClosedEvent,
    tee_tee::NodeRegisteredEvent, tee_tee::NodeRenewedEvent, tee_tee::NodeLeftEvent,
    tee_tee::CreditsBoughtEvent, tee_tee::RefundRequestedEvent, tee_tee::RefundCancelledEvent,
    tee_tee::RefundPaidEvent, tee_tee::VoucherOpenedEvent, tee_tee::VoucherEndedEvent,
    tee_tee::VoucherReclaimedEvent, tee_tee::SpentEvent, tee_tee::SpentInVainEvent,
    tee_tee::QueryPaidEvent, tee_tee::QueryServedEvent, tee_tee::QueryReclaimedEvent,
    tee_tee::AnchoredEvent, tee_tee::EarnedEvent, tee_tee::FeeEarnedEvent,
    tee_tee::EarningsWithdrawnEvent, tee_tee::SettlementAnnouncedEvent>;

/// Errors: events_inconsistent for an event that the contract has none of, abi_malformed.
Result<ContractEvent> decode_contract_event(const EventData& log);

}  // namespace teetee::chain
