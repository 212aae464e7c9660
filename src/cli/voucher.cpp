// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "chain/typed_data.hpp"
#include "cli/amount_text.hpp"
#include "cli/chain_commands.hpp"
#include "cli/payment_option.hpp"
#include "cli/voucher_commands.hpp"
#include "cli/wallet.hpp"

namespace teetee::cli {
namespace {

using chain::U256;
namespace calls = chain::tee_tee;

// VOUCHER_LIFE of contracts/src/Limits.sol; an hour less, for the transaction to come into a block.
constexpr uint64_t day_s = 24 * 3600;
constexpr uint64_t life_days_max = 30;
constexpr uint64_t life_slack_s = 3600;

struct OpenOptions : WalletOptions {
    uint64_t pool = 0;
    std::string session_key;
    /// Or: where a key and the voucher are written.
    std::string session_path;
    std::string ceiling;
    uint64_t days = 7;
};

struct VoucherOptions : WalletOptions {
    std::string id;
};

struct ShowOptions {
    ChainOption chain;
    std::string id;
};

Result<Digest> parse_id(const std::string& text) {
    const auto id = array_from_hex<32>(text);
    if (!id) return fail(ErrorCode::invalid_argument, "voucher: " + id.error().detail);
    return *id;
}

boost::json::object to_json(const Digest& id, const chain::VoucherRecord& voucher) {
    boost::json::array claims;
    for (const auto& [entry, claim] : voucher.claims) {
        claims.push_back({{"entry", chain::to_checksum_text(entry)},
                          {"claimed", claim.claimed.to_decimal()},
                          {"paid", claim.paid.to_decimal()}});
    }
    return {{"voucher", "0x" + to_hex(id)},
            {"payer", chain::to_checksum_text(voucher.payer)},
            {"pool", voucher.pool},
            {"session_key", chain::to_checksum_text(voucher.session_key)},
            {"ceiling", voucher.ceiling.to_decimal()},
            {"remaining", voucher.remaining.to_decimal()},
            {"expiry", voucher.expiry},
            {"reclaimed", voucher.reclaimed},
            {"claims", std::move(claims)}};
}

std::string line_of(const Digest& id, const chain::VoucherRecord& voucher, const U256& price) {
    return fmt::format("0x{}: pool {}, {} of {} left, {} {}\n", to_hex(id), voucher.pool,
                       credits_text(voucher.remaining, price), credits_text(voucher.ceiling, price),
                       voucher.reclaimed ? "reclaimed, ended" : "ends", time_text(voucher.expiry));
}

// ------------------------------------------------------------------------------------------ open

Result<void> ensure_credits(const Wallet& wallet, const U256& ceiling) {
    const U256 have = wallet.chain().state().account(wallet.account()).balance;
    const auto lacking = ceiling.minus(have);
    if (!lacking || lacking->is_zero()) return {};
    return fail(ErrorCode::call_reverted,
                fmt::format("have {}, need {}: teetee credits buy {}", wallet.worth(have),
                            ceiling.to_decimal(), lacking->to_decimal()));
}

/// A session file with a key of its own is there before the voucher is: what is paid for cannot be
/// lost.
struct NewSession {
    std::optional<client::PaymentSession> kept{};
    chain::Address address{};

    static Result<NewSession> open(const OpenOptions& options) {
        NewSession out;
        if (options.session_path.empty() == options.session_key.empty())
            return fail(ErrorCode::invalid_argument, "need either --session or --session-key");
        if (options.session_path.empty()) {
            TT_TRY(out.address, parse_account(options.session_key, "--session-key"));
            return out;
        }
        if (std::filesystem::exists(options.session_path)) {
            TT_TRY(out.kept, read_payment_session(options.session_path));
        } else {
            SystemRng rng;
            out.kept.emplace();
            rng.fill(out.kept->key.writable());
        }
        TT_TRY(const auto key, crypto::SecpKey::from_bytes(out.kept->key.view()));
        out.address = key.address();
        return out;
    }

