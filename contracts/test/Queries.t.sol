// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pools} from "../src/Pools.sol";
import {Queries} from "../src/Queries.sol";
import {Settlement} from "../src/Settlement.sol";
import "../src/Errors.sol";
import {Network} from "./support/Network.sol";
import {eq, vm} from "./support/Vm.sol";

contract QueriesTest is Network {
    event QueryPaid(
        uint64 indexed query,
        uint64 indexed pool,
        address indexed payer,
        address entry,
        bytes32 requestHash,
        uint32 maxPromptTokens,
        uint32 maxCompletionTokens,
        uint128 locked,
        uint64 deadline
    );
    event QueryServed(uint64 indexed query, address indexed payer, uint128 paid, uint128 returned);
    event QueryReclaimed(uint64 indexed query, address indexed payer, uint128 returned);

    function setUp() public {
        setUpNetwork();
        vm.deal(address(this), 1 ether);
    }

    function test_a_query_locks_its_highest_price() public {
        vm.deal(payer, 35 * WEI);
        uint64 deadline = uint64(NOW + 1 hours);
        vm.expectEmit();
        emit QueryPaid(1, pool, payer, entryAddress, keccak256("request"), 10, 5, 35, deadline);
        vm.prank(payer);
        uint64 id = teetee.payQuery{value: 35 * WEI}(
            pool, entryAddress, keccak256("request"), 10, 5, deadline
        );
        eq(id, 1);
        eq(teetee.queryCount(), 1);
        (address from, uint96 locked, address entry, uint48 until) = teetee.queryOf(id);
        eq(from, payer);
        eq(locked, 35);
        eq(entry, entryAddress);
        eq(until, deadline);
        eq(address(teetee).balance, 35 * WEI);
    }

    function test_the_value_is_exactly_the_price() public {
        bytes32 request = keccak256("request");
        uint64 deadline = uint64(NOW + 1 hours);
        vm.expectRevert(abi.encodeWithSelector(WrongPayment.selector, 35 * WEI - 1, 35 * WEI));
        teetee.payQuery{value: 35 * WEI - 1}(pool, entryAddress, request, 10, 5, deadline);
        vm.expectRevert(abi.encodeWithSelector(WrongPayment.selector, 36 * WEI, 35 * WEI));
        teetee.payQuery{value: 36 * WEI}(pool, entryAddress, request, 10, 5, deadline);
        vm.expectRevert(ZeroAmount.selector);
        teetee.payQuery(pool, entryAddress, request, 0, 0, deadline);
        vm.prank(creator);
        teetee.announcePrices(pool, Pools.Prices(4, 6));
        vm.warp(NOW + 1 hours);
        deadline = uint64(NOW + 2 hours);
        vm.expectRevert(abi.encodeWithSelector(WrongPayment.selector, 35 * WEI, 70 * WEI));
        teetee.payQuery{value: 35 * WEI}(pool, entryAddress, request, 10, 5, deadline);
    }

    function test_only_a_live_entry_of_the_pool_is_paid() public {
        bytes32 request = keccak256("request");
        uint64 deadline = uint64(NOW + 1 hours);
        vm.expectRevert(abi.encodeWithSelector(UnknownNode.selector, 0));
        teetee.payQuery{value: 35 * WEI}(pool, address(5), request, 10, 5, deadline);
        vm.expectRevert(abi.encodeWithSelector(Queries.NotAnEntry.selector, nodes[1]));
        teetee.payQuery{value: 35 * WEI}(pool, vm.addr(MIDDLE_KEY), request, 10, 5, deadline);
        uint64 second = createPool(config(verifier));
        vm.expectRevert(abi.encodeWithSelector(Queries.NotAnEntry.selector, nodes[0]));
        teetee.payQuery{value: 35 * WEI}(second, entryAddress, request, 10, 5, deadline);
        vm.prank(alice);
        teetee.leaveNode(nodes[0]);
        vm.expectRevert(abi.encodeWithSelector(Queries.NotAnEntry.selector, nodes[0]));
        teetee.payQuery{value: 35 * WEI}(pool, entryAddress, request, 10, 5, deadline);
    }

    function test_the_deadline_is_within_a_day() public {
        bytes32 request = keccak256("request");
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, NOW, NOW));
        teetee.payQuery{value: 35 * WEI}(pool, entryAddress, request, 10, 5, uint64(NOW));
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, NOW + 1 days + 1, NOW + 1 days));
        teetee.payQuery{value: 35 * WEI}(
            pool, entryAddress, request, 10, 5, uint64(NOW + 1 days + 1)
        );
        teetee.payQuery{value: 35 * WEI}(pool, entryAddress, request, 10, 5, uint64(NOW + 1 days));
        vm.prank(creator);
        teetee.closePool(pool);
        vm.expectRevert(abi.encodeWithSelector(PoolIsClosed.selector, pool));
        teetee.payQuery{value: 35 * WEI}(pool, entryAddress, request, 10, 5, uint64(NOW + 1 days));
    }

    function test_what_the_answer_did_not_cost_returns() public {
        uint64 id = payQuery();
        Settlement.Batch memory batch = queryBatch(id, 320);
        vm.expectEmit();
        emit QueryServed(id, payer, 320, 180);
        teetee.settle(batch);
        eq(teetee.balanceOf(payer), 180);
        (address from,,,) = teetee.queryOf(id);
        eq(from, address(0));
        eq(
            uint256(teetee.earningsOf(alice)) + teetee.earningsOf(bob) + teetee.earningsOf(carol)
                + teetee.earningsOf(creator),
            320
        );
    }

    function test_a_query_is_paid_once() public {
        uint64 id = payQuery();
        teetee.settle(queryBatch(id, 500));
        eq(teetee.balanceOf(payer), 0);
        _refused(queryBatch(id, 1), abi.encodeWithSelector(Queries.UnknownQuery.selector, id));
        vm.warp(NOW + 3 days);
        vm.expectRevert(abi.encodeWithSelector(Queries.UnknownQuery.selector, id));
        teetee.reclaimQuery(id);
    }

    function test_no_more_is_claimed_than_was_locked() public {
        uint64 id = payQuery();
        _refused(
            queryBatch(id, 501),
            abi.encodeWithSelector(Queries.ClaimAboveLocked.selector, 0, 501, 500)
        );
    }

    function test_a_query_is_for_one_entry() public {
        uint64 id = payQuery();
        nodes[0] = register(bob, 0, 0xE9);
        uint64[] memory order = new uint64[](3);
        (order[0], order[1], order[2]) = (nodes[1], nodes[2], nodes[0]);
        uint256[] memory by = new uint256[](3);
        (by[0], by[1], by[2]) = (MIDDLE_KEY, TAIL_KEY, 0xE9);
        Settlement.Batch memory batch = queryBatch(id, 100);
        workOf(batch, order);
        signWork(batch, by);
        _refused(
            batch,
            abi.encodeWithSelector(Queries.QueryOfAnother.selector, 0, vm.addr(0xE9), entryAddress)
        );
    }

    function test_a_query_not_served_in_time_returns(address caller) public {
        uint64 id = payQuery();
        uint256 end = NOW + 1 hours + 1 days;
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(TooEarly.selector, end, end + 1));
        teetee.reclaimQuery(id);
        Settlement.Batch memory late = queryBatch(id, 100);
        vm.warp(end + 1);
        _refused(late, abi.encodeWithSelector(Queries.QueryEndedBefore.selector, 0, end + 1, end));
        vm.expectEmit();
        emit QueryReclaimed(id, payer, 500);
        vm.prank(caller);
        teetee.reclaimQuery(id);
        eq(teetee.balanceOf(payer), 500);
        vm.expectRevert(abi.encodeWithSelector(Queries.UnknownQuery.selector, id));
        teetee.reclaimQuery(id);
    }

    function test_a_query_is_settled_until_a_day_after_its_deadline() public {
        uint64 id = payQuery();
        vm.warp(NOW + 1 hours + 1 days);
        teetee.settle(queryBatch(id, 100));
        eq(teetee.balanceOf(payer), 400);
    }

    function _refused(Settlement.Batch memory batch, bytes memory refusal) private {
        vm.expectRevert(refusal);
        teetee.settle(batch);
    }
}
