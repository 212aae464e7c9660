// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Nodes} from "../src/Nodes.sol";
import {Pools} from "../src/Pools.sol";
import {Queries} from "../src/Queries.sol";
import {Settlement} from "../src/Settlement.sol";
import {TeeTee} from "../src/TeeTee.sol";
import {Vouchers} from "../src/Vouchers.sol";
import "../src/Errors.sol";
import {Network} from "./support/Network.sol";
import {eq, vm} from "./support/Vm.sol";

contract SettlementTest is Network {
    event Spent(bytes32 indexed voucher, address indexed entry, uint128 paid);
    event SpentInVain(bytes32 indexed voucher, address indexed entry, uint128 missing);
    event Anchored(
        uint64 indexed pool,
        uint64 indexed entryNode,
        bytes32 indexed receiptsRoot,
        uint64 promptTokens,
        uint64 completionTokens,
        uint128 paid
    );
    event Earned(uint64 indexed pool, uint64 indexed node, address indexed host, uint128 amount);
    event FeeEarned(uint64 indexed pool, address indexed creator, uint128 amount);

    bytes32 private voucher;

    function setUp() public {
        setUpNetwork();
        voucher = openVoucher(1000, 1);
    }

    function test_revenue_is_split_by_layers_and_tokens() public {
        Settlement.Batch memory batch = spendBatch(voucher, 407, 407);
        eq(teetee.settlementDigest(batch), settlementDigest(batch));
        vm.expectEmit();
        emit Spent(voucher, entryAddress, 407);
        vm.expectEmit();
        emit Anchored(pool, nodes[0], batch.receiptsRoot, 100, 100, 407);
        vm.expectEmit();
        emit FeeEarned(pool, creator, 20);
        vm.expectEmit();
        emit Earned(pool, nodes[0], alice, 130);
        vm.expectEmit();
        emit Earned(pool, nodes[1], bob, 154);
        vm.expectEmit();
        emit Earned(pool, nodes[2], carol, 103);
        teetee.settle(batch);
        // 387 by 10, 12 and 8 of 30 layers is 129, 154.8 and 103.2; what rounding leaves is the
        // entry's.
        eq(teetee.earningsOf(alice), 130);
        eq(teetee.earningsOf(bob), 154);
        eq(teetee.earningsOf(carol), 103);
        eq(teetee.earningsOf(creator), 20);
        eq(_remaining(), 593);
        eq(teetee.claimedOf(voucher, entryAddress), 407);
        eq(teetee.anchoredAt(nodes[0], batch.receiptsRoot), NOW);
    }

    function test_the_sum_of_the_splits_is_the_payment(
        uint128 amount,
        uint16 feeBps,
        uint32 share,
        uint16[3] memory layers
    ) public {
        Pools.PoolConfig memory made = config(verifier);
        made.feeBps = feeBps % 2001;
        for (uint256 i = 0; i < 3; ++i) {
            made.slotLayers[i] = uint16(uint256(layers[i]) % 65_535) + 1;
        }
        made.prices = Pools.Prices(type(uint64).max, type(uint64).max);
        pool = createPool(made);
        amount = uint128(uint256(amount) % type(uint64).max) + 1;
        uint64[] memory ids = new uint64[](4);
        uint256[] memory by = new uint256[](4);
        for (uint256 i = 0; i < 4; ++i) {
            by[i] = 0xF0 + i;
            ids[i] = register(address(uint160(0xFF00 + i)), uint16(i % 3), by[i]);
        }
        bytes32 id = openVoucher(amount, 5);
        Settlement.Batch memory batch = batchOf(ids[0], 7_000_000, 1_000_000);
        workOf(batch, ids);
        batch.work[0].tokens = uint64(uint256(share) % 8_000_001);
        batch.work[3].tokens = 8_000_000 - batch.work[0].tokens;
        batch.spends = new Vouchers.SpendClaim[](1);
        batch.spends[0] = spend(id, by[0], amount, amount);
        batch.total = amount;
        signWork(batch, by);
        teetee.settle(batch);
        uint256 sum = teetee.earningsOf(creator);
        eq(sum, uint256(amount) * made.feeBps / 10_000);
        for (uint256 i = 0; i < 4; ++i) {
            sum += teetee.earningsOf(address(uint160(0xFF00 + i)));
        }
        eq(sum, amount);
    }

    function test_claims_are_cumulative() public {
        settleSpend(voucher, 100, 100);
        settleSpend(voucher, 250, 150);
        eq(_remaining(), 750);
        eq(teetee.claimedOf(voucher, entryAddress), 250);
    }

    function test_nothing_is_settled_twice() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 100);
        teetee.settle(batch);
        _refused(
            batch,
            abi.encodeWithSelector(
                Settlement.AlreadyAnchored.selector, nodes[0], batch.receiptsRoot, NOW
            )
        );
        _refused(
            spendBatch(voucher, 100, 100),
            abi.encodeWithSelector(Vouchers.NothingToClaim.selector, 0, 100, 101)
        );
        _refused(
            spendBatch(voucher, 99, 99),
            abi.encodeWithSelector(Vouchers.NothingToClaim.selector, 0, 99, 101)
        );
    }

    function test_a_claim_twice_in_a_batch_counts_once() public {
        Settlement.Batch memory batch = plainBatch();
        batch.spends = new Vouchers.SpendClaim[](2);
        batch.spends[0] = batch.spends[1] = spend(voucher, ENTRY_KEY, 100, 100);
        batch.total = 200;
        signWork(batch, keys);
        _refused(batch, abi.encodeWithSelector(Vouchers.NothingToClaim.selector, 1, 100, 101));
    }

    function test_less_may_be_claimed_than_was_signed_for_but_not_more() public {
        Settlement.Batch memory batch = plainBatch();
        batch.spends = new Vouchers.SpendClaim[](1);
        batch.spends[0] = spend(voucher, ENTRY_KEY, 60, 100);
        batch.total = 60;
        signWork(batch, keys);
        teetee.settle(batch);
        eq(_remaining(), 940);
        batch = plainBatch();
        batch.spends = new Vouchers.SpendClaim[](1);
        batch.spends[0] = spend(voucher, ENTRY_KEY, 101, 100);
        batch.total = 41;
        signWork(batch, keys);
        _refused(batch, abi.encodeWithSelector(Vouchers.ClaimAboveSigned.selector, 0, 101, 100));
    }

    function test_only_the_session_key_spends_and_for_one_entry() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 100);
        (batch.spends[0].r, batch.spends[0].vs) =
            signCompact(PAYER_KEY, spendDigest(voucher, entryAddress, 100));
        _refused(
            batch, abi.encodeWithSelector(Vouchers.WrongSessionKey.selector, 0, payer, session)
        );
        (batch.spends[0].r, batch.spends[0].vs) = (0, 0);
        _refused(
            batch, abi.encodeWithSelector(Vouchers.WrongSessionKey.selector, 0, address(0), session)
        );
        batch.spends[0] = spend(voucher, MIDDLE_KEY, 100, 100);
        _refusedAs(batch, Vouchers.WrongSessionKey.selector);
        batch.spends[0] = spend(voucher, ENTRY_KEY, 100, 100);
        batch.spends[0].signed = 101;
        _refusedAs(batch, Vouchers.WrongSessionKey.selector);
        bytes32 second = openVoucher(1000, 2);
        batch = plainBatch();
        batch.spends = new Vouchers.SpendClaim[](1);
        batch.spends[0] = spend(voucher, ENTRY_KEY, 100, 100);
        batch.spends[0].voucher = second;
        batch.total = 100;
        signWork(batch, keys);
        _refusedAs(batch, Vouchers.WrongSessionKey.selector);
    }

    function test_a_voucher_is_for_one_pool() public {
        uint64 first = pool;
        pool = createPool(config(verifier));
        bytes32 other = openVoucher(100, 3);
        pool = first;
        _refused(
            spendBatch(other, 100, 100),
            abi.encodeWithSelector(Vouchers.WrongPool.selector, 0, first + 1, first)
        );
        _refused(
            spendBatch(keccak256("none"), 100, 100),
            abi.encodeWithSelector(Vouchers.WrongPool.selector, 0, 0, first)
        );
    }

    function test_a_voucher_is_settled_until_it_is_reclaimed() public {
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(NOW + 9 days);
            address host = teetee.nodeInfo(nodes[i]).host;
            Nodes.Renewal memory again = renewal(host, nodes[i], keys[i]);
            vm.prank(host);
            teetee.renewNode(nodes[i], again);
        }
        settleSpend(voucher, 100, 100);
        Settlement.Batch memory batch = spendBatch(voucher, 200, 100);
        teetee.reclaimVoucher(voucher);
        eq(teetee.balanceOf(payer), 900);
        vm.expectEmit();
        emit SpentInVain(voucher, entryAddress, 100);
        teetee.settle(batch);
        eq(teetee.balanceOf(payer), 900);
        eq(_remaining(), 0);
    }

    function test_a_signed_sum_counts_after_the_payer_ended_the_voucher() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 100);
        vm.prank(payer);
        teetee.endVoucher(voucher);
        vm.warp(NOW + 7 days);
        teetee.settle(batch);
        eq(_remaining(), 900);
    }

    function test_every_field_of_a_settlement_is_signed() public {
        uint64 query = payQuery();
        Settlement.Batch memory batch = _mixedBatch(query);
        batch.promptTokens += 1;
        _unsigned(batch);
        batch = _mixedBatch(query);
        batch.completionTokens += 1;
        _unsigned(batch);
        batch = _mixedBatch(query);
        batch.total += 1;
        _unsigned(batch);
        batch = _mixedBatch(query);
        batch.receiptsRoot = keccak256("other");
        _unsigned(batch);
        batch = _mixedBatch(query);
        batch.spends[0] = spend(voucher, ENTRY_KEY, 101, 101);
        _unsigned(batch);
        batch = _mixedBatch(query);
        batch.spends[0].voucher = bytes32(uint256(1));
        _unsigned(batch);
        batch = _mixedBatch(query);
        batch.queries[0].amount += 1;
        _unsigned(batch);
        batch = _mixedBatch(query);
        batch.queries[0].query += 1;
        _unsigned(batch);
        batch = _mixedBatch(query);
        batch.work[1].tokens += 1;
        _unsigned(batch);
        batch = _mixedBatch(query);
        batch.entryNode = nodes[1];
        _unsigned(batch);
        batch = _mixedBatch(query);
        vm.chainId(8453);
        _unsigned(batch);
    }

    function test_a_settlement_does_not_count_for_another_contract() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 100);
        teetee = deploy();
        createPool(config(verifier));
        register(alice, 0, ENTRY_KEY);
        register(bob, 1, MIDDLE_KEY);
        register(carol, 2, TAIL_KEY);
        openVoucher(1000, 1);
        _refusedAs(batch, Settlement.NodeUnsigned.selector);
    }

    function test_the_entry_and_every_stage_sign() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 100);
        bytes32 digest = settlementDigest(batch);
        (batch.work[1].r, batch.work[1].vs) = signCompact(ENTRY_KEY, digest);
        _refused(
            batch,
            abi.encodeWithSelector(
                Settlement.NodeUnsigned.selector, 1, entryAddress, vm.addr(MIDDLE_KEY)
            )
        );
        batch = spendBatch(voucher, 100, 100);
        (batch.work[0].r, batch.work[0].vs) = (0, 0);
        _refused(
            batch,
            abi.encodeWithSelector(Settlement.NodeUnsigned.selector, 0, address(0), entryAddress)
        );
    }

    function test_high_s_is_no_signature() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 100);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(ENTRY_KEY, settlementDigest(batch));
        uint256 n = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        batch.work[0].r = r;
        // The other s has its top bit taken by the parity; any value of that form is another's.
        batch.work[0].vs = bytes32((n - uint256(s)) | (v == 27 ? uint256(1) << 255 : 0));
        _refusedAs(batch, Settlement.NodeUnsigned.selector);
    }

    function test_an_absent_stage_holds_nobody_up_for_longer_than_a_day(address by) public {
        Settlement.Batch memory batch = spendBatch(voucher, 300, 300);
        (batch.work[1].r, batch.work[1].vs) = (0, 0);
        _refused(batch, abi.encodeWithSelector(Settlement.AbsentTooSoon.selector, 1, NOW, 1 days));
        bytes32 digest = settlementDigest(batch);
        vm.prank(by);
        teetee.announceSettlement(digest);
        eq(teetee.announcedAt(digest), NOW);
        vm.expectRevert(abi.encodeWithSelector(Settlement.AlreadyAnnounced.selector, digest, NOW));
        teetee.announceSettlement(digest);
        vm.warp(NOW + 1 days - 1);
        _refused(
            batch,
            abi.encodeWithSelector(
                Settlement.AbsentTooSoon.selector, 1, NOW + 1 days - 1, NOW + 1 days
            )
        );
        vm.warp(NOW + 1 days);
        batch.work[2].tokens -= 1;
        _refusedAs(batch, Settlement.NodeUnsigned.selector);
        batch.work[2].tokens += 1;
        (bytes32 r, bytes32 vs) = (batch.work[0].r, batch.work[0].vs);
        (batch.work[0].r, batch.work[0].vs) = (0, 0);
        _refusedAs(batch, Settlement.NodeUnsigned.selector);
        (batch.work[0].r, batch.work[0].vs) = (r, vs);
        batch.work[1].vs = bytes32(uint256(1));
        _refusedAs(batch, Settlement.NodeUnsigned.selector);
        (batch.work[1].r, batch.work[1].vs) = (bytes32(uint256(1)), 0);
        _refusedAs(batch, Settlement.NodeUnsigned.selector);
        batch.work[1].r = 0;
        teetee.settle(batch);
        eq(teetee.earningsOf(bob), 114);
    }

    function test_every_slot_did_every_token() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 100);
        batch.work[2].tokens = 199;
        signWork(batch, keys);
        _refused(batch, abi.encodeWithSelector(Settlement.SlotTokens.selector, 2, 199, 200));
        batch.work[2].tokens = 201;
        signWork(batch, keys);
        _refused(batch, abi.encodeWithSelector(Settlement.SlotTokens.selector, 2, 201, 200));
        uint64[] memory two = new uint64[](2);
        (two[0], two[1]) = (nodes[0], nodes[2]);
        uint256[] memory by = new uint256[](2);
        (by[0], by[1]) = (ENTRY_KEY, TAIL_KEY);
        workOf(batch, two);
        signWork(batch, by);
        _refused(batch, abi.encodeWithSelector(Settlement.SlotTokens.selector, 1, 0, 200));
    }

    function test_the_entry_is_of_slot_zero_and_at_work() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 100);
        batch.entryNode = nodes[1];
        signWork(batch, keys);
        _refused(batch, abi.encodeWithSelector(Settlement.EntryNotAtWork.selector, nodes[1]));
        batch.entryNode = register(alice, 0, 0xE9);
        signWork(batch, keys);
        _refused(batch, abi.encodeWithSelector(Settlement.EntryNotAtWork.selector, batch.entryNode));
    }

    function test_nodes_stand_in_order_and_are_of_the_pool() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 100);
        batch.work[1].node = nodes[0];
        signWork(batch, keys);
        _refused(batch, abi.encodeWithSelector(Settlement.NodesOutOfOrder.selector, 1));
        batch.work[1].node = nodes[2];
        batch.work[2].node = nodes[1];
        _refusedAs(batch, Settlement.NodeUnsigned.selector);
        batch = spendBatch(voucher, 100, 100);
        batch.work[2].node = 99;
        signWork(batch, keys);
        _refused(batch, abi.encodeWithSelector(UnknownNode.selector, 99));
        uint64 first = pool;
        pool = createPool(config(verifier));
        uint64 foreign = register(carol, 2, 0xE9);
        pool = first;
        batch.work[2].node = foreign;
        keys[2] = 0xE9;
        signWork(batch, keys);
        _refused(
            batch,
            abi.encodeWithSelector(Settlement.NodeOfAnotherPool.selector, 2, first + 1, first)
        );
        batch.pool = 77;
        _refused(batch, abi.encodeWithSelector(UnknownPool.selector, 77));
    }

    function test_work_is_settled_for_a_week_after_a_node_is_gone() public {
        vm.prank(bob);
        teetee.leaveNode(nodes[1]);
        vm.warp(NOW + 7 days);
        settleSpend(voucher, 100, 100);
        Settlement.Batch memory batch = spendBatch(voucher, 200, 100);
        vm.warp(NOW + 7 days + 1);
        _refused(batch, abi.encodeWithSelector(TooLate.selector, NOW + 7 days + 1, NOW + 7 days));
    }

    function test_revoked_code_settles_for_an_hour() public {
        vm.prank(creator);
        teetee.revokeMeasurement(pool, CODE);
        vm.warp(NOW + 1 hours);
        settleSpend(voucher, 100, 100);
        Settlement.Batch memory batch = spendBatch(voucher, 200, 100);
        vm.warp(NOW + 1 hours + 1);
        _refused(batch, abi.encodeWithSelector(Pools.MeasurementIsRevoked.selector, CODE, NOW));
    }

    function test_a_closed_pool_settles() public {
        vm.prank(creator);
        teetee.closePool(pool);
        settleSpend(voucher, 100, 100);
        eq(_remaining(), 900);
    }

    function test_no_more_is_claimed_than_tokens_cost() public {
        settleSpend(voucher, 500, 500);
        _refused(
            spendBatch(voucher, 1001, 501),
            abi.encodeWithSelector(Settlement.AboveThePrice.selector, 501, 500)
        );
    }

    function test_work_at_the_old_price_is_settled_for_a_day() public {
        _announce(1, 9);
        vm.warp(NOW + 1 hours - 1);
        _capIs(500);
        vm.warp(NOW + 1 hours);
        // The higher of each: 2 and 9.
        _capIs(1100);
        vm.warp(NOW + 25 hours - 1);
        _capIs(1100);
        vm.warp(NOW + 25 hours);
        _capIs(1000);
        _announce(9, 1);
        vm.warp(NOW + 26 hours);
        _capIs(1800);
        vm.warp(NOW + 50 hours);
        _capIs(1000);
    }

    function test_the_total_is_that_of_the_claims() public {
        Settlement.Batch memory batch = spendBatch(voucher, 100, 101);
        _refused(batch, abi.encodeWithSelector(Settlement.TotalMismatch.selector, 101, 100));
        batch = spendBatch(voucher, 100, 99);
        _refused(batch, abi.encodeWithSelector(Settlement.TotalMismatch.selector, 99, 100));
    }

    function test_receipts_of_free_use_are_anchored() public {
        Settlement.Batch memory batch = plainBatch();
        signWork(batch, keys);
        teetee.settle(batch);
        eq(teetee.anchoredAt(nodes[0], batch.receiptsRoot), NOW);
        eq(teetee.earningsOf(alice), 0);
    }

    function test_a_pool_without_fee_pays_none() public {
        Pools.PoolConfig memory made = config(verifier);
        made.feeBps = 0;
        pool = createPool(made);
        (nodes[0], nodes[1], nodes[2]) =
        (register(alice, 0, 0xD1), register(bob, 1, 0xD2), register(carol, 2, 0xD3));
        keys = [0xD1, 0xD2, 0xD3];
        voucher = openVoucher(2, 9);
        Settlement.Batch memory batch = plainBatch();
        batch.spends = new Vouchers.SpendClaim[](1);
        batch.spends[0] = spend(voucher, 0xD1, 1, 1);
        batch.total = 1;
        signWork(batch, keys);
        teetee.settle(batch);
        eq(teetee.earningsOf(creator), 0);
        eq(teetee.earningsOf(alice), 1);
        eq(teetee.earningsOf(bob), 0);
    }

    function test_refuses_unsound_batches() public {
        Settlement.Batch memory batch = plainBatch();
        batch.receiptsRoot = 0;
        _refused(batch, abi.encodeWithSelector(ZeroHash.selector));
        batch = batchOf(nodes[0], 0, 0);
        _refused(batch, abi.encodeWithSelector(Settlement.NoTokens.selector));
        batch = batchOf(nodes[0], 0, 1);
        _refused(batch, abi.encodeWithSelector(Settlement.EntryNotAtWork.selector, nodes[0]));
        batch.work = new Settlement.Work[](129);
        _refused(batch, abi.encodeWithSelector(WrongLength.selector, 129, 128));
        batch.spends = new Vouchers.SpendClaim[](200);
        batch.queries = new Queries.QueryClaim[](57);
        _refused(batch, abi.encodeWithSelector(WrongLength.selector, 257, 256));
    }

    function test_prompts_without_completion_are_settled() public {
        Settlement.Batch memory batch = batchOf(nodes[0], 50, 0);
        workOf(batch, nodes);
        batch.spends = new Vouchers.SpendClaim[](1);
        batch.spends[0] = spend(voucher, ENTRY_KEY, 100, 100);
        batch.total = 100;
        signWork(batch, keys);
        teetee.settle(batch);
        eq(_remaining(), 900);
    }

    function _mixedBatch(uint64 query) private returns (Settlement.Batch memory batch) {
        batch = spendBatch(voucher, 100, 100);
        batch.queries = new Queries.QueryClaim[](1);
        batch.queries[0] = Queries.QueryClaim(query, 50);
        batch.total = 150;
        signWork(batch, keys);
    }

    function _remaining() private view returns (uint256 remaining) {
        (, remaining,,,) = teetee.voucherOf(voucher);
    }

    function _announce(uint64 prompt, uint64 completion) private {
        vm.prank(creator);
        teetee.announcePrices(pool, Pools.Prices(prompt, completion));
    }

    /// @dev A batch of 100 and 100 tokens can claim so much and no more.
    function _capIs(uint128 most) private {
        uint256 before = vm.snapshotState();
        bytes32 rich = openVoucher(5000, 77);
        Settlement.Batch memory batch = spendBatch(rich, most + 1, most + 1);
        _refused(batch, abi.encodeWithSelector(Settlement.AboveThePrice.selector, most + 1, most));
        settleSpend(rich, most, most);
        vm.revertToState(before);
    }

    function _refused(Settlement.Batch memory batch, bytes memory refusal) private {
        vm.expectRevert(refusal);
        teetee.settle(batch);
    }

    function _unsigned(Settlement.Batch memory batch) private {
        _refusedAs(batch, Settlement.NodeUnsigned.selector);
    }

    function _refusedAs(Settlement.Batch memory batch, bytes4 selector) private {
        try teetee.settle(batch) {
            revert("settled");
        } catch (bytes memory reason) {
            eq(bytes32(bytes4(reason)), bytes32(selector));
        }
    }
}