    Result<void> write(const std::string& path, const chain::Deployment& deployment,
                       const calls::Voucher& voucher) {
        if (!kept) return {};
        kept->deployment = deployment;
        kept->pool = voucher.pool;
        kept->voucher = chain::voucher_digest(deployment, voucher);
        kept->ceiling = voucher.ceiling.to_u64().value_or(UINT64_MAX);
        kept->expiry = voucher.expiry;
        return write_payment_session(path, *kept);
    }
};

Result<void> ensure_unused(const Wallet& wallet, const NewSession& session,
                           const std::string& path) {
    if (!session.kept || wallet.chain().state().voucher(session.kept->voucher) == nullptr)
        return {};
    return fail(ErrorCode::invalid_argument, path + " holds voucher 0x" +
                                                 to_hex(session.kept->voucher) +
                                                 " already: name another file, or use that one");
}

Result<Order> order_voucher(const Wallet& wallet, const OpenOptions& options, NewSession& session,
                            const U256& ceiling) {
    const chain::Address& session_key = session.address;
    TT_CHECK(ensure_credits(wallet, ceiling));
    TT_TRY(const uint64_t now, wallet.chain().time());
    calls::Voucher voucher{
        .payer = wallet.account(),
        .pool = options.pool,
        .session_key = session_key,
        .ceiling = ceiling,
        .expiry = now + options.days * day_s - (options.days == life_days_max ? life_slack_s : 0)};
    SystemRng rng;
    rng.fill(voucher.salt);
    if (!options.send.is_dry_run)
        TT_CHECK(session.write(options.session_path, wallet.chain().target().deployment, voucher));
    const auto signature = wallet.key()->sign_recoverable(
        chain::voucher_digest(wallet.chain().target().deployment, voucher));
    Order order{.summary = fmt::format("reserve {} for session key {} in pool {}, until {}",
                                       wallet.worth(ceiling), chain::to_checksum_text(session_key),
                                       options.pool, time_text(voucher.expiry))};
    TT_TRY(order.data,
           calls::OpenVoucherCall{.voucher = voucher,
                                  .signature_ = Bytes(signature.begin(), signature.end())}
               .encode());
    return order;
}

Result<void> open(const OpenOptions& options, Session& session) {
    TT_TRY(auto new_session, NewSession::open(options));
    const chain::Address session_key = new_session.address;
    TT_TRY(const U256 ceiling, parse_credits(options.ceiling));
    TT_TRY(const auto wallet, Wallet::open(options));
    TT_TRY(const bool is_begun,
           wallet->is_begun(fmt::format("voucher open pool {} for {} of {} for {} days",
                                        options.pool, chain::to_checksum_text(session_key),
                                        ceiling.to_decimal(), options.days)));
    Order order;
    if (!is_begun) {
        TT_CHECK(ensure_unused(*wallet, new_session, options.session_path));
        TT_TRY(order, order_voucher(*wallet, options, new_session, ceiling));
    }
    TT_TRY(const auto paid, wallet->pay(order, session));
    if (!paid) return {};
    TT_TRY(const auto event, wallet->event_of<calls::VoucherOpenedEvent>(paid->inclusion));
    const std::string where =
        options.session_path.empty() ? "" : "teetee chat --payment " + options.session_path + "\n";
    const chain::VoucherRecord record{.payer = event.payer,
                                      .pool = event.pool,
                                      .session_key = event.session_key,
                                      .ceiling = event.ceiling,
                                      .remaining = event.ceiling,
                                      .expiry = event.expiry};
    wallet->tell(*paid,
                 "voucher " + line_of(event.voucher, record, wallet->wei_per_credit()) + where,
                 to_json(event.voucher, record), session);
    return {};
}

// ------------------------------------------------------------------------------------ show, list

Result<void> show(const ShowOptions& options, Session& session) {
    TT_TRY(const Digest id, parse_id(options.id));
    TT_TRY(const auto chain, open_view(options.chain));
    const chain::VoucherRecord* voucher = chain->state().voucher(id);
    if (voucher == nullptr) {
        return fail(ErrorCode::call_reverted,
                    "voucher 0x" + to_hex(id) + " was not opened: teetee voucher open");
    }
    if (session.json) {
        print_json(to_json(id, *voucher));
    } else {
        print_text(line_of(id, *voucher, chain->facts().wei_per_credit));
    }
    return {};
}

Result<void> list(const ViewOptions& options, Session& session) {
    TT_TRY(const auto account, options.account.resolve(options.wallet));
    TT_TRY(const auto chain, open_view(options.chain));
    boost::json::array vouchers;
    std::string text;
    for (const auto& [id, voucher] : chain->state().vouchers()) {
        if (voucher.payer != account) continue;
        vouchers.push_back(to_json(id, voucher));
        text += line_of(id, voucher, chain->facts().wei_per_credit);
    }
    if (session.json) {
        print_json({{"vouchers", std::move(vouchers)}});
    } else {
        print_text(text.empty() ? "no vouchers\n" : text);
    }
    return {};
}

// ---------------------------------------------------------------------------------- end, reclaim

Result<void> change(const VoucherOptions& options, Session& session, std::string_view verb,
                    Result<Bytes> data, std::string_view done) {
    TT_TRY(const auto wallet, Wallet::open(options));
    const std::string id = "0x" + options.id.substr(options.id.starts_with("0x") ? 2 : 0);
    TT_CHECK(wallet->is_begun(fmt::format("voucher {} {}", verb, id)));
    Order order{.summary = fmt::format("{} voucher {}", verb, id)};
    TT_TRY(order.data, std::move(data));
    TT_TRY(const auto paid, wallet->pay(order, session));
    if (!paid) return {};
    wallet->tell(*paid, fmt::format("voucher {} {}", id, done), {{"voucher", id}}, session);
    return {};
}

Result<void> end(const VoucherOptions& options, Session& session) {
    TT_TRY(const Digest id, parse_id(options.id));
    return change(options, session, "end", calls::EndVoucherCall{.id = id}.encode(),
                  "has ended; what entries do not claim within a week can be reclaimed");
}

Result<void> reclaim(const VoucherOptions& options, Session& session) {
    TT_TRY(const Digest id, parse_id(options.id));
    return change(options, session, "reclaim", calls::ReclaimVoucherCall{.id = id}.encode(),
                  "is reclaimed: what was left is in its payer's credits");
}

}  // namespace

void add_voucher(CLI::App& app, Session& session) {
    CLI::App* group =
        app.add_subcommand("voucher", "Let a session key spend credits in a pool, up to a ceiling");
    group->require_subcommand(1);

    auto open_options = std::make_shared<OpenOptions>();
    open_options->is_signing = true;
    CLI::App* command = add_command(*group, session, "open", "Reserve credits for a session key",
                                    open_options, open);
    command->add_option("--pool", open_options->pool, "The pool's number")->required();
    command->add_option(
        "--session", open_options->session_path,
        "File to write for 'teetee chat --payment': the voucher, and a new key that "
        "signs what is spent. Who has it can spend the voucher");
    command->add_option("--session-key", open_options->session_key,
                        "Or: address of a key of yours that will sign what is spent");
    command->add_option("--ceiling", open_options->ceiling, "Credits")->required();
    command->add_option("--days", open_options->days, "How long it may be spent")
        ->capture_default_str()
        ->check(CLI::Range(uint64_t(1), life_days_max));
    open_options->add_to(*command);
    add_voucher_header(*group, session);

    auto show_options = std::make_shared<ShowOptions>();
    command = add_command(*group, session, "show", "What is left of a voucher", show_options, show);
    command->add_option("voucher", show_options->id, "Its id, 32 bytes in hex")->required();
    show_options->chain.add_to(*command);

    auto list_options = std::make_shared<ViewOptions>();
    list_options->add_to(
        *add_command(*group, session, "list", "An account's vouchers", list_options, list));

    auto end_options = std::make_shared<VoucherOptions>();
    command = add_command(*group, session, "end", "End a voucher now", end_options, end);
    command->add_option("voucher", end_options->id, "Its id, 32 bytes in hex")->required();
    end_options->add_to(*command);

    auto reclaim_options = std::make_shared<VoucherOptions>();
    command = add_command(*group, session, "reclaim",
                          "Return what is left of a voucher, a week after its end", reclaim_options,
                          reclaim);
    command->add_option("voucher", reclaim_options->id, "Its id, 32 bytes in hex")->required();
    reclaim_options->add_to(*command);
}

}  // namespace teetee::cli
