// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Queries} from "../../src/Queries.sol";
import {Settlement} from "../../src/Settlement.sol";
import {Vouchers} from "../../src/Vouchers.sol";
import {World} from "./World.sol";
import {vm} from "./Vm.sol";

/// @dev Three hosts with a node of a slot each; the first is the entry.
abstract contract Network is World {
    uint256 internal constant ENTRY_KEY = 0xE1;
    uint256 internal constant MIDDLE_KEY = 0xE2;
    uint256 internal constant TAIL_KEY = 0xE3;
    address internal alice = address(0xA1);
    address internal bob = address(0xB0);
    address internal carol = address(0xCA);
    address internal entryAddress = vm.addr(ENTRY_KEY);
    uint64[] internal nodes;
    uint256[] internal keys;

    function setUpNetwork() internal {
        setUpWorld();
        keys = [ENTRY_KEY, MIDDLE_KEY, TAIL_KEY];
        nodes.push(register(alice, 0, ENTRY_KEY));
        nodes.push(register(bob, 1, MIDDLE_KEY));
        nodes.push(register(carol, 2, TAIL_KEY));
    }

    /// @dev 100 prompt and 100 completion tokens, which cost 500 credits; no claims.
    function plainBatch() internal returns (Settlement.Batch memory batch) {
        batch = batchOf(nodes[0], 100, 100);
        workOf(batch, nodes);
    }

    /// @dev One claim of a voucher.
    function spendBatch(bytes32 voucher, uint128 amount, uint128 added)
        internal
        returns (Settlement.Batch memory batch)
    {
        batch = plainBatch();
        batch.spends = new Vouchers.SpendClaim[](1);
        batch.spends[0] = spend(voucher, ENTRY_KEY, amount, amount);
        batch.total = added;
        signWork(batch, keys);
    }

    function queryBatch(uint64 query, uint128 amount)
        internal
        returns (Settlement.Batch memory batch)
    {
        batch = plainBatch();
        batch.queries = new Queries.QueryClaim[](1);
        batch.queries[0] = Queries.QueryClaim(query, amount);
        batch.total = amount;
        signWork(batch, keys);
    }

    /// @dev 100 prompt and 100 completion tokens at most: 500 credits.
    function payQuery() internal returns (uint64) {
        vm.deal(payer, 500 * WEI);
        vm.prank(payer);
        return teetee.payQuery{value: 500 * WEI}(
            pool,
            entryAddress,
            keccak256("request"),
            100,
            100,
            uint64(vm.getBlockTimestamp() + 1 hours)
        );
    }

    function settleSpend(bytes32 voucher, uint128 amount, uint128 added) internal {
        teetee.settle(spendBatch(voucher, amount, added));
    }
}
