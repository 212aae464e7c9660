// SPDX-License-Identifier: Apache-2.0
#include "node/ledger_file.hpp"

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "net/file.hpp"
#include "net/test_folder.hpp"

namespace teetee::node {
namespace {

using namespace billing;

class ledger_file : public testing::Test {
  protected:
    Result<std::unique_ptr<LedgerFile>> open() const {
        return LedgerFile::open(path, owner, key, rng);
    }

    static Charge charge(uint32_t number) {
        Charge out = {.voucher = {7},
                      .amount = 10 + number,
                      .prompt_tokens = 3,
                      .completion_tokens = 4,
                      .receipt = {0xee},
                      .nodes = {{1}, {2}},
                      .charged_at = 1'700'000'000};
        std::memcpy(out.request.bytes.data(), &number, sizeof number);
        return out;
    }
    static SpendAccount account(Credits charged) {
        SpendAccount out = {{{7}, UINT64_MAX, {}}, charged};
        out.signed_spend.signature.fill(0xab);
        return out;
    }

    net::TestFolder folder;
    std::string path = folder.path() + "/ledger.sqlite";
    LedgerFile::Owner owner = {.deployment = {84532, {0xc0}}, .pool = 3, .entry = {0x4e}};
    crypto::Secret<32> key{ByteArray<32>{1}};
    mutable SystemRng rng;
};

TEST_F(ledger_file, keeps_charges_accounts_and_receipts) {
    {
        const auto ledger = open().value();
        const SpendAccount after = account(11);
        ASSERT_TRUE(ledger->keep(charge(1), &after, as_bytes("a prompt")));
        Charge query = charge(2);
        query.voucher = {};
        query.query = 9;
        ASSERT_TRUE(ledger->keep(query, nullptr, as_bytes("another")));
    }
    const auto ledger = open().value();
    EXPECT_EQ(ledger->accounts().value(), std::vector<SpendAccount>{account(11)});
    EXPECT_EQ(ledger->queries().value(), std::vector<uint64_t>{9});
    const auto charges = ledger->unsettled(10).value();
    ASSERT_EQ(charges.size(), 2u);
    EXPECT_EQ(charges[0], charge(1));
    EXPECT_EQ(charges[1].query, 9u);
    EXPECT_EQ(ledger->unsettled(1)->size(), 1u);
    EXPECT_EQ(ledger->unsettled(9, charge(1).request).value(), std::vector<Charge>{charges[1]});
    EXPECT_TRUE(ledger->unsettled(9, charge(2).request)->empty());
    EXPECT_EQ(as_text(ledger->receipt(charge(2).request).value()), "another");
    EXPECT_TRUE(ledger->receipt({{99}}).value().empty());
    EXPECT_EQ(ledger->totals()->unsettled, 11u + 12u);
}

TEST_F(ledger_file, charges_a_request_and_a_query_once) {
    const auto ledger = open().value();
    const SpendAccount first = account(11);
    const SpendAccount second = account(22);
    ASSERT_TRUE(ledger->keep(charge(1), &first, {}));
    EXPECT_EQ(ledger->keep(charge(1), &second, {}).error().code, ErrorCode::ledger_failed);
    // The account is as before: all or nothing.
    EXPECT_EQ(ledger->accounts().value(), std::vector<SpendAccount>{first});
    Charge query = charge(2);
    query.query = 9;
    ASSERT_TRUE(ledger->keep(query, nullptr, {}));
    query.request = {{3}};
    EXPECT_FALSE(ledger->keep(query, nullptr, {}));
}

TEST_F(ledger_file, receipts_cannot_be_read_in_the_file) {
    {
        const auto ledger = open().value();
        ASSERT_TRUE(ledger->keep(charge(1), nullptr, as_bytes("a very secret prompt")));
    }
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
        const Bytes bytes = net::read_file(file.path(), 1 << 20).value();
        EXPECT_EQ(as_text(bytes).find("secret prompt"), std::string_view::npos);
        struct stat state {};
        ::stat(file.path().c_str(), &state);
        EXPECT_EQ(state.st_mode & 0777, 0600u) << file.path();
    }
    key = crypto::Secret<32>(ByteArray<32>{2});
    EXPECT_EQ(open().value()->receipt(charge(1).request).error().code, ErrorCode::decrypt_failed);
}

TEST_F(ledger_file, forgets_receipts_that_were_settled_long_ago) {
    const auto ledger = open().value();
    const auto settle = [&](const Charge& one) {
        const SettlementRecord record = {.receipts_root = one.receipt};
        const auto id = ledger->begin_settlement(record, std::vector<Charge>{one});
        return id && ledger->end_settlement(*id);
    };
    for (uint32_t i = 1; i <= 4; ++i) {
        Charge one = charge(i);
        if (i >= 3) one.charged_at += receipts_kept_s;
        if (i == 4) one.charged_at += 1;
        ASSERT_TRUE(ledger->keep(one, nullptr, as_bytes("a receipt")));
        if (i == 1) {
            ASSERT_TRUE(settle(one));
        }
    }
    Charge last = charge(4);
    last.charged_at += receipts_kept_s + 1;
    EXPECT_EQ(ledger->receipt(charge(1).request)->size(), 9u);
    ASSERT_TRUE(settle(last));
    EXPECT_TRUE(ledger->receipt(charge(1).request)->empty());
    EXPECT_EQ(ledger->receipt(charge(2).request)->size(), 9u) << "it is to be settled yet";
    EXPECT_EQ(ledger->receipt(charge(4).request)->size(), 9u);
    EXPECT_EQ(ledger->place_of(charge(1).request).value()->state, ChargeState::settled);
}

TEST_F(ledger_file, follows_a_settlement) {
    const auto ledger = open().value();
    const std::vector<Charge> charges = {charge(2), charge(1)};
    ASSERT_TRUE(ledger->keep(charge(1), nullptr, {}));
    ASSERT_TRUE(ledger->keep(charge(2), nullptr, {}));
    ASSERT_TRUE(ledger->keep(charge(3), nullptr, {}));
    SettlementRecord record = {
        .entry_node = 5, .receipts_root = {0x77}, .call = {1, 2, 3}, .begun_at = 12};
    record.id = ledger->begin_settlement(record, charges).value();
    EXPECT_EQ(ledger->open_settlements().value(), std::vector<SettlementRecord>{record});
    EXPECT_EQ(ledger->unsettled(10)->size(), 1u);
    // A charge belongs to one settlement.
    EXPECT_FALSE(ledger->begin_settlement(record, charges));
    EXPECT_EQ(ledger->open_settlements()->size(), 1u);
    const auto place = ledger->place_of(charge(1).request).value().value();
    EXPECT_EQ(place.state, ChargeState::settling);
    EXPECT_EQ(place.receipts_root, record.receipts_root);
    EXPECT_EQ(place.receipts.size(), 2u);
    ASSERT_TRUE(ledger->dissolve_settlement(record.id));
    EXPECT_EQ(ledger->unsettled(10)->size(), 3u);
    record.id = ledger->begin_settlement(record, charges).value();
    record.attempt = 2;
    record.stage = billing::SettlementStage::announced;
    record.call = {7};
    record.begun_at += 5;
    ASSERT_TRUE(ledger->update_settlement(record));
    EXPECT_EQ(ledger->open_settlements().value(), std::vector<SettlementRecord>{record});
    EXPECT_EQ(ledger->charges_of(record.id).value(), charges);
    ASSERT_TRUE(ledger->end_settlement(record.id));
    EXPECT_FALSE(ledger->end_settlement(record.id));
    EXPECT_FALSE(ledger->dissolve_settlement(record.id));
    EXPECT_FALSE(ledger->update_settlement(record));
    ASSERT_TRUE(ledger->give_up(charge(3).request));
    const LedgerTotals totals = ledger->totals().value();
    EXPECT_EQ(totals.charges, 3u);
    EXPECT_EQ(totals.settled, 11u + 12u);
    EXPECT_EQ(totals.given_up, 13u);
    EXPECT_EQ(ledger->place_of(charge(2).request).value()->state, ChargeState::settled);
    EXPECT_FALSE(ledger->place_of({{99}}).value());
}

TEST_F(ledger_file, knows_of_what_was_dissolved_and_of_what_was_settled_too_soon) {
    const auto ledger = open().value();
    const std::vector<Charge> charges = {charge(1), charge(2)};
    for (const Charge& one : charges) ASSERT_TRUE(ledger->keep(one, nullptr, {}));
    SettlementRecord first = {.receipts_root = {0x77}, .call = {1, 2, 3}, .begun_at = 12};
    first.id = ledger->begin_settlement(first, charges).value();
    ASSERT_TRUE(ledger->dissolve_settlement(first.id));
    SettlementRecord without_call = first;
    without_call.call = {};
    EXPECT_EQ(ledger->dissolved_settlements().value(), std::vector<SettlementRecord>{without_call});
    SettlementRecord second = {.receipts_root = {0x78}, .begun_at = 13};
    second.id = ledger->begin_settlement(second, std::span(charges).first(1)).value();
    ASSERT_TRUE(ledger->give_up(charge(2).request));
    // The contract has the first one after all.
    ASSERT_TRUE(ledger->end_settlement(first.id));
    EXPECT_TRUE(ledger->dissolved_settlements()->empty());
    EXPECT_EQ(ledger->totals()->settled, 11u + 12u);
    const auto place = ledger->place_of(charge(1).request).value().value();
    EXPECT_EQ(place.receipts_root, first.receipts_root);
    EXPECT_EQ(place.receipts.size(), 2u);
    ASSERT_TRUE(ledger->dissolve_settlement(second.id));
    EXPECT_TRUE(ledger->dissolved_settlements()->empty()) << "nothing is left that it could claim";
    EXPECT_EQ(ledger->totals()->settled, 11u + 12u);
    // And then it has it no more.
    EXPECT_TRUE(ledger->settled_settlements(13)->empty());
    EXPECT_EQ(ledger->settled_settlements(12).value(), std::vector<SettlementRecord>{without_call});
    first.attempt = 2;
    EXPECT_FALSE(ledger->reopen_settlement(second.id));
    EXPECT_EQ(ledger->reopen_settlement(first.id).value(), first);
    EXPECT_EQ(ledger->open_settlements().value(), std::vector<SettlementRecord>{first});
    EXPECT_EQ(ledger->totals()->settling, 11u + 12u);
    EXPECT_EQ(ledger->charges_of(first.id).value(), charges);
}

TEST_F(ledger_file, changes_of_state_do_not_write_receipts) {
    const auto ledger = open().value();
    ASSERT_TRUE(ledger->keep(charge(1), nullptr, Bytes(4 << 20, 0x5a)));
    const auto written = [&] { return std::filesystem::file_size(path + "-wal"); };
    const auto before = written();
    const SettlementRecord record = {.receipts_root = {0x77}, .call = {1}};
    for (int i = 0; i < 4; ++i) {
        const auto id = ledger->begin_settlement(record, std::vector<Charge>{charge(1)});
        ASSERT_TRUE(id && ledger->dissolve_settlement(*id));
    }
    EXPECT_LT(written() - std::min(before, written()), 1u << 20);
}

TEST_F(ledger_file, an_account_is_found_by_its_voucher) {
    const auto ledger = open().value();
    const SpendAccount after = account(11);
    ASSERT_TRUE(ledger->keep(charge(1), &after, {}));
    EXPECT_EQ(ledger->account({7}).value(), after);
    EXPECT_FALSE(ledger->account({8}).value());
}

TEST_F(ledger_file, refuses_what_is_not_its_own) {
    {
        const auto ledger = open().value();
        // One process at a time.
        EXPECT_EQ(open().error().code, ErrorCode::ledger_failed);
    }
    owner.entry = {0x4f};
    EXPECT_EQ(open().error().code, ErrorCode::config_invalid);
    owner.entry = {0x4e};
    {
        auto database = Sqlite::open(path).value();
        ASSERT_TRUE(database.run("PRAGMA user_version = 99"));
    }
    EXPECT_EQ(open().error().detail, path + ": have version 99, need 2");
    std::ofstream(path, std::ios::trunc) << "this is no database, whatever its name says, no no";
    EXPECT_EQ(open().error().code, ErrorCode::ledger_failed);
}

TEST_F(ledger_file, a_kill_at_any_moment_leaves_a_whole_ledger) {
    uint32_t next = 0;
    for (int round = 0; round < 12; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            const auto ledger = open();
            if (!ledger) ::_exit(1);
            for (uint32_t i = next;; ++i) {
                Credits sum = 0;
                for (uint32_t j = 0; j <= i; ++j) sum += charge(j).amount;
                const SpendAccount after = account(sum);
                if (!(*ledger)->keep(charge(i), &after, as_bytes("receipt"))) ::_exit(2);
            }
        }
        ::usleep(20'000 + static_cast<useconds_t>(round) * 7'919);
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
        const auto ledger = open().value();
        const auto charges = ledger->unsettled(100'000).value();
        Credits sum = 0;
        for (const Charge& one : charges) sum += one.amount;
        const auto accounts = ledger->accounts().value();
        EXPECT_EQ(accounts.empty() ? 0 : accounts[0].charged, sum);
        next = static_cast<uint32_t>(charges.size());
    }
    EXPECT_GT(next, 0u);
}

}  // namespace
}  // namespace teetee::node
