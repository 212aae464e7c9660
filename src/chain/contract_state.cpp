// SPDX-License-Identifier: Apache-2.0
#include "chain/contract_state.hpp"

namespace teetee::chain {
namespace {

Error inconsistent(std::string_view event, std::string detail) {
    return fail(ErrorCode::events_inconsistent, std::string(event) + ": " + std::move(detail));
}

template <class Map, class Key>
auto find_in(const Map& map, const Key& key) -> const typename Map::mapped_type* {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

Result<void> add(U256& sum, const U256& amount) {
    TT_TRY(sum, sum.plus(amount));
    return {};
}

Result<void> take(U256& sum, const U256& amount, std::string_view what) {
    if (amount > sum) {
        return inconsistent(what, "have " + sum.to_decimal() + ", need " + amount.to_decimal());
    }
    TT_TRY(sum, sum.minus(amount));
    return {};
}

// Announcements say when they come into force; what had come into force by then holds until it.
template <class T>
Result<void> announce(Timed<T>& timed, T value, uint64_t from, uint64_t delay_s) {
    if (timed.from == 0) {
        timed = {.before = value, .next = value, .from = from};
        return {};
    }
    if (from < delay_s) return inconsistent("announcement", "comes into force too early");
    if (from - delay_s >= timed.from) timed.before = std::move(timed.next);
    timed.next = std::move(value);
    timed.from = from;
    return {};
}

}  // namespace

bool PoolRecord::accepts(const Digest& measurement, uint64_t time) const {
    const Acceptance* acceptance = find_in(measurements, measurement);
    return acceptance != nullptr && time >= acceptance->from && !acceptance->revoked;
}

Prices PoolRecord::highest_prices(uint64_t time) const {
    Prices highest = prices.at(time);
    // Without a sum, which a foreign number could overflow.
    if (time < prices.from || time - prices.from < price_grace_s) {
        highest.prompt = std::max(highest.prompt, prices.before.prompt);
        highest.completion = std::max(highest.completion, prices.before.completion);
    }
    return highest;
}

Result<void> ContractState::apply(const ContractEvent& event, uint64_t block) {
    block_ = block;
    return std::visit([this](const auto& known) { return on(known); }, event);
}

const PoolRecord* ContractState::pool(uint64_t id) const {
    return find_in(pools_, id);
}

const NodeRecord* ContractState::node(uint64_t id) const {
    return find_in(nodes_, id);
}

uint64_t ContractState::node_id_of_key(const Address& receipt_key) const {
    const uint64_t* id = find_in(keys_, receipt_key);
    return id == nullptr ? 0 : *id;
}

const NodeRecord* ContractState::node_of_key(const Address& receipt_key) const {
    return node(node_id_of_key(receipt_key));
}

const VoucherRecord* ContractState::voucher(const Digest& id) const {
    return find_in(vouchers_, id);
}

const QueryRecord* ContractState::query(uint64_t id) const {
    return find_in(queries_, id);
}

const AnchorRecord* ContractState::anchor(uint64_t entry_node, const Digest& receipts_root) const {
    return find_in(anchors_, std::pair(entry_node, receipts_root));
}

AccountRecord ContractState::account(const Address& address) const {
    const AccountRecord* known = find_in(accounts_, address);
    return known == nullptr ? AccountRecord{} : *known;
}

bool ContractState::is_live(uint64_t id, uint64_t time) const {
    const NodeRecord* known = node(id);
    if (known == nullptr || known->left || time >= known->expiry) return false;
    const PoolRecord* its_pool = pool(known->pool);
    return its_pool != nullptr && its_pool->accepts(known->measurement, time);
}

std::vector<uint64_t> ContractState::nodes_of_host(uint64_t pool_id, const Address& host) const {
    const std::vector<uint64_t>* known = find_in(hosts_, std::pair(pool_id, host));
    return known == nullptr ? std::vector<uint64_t>{} : *known;
}

Result<PoolRecord*> ContractState::pool_at(uint64_t id) {
    const auto found = pools_.find(id);
    if (found == pools_.end()) return inconsistent("pool", std::to_string(id) + " is unknown");
    return &found->second;
}

Result<NodeRecord*> ContractState::node_at(uint64_t id) {
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) return inconsistent("node", std::to_string(id) + " is unknown");
    return &found->second;
}

Result<VoucherRecord*> ContractState::voucher_at(const Digest& id) {
    const auto found = vouchers_.find(id);
    if (found == vouchers_.end()) return inconsistent("voucher", to_hex(id) + " is unknown");
    return &found->second;
}

Result<QueryRecord> ContractState::take_query(uint64_t id) {
    const auto found = queries_.find(id);
    if (found == queries_.end()) return inconsistent("query", std::to_string(id) + " is unknown");
    QueryRecord out = std::move(found->second);
    queries_.erase(found);
    return out;
}

Result<void> ContractState::on(const tee_tee::PoolCreatedEvent& event) {
    if (event.pool != pools_.size() + 1) {
        return inconsistent("PoolCreated", "have number " + std::to_string(event.pool) + ", need " +
                                               std::to_string(pools_.size() + 1));
    }
    PoolRecord& pool = pools_[event.pool];
    pool.creator = event.creator;
    pool.model_root = event.model_root;
    pool.manifest_uri = event.manifest_uri;
    pool.slot_layers = event.slot_layers;
    pool.fee_bps = event.fee_bps;
    pool.verifier = event.verifier;
    return {};
}

Result<void> ContractState::on(const tee_tee::PricesAnnouncedEvent& event) {
    TT_TRY(PoolRecord * pool, pool_at(event.pool));
    const Prices prices = {.prompt = event.prompt, .completion = event.completion};
    return announce(pool->prices, prices, event.from, price_delay_s);
}

Result<void> ContractState::on(const tee_tee::PolicyAnnouncedEvent& event) {
    TT_TRY(PoolRecord * pool, pool_at(event.pool));
    PolicyReference policy = {.hash = event.policy_hash, .uri = event.policy_uri};
    return announce(pool->policy, std::move(policy), event.from, policy_delay_s);
}

Result<void> ContractState::on(const tee_tee::MeasurementAcceptedEvent& event) {
    TT_TRY(PoolRecord * pool, pool_at(event.pool));
    const auto [at, is_new] =
        pool->measurements.try_emplace(event.measurement, Acceptance{.from = event.from});
    if (!is_new) return inconsistent("MeasurementAccepted", to_hex(at->first) + " a second time");
    return {};
}

Result<void> ContractState::on(const tee_tee::MeasurementRevokedEvent& event) {
    TT_TRY(PoolRecord * pool, pool_at(event.pool));
    const auto found = pool->measurements.find(event.measurement);
    if (found == pool->measurements.end() || found->second.revoked) {
        return inconsistent("MeasurementRevoked", to_hex(event.measurement) + " is not accepted");
    }
    found->second.revoked = true;
    return {};
}

Result<void> ContractState::on(const tee_tee::CreatorOfferedEvent& event) {
    TT_TRY(PoolRecord * pool, pool_at(event.pool));
    pool->next_creator = event.next_creator;
    return {};
}

Result<void> ContractState::on(const tee_tee::CreatorChangedEvent& event) {
    TT_TRY(PoolRecord * pool, pool_at(event.pool));
    pool->creator = event.creator;
    pool->next_creator = {};
    return {};
}

Result<void> ContractState::on(const tee_tee::PoolClosedEvent& event) {
    TT_TRY(PoolRecord * pool, pool_at(event.pool));
    pool->closed = true;
    return {};
}

Result<void> ContractState::on(const tee_tee::NodeRegisteredEvent& event) {
    TT_TRY(const PoolRecord* pool, pool_at(event.pool));
    if (event.node != nodes_.size() + 1 || event.slot >= pool->slot_layers.size()) {
        return inconsistent("NodeRegistered", "have number " + std::to_string(event.node) +
                                                  " of slot " + std::to_string(event.slot) +
                                                  ", need number " +
                                                  std::to_string(nodes_.size() + 1));
    }
    if (!keys_.try_emplace(event.receipt_key, event.node).second)
        return inconsistent("NodeRegistered", "its receipt key is another node's");
    nodes_[event.node] = {.pool = event.pool,
                          .slot = event.slot,
                          .host = event.host,
                          .receipt_key = event.receipt_key,
                          .statement_hash = event.statement_hash,
                          .evidence_hash = event.evidence_hash,
                          .measurement = event.measurement,
                          .expiry = event.expiry,
                          .endpoint = event.endpoint};
    hosts_[{event.pool, event.host}].push_back(event.node);
    return {};
}

Result<void> ContractState::on(const tee_tee::NodeRenewedEvent& event) {
    TT_TRY(NodeRecord * node, node_at(event.node));
    if (node->left) return inconsistent("NodeRenewed", "the node has left");
    node->statement_hash = event.statement_hash;
    node->evidence_hash = event.evidence_hash;
    node->expiry = event.expiry;
    node->endpoint = event.endpoint;
    return {};
}

Result<void> ContractState::on(const tee_tee::NodeLeftEvent& event) {
    TT_TRY(NodeRecord * node, node_at(event.node));
    node->left = true;
    return {};
}

Result<void> ContractState::on(const tee_tee::CreditsBoughtEvent& event) {
    return add(accounts_[event.account].balance, event.amount);
}

Result<void> ContractState::on(const tee_tee::RefundRequestedEvent& event) {
    AccountRecord& account = accounts_[event.account];
    // The event has what is on its way in all.
    U256 added = event.amount;
    TT_CHECK(take(added, account.refund, "RefundRequested"));
    TT_CHECK(take(account.balance, added, "RefundRequested"));
    account.refund = event.amount;
    account.refund_ready_at = event.ready_at;
    return {};
}

Result<void> ContractState::on(const tee_tee::RefundCancelledEvent& event) {
    AccountRecord& account = accounts_[event.account];
    TT_CHECK(take(account.refund, event.amount, "RefundCancelled"));
    account.refund_ready_at = 0;
    return add(account.balance, event.amount);
}

Result<void> ContractState::on(const tee_tee::RefundPaidEvent& event) {
    AccountRecord& account = accounts_[event.account];
    account.refund_ready_at = 0;
    return take(account.refund, event.amount, "RefundPaid");
}

Result<void> ContractState::on(const tee_tee::VoucherOpenedEvent& event) {
    const auto [at, is_new] = vouchers_.try_emplace(event.voucher);
    if (!is_new) return inconsistent("VoucherOpened", to_hex(event.voucher) + " a second time");
    at->second = {.payer = event.payer,
                  .pool = event.pool,
                  .session_key = event.session_key,
                  .ceiling = event.ceiling,
                  .remaining = event.ceiling,
                  .expiry = event.expiry};
    return take(accounts_[event.payer].balance, event.ceiling, "VoucherOpened");
}

Result<void> ContractState::on(const tee_tee::VoucherEndedEvent& event) {
    TT_TRY(VoucherRecord * voucher, voucher_at(event.voucher));
    voucher->expiry = event.expiry;
    return {};
}

Result<void> ContractState::on(const tee_tee::VoucherReclaimedEvent& event) {
    TT_TRY(VoucherRecord * voucher, voucher_at(event.voucher));
    TT_CHECK(take(voucher->remaining, event.amount, "VoucherReclaimed"));
    voucher->reclaimed = true;
    return add(accounts_[voucher->payer].balance, event.amount);
}

Result<void> ContractState::on(const tee_tee::SpentEvent& event) {
    TT_TRY(VoucherRecord * voucher, voucher_at(event.voucher));
    TT_CHECK(take(voucher->remaining, event.paid, "Spent"));
    ClaimRecord& claim = voucher->claims[event.entry];
    TT_CHECK(add(claim.paid, event.paid));
    return add(claim.claimed, event.paid);
}

Result<void> ContractState::on(const tee_tee::SpentInVainEvent& event) {
    TT_TRY(VoucherRecord * voucher, voucher_at(event.voucher));
    return add(voucher->claims[event.entry].claimed, event.missing);
}

Result<void> ContractState::on(const tee_tee::QueryPaidEvent& event) {
    if (event.query != query_count_ + 1) {
        return inconsistent("QueryPaid", "have number " + std::to_string(event.query) + ", need " +
                                             std::to_string(query_count_ + 1));
    }
    query_count_ = event.query;
    queries_[event.query] = {.pool = event.pool,
                             .payer = event.payer,
                             .entry = event.entry,
                             .request_hash = event.request_hash,
                             .max_prompt_tokens = event.max_prompt_tokens,
                             .max_completion_tokens = event.max_completion_tokens,
                             .locked = event.locked,
                             .deadline = event.deadline};
    return {};
}

Result<void> ContractState::on(const tee_tee::QueryServedEvent& event) {
    TT_TRY(QueryRecord query, take_query(event.query));
    TT_CHECK(take(query.locked, event.paid, "QueryServed"));
    TT_CHECK(take(query.locked, event.returned, "QueryServed"));
    return add(accounts_[query.payer].balance, event.returned);
}

Result<void> ContractState::on(const tee_tee::QueryReclaimedEvent& event) {
    TT_TRY(QueryRecord query, take_query(event.query));
    TT_CHECK(take(query.locked, event.returned, "QueryReclaimed"));
    return add(accounts_[query.payer].balance, event.returned);
}

Result<void> ContractState::on(const tee_tee::AnchoredEvent& event) {
    const AnchorRecord anchor = {.pool = event.pool,
                                 .prompt_tokens = event.prompt_tokens,
                                 .completion_tokens = event.completion_tokens,
                                 .paid = event.paid,
                                 .block = block_};
    if (!anchors_.try_emplace({event.entry_node, event.receipts_root}, anchor).second)
        return inconsistent("Anchored", to_hex(event.receipts_root) + " a second time");
    return {};
}

Result<void> ContractState::on(const tee_tee::EarnedEvent& event) {
    TT_TRY(const NodeRecord* node, node_at(event.node));
    if (node->host != event.host) return inconsistent("Earned", "by another host's node");
    return add(accounts_[event.host].earnings, event.amount);
}

Result<void> ContractState::on(const tee_tee::FeeEarnedEvent& event) {
    return add(accounts_[event.creator].earnings, event.amount);
}

Result<void> ContractState::on(const tee_tee::EarningsWithdrawnEvent& event) {
    return take(accounts_[event.account].earnings, event.amount, "EarningsWithdrawn");
}

/// Anybody may announce whatever it likes, so that is not kept. Who announced something tries.
Result<void> ContractState::on(const tee_tee::SettlementAnnouncedEvent&) {
    return {};
}

}  // namespace teetee::chain
