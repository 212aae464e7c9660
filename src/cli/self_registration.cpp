// SPDX-License-Identifier: Apache-2.0
#include "cli/self_registration.hpp"

#include <algorithm>

#include "cli/revert_hint.hpp"
#include "crypto/hash.hpp"

namespace teetee::cli {
namespace {

constexpr Duration seen_after = std::chrono::seconds(3);

/// A renewal has an hour to get into the chain; of a statement that lives less, a quarter of that.
uint64_t soon_of(const attest::Statement& statement) {
    const UnixSeconds life = statement.not_after - statement.not_before;
    return static_cast<uint64_t>(std::clamp<UnixSeconds>(life / 4, 0, 3600));
}

std::string prefix_of(const crypto::Address& receipt_key) {
    return "node-" + to_hex(receipt_key) + "-";
}

}  // namespace

Result<RegistrationStep> next_step(const chain::ContractState& state,
                                   const chain::RegistrationFile& file,
                                   const attest::Statement& statement, uint64_t now,
                                   uint64_t soon) {
    const crypto::Address& receipt_key = statement.receipt_address;
    using Kind = RegistrationStep::Kind;
    const Digest hash = crypto::sha256(file.statement);
    const std::string key = prefix_of(receipt_key) + to_hex(hash);
    const chain::NodeRecord* node = state.node_of_key(receipt_key);
    if (node == nullptr) return RegistrationStep{Kind::enrol, 0, key};
    const uint64_t id = state.node_id_of_key(receipt_key);
    if (node->left || node->pool != file.pool || node->slot != file.slot) {
        return fail(ErrorCode::call_reverted,
                    "receipt key 0x" + to_hex(receipt_key) + " is of node " + std::to_string(id) +
                        (node->left ? ", which has left" : ", of another pool or slot") +
                        ": give this one a new folder, and it makes a new key");
    }
    // Nothing is gained by a statement that ends with the registration.
    const bool is_ending =
        now + soon >= node->expiry && static_cast<uint64_t>(statement.not_after) > node->expiry;
    if (node->statement_hash == hash && !is_ending) return RegistrationStep{};
    return RegistrationStep{Kind::renew, id, key + "-" + std::to_string(node->expiry)};
}

SelfRegistration::SelfRegistration(const World& world, Options options, node::ChainClient& chain,
                                   MakeFile make_file)
    : world_(world), options_(std::move(options)), chain_(chain), make_file_(std::move(make_file)) {
    // Later, when the caller has what it makes of this.
    timer_ = world_.loop.call_after(options_.interval, [this] { tick(); });
}

void SelfRegistration::tick() {
    timer_ = world_.loop.call_after(options_.interval, [this] { tick(); });
    if (world_.clock.now() < not_before_ || is_under_way()) return;
    const auto looked = look();
    tell(looked ? "" : looked.error().message());
    if (!looked && looked.error().code != ErrorCode::not_ready)
        not_before_ = world_.clock.now() + options_.pause;
}

/// What an earlier process has signed is on its way as well.
bool SelfRegistration::is_under_way() const {
    if (!pending_.empty()) return true;
    return std::ranges::any_of(chain_.sender()->in_flight(), [this](const chain::SentEntry& entry) {
        return entry.intent.key.starts_with(prefix_of(options_.receipt_key));
    });
}

Result<void> SelfRegistration::look() {
    // What is said of the chain must be recent; what is on it need not be settled to be built upon.
    TT_CHECK(chain_.money());
    const chain::ContractState& state = chain_.view().latest();
    chain::RegistrationFile file = make_file_();
    TT_TRY(const auto statement, attest::decode_statement(file.statement));
    RegistrationNeeds needs{.deployment = options_.target.deployment,
                            .wallet = options_.host,
                            .pool = state.pool(file.pool)};
    needs.now = std::max(static_cast<uint64_t>(world_.clock.unix_now()),
                         chain_.view().status().latest_timestamp);
    TT_TRY(const auto step, next_step(state, file, statement, needs.now, soon_of(statement)));
    if (step.kind == RegistrationStep::Kind::none) return {};
    needs.is_renewal = step.kind == RegistrationStep::Kind::renew;
    TT_TRY(const auto checked,
           checked_registration(std::move(file), needs, options_.verifier_kind, options_.target));
    TT_TRY(Bytes data, needs.is_renewal ? encode_renewal_call(checked, step.node)
                                        : encode_registration_call(checked));
    const auto failed = failures_.find(step.key);
    pending_ =
        step.key + (failed == failures_.end() ? "" : "-again-" + std::to_string(failed->second));
    world_.log.info(needs.is_renewal
                        ? "registration: node " + std::to_string(step.node) + " is being renewed"
                        : "registration: this node is being registered");
    auto submitted = chain_.submit(
        {.key = pending_, .to = options_.target.deployment.contract, .data = std::move(data)});
    if (!submitted) pending_.clear();
    return submitted;
}

void SelfRegistration::on_outcome(const chain::SendOutcome& outcome) {
    if (!outcome.key.starts_with(prefix_of(options_.receipt_key))) return;
    const bool is_own = outcome.key == pending_;
    if (is_own) pending_.clear();
    if (outcome.result) {
        failures_.clear();
        // The view is about to see it.
        not_before_ = world_.clock.now() + seen_after;
        return world_.log.info("registration: done in block " +
                               std::to_string(outcome.result->block_number));
    }
    if (is_own) ++failures_[outcome.key.substr(0, outcome.key.find("-again-"))];
    not_before_ = world_.clock.now() + options_.pause;
    tell(with_hint(outcome.result.error()).message());
}

void SelfRegistration::tell(const std::string& trouble) {
    if (trouble != told_ && !trouble.empty()) world_.log.error("registration: " + trouble);
    told_ = trouble;
}

}  // namespace teetee::cli
