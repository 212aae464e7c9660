// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TeeTee} from "../src/TeeTee.sol";
import {Handler} from "./support/Handler.sol";
import {eq, vm} from "./support/Vm.sol";

contract InvariantsTest {
    Handler private handler;
    TeeTee private teetee;

    function setUp() public {
        handler = new Handler();
        teetee = handler.contractAt();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_eth_held_is_what_is_owed() external view {
        uint256 owed = 0;
        for (uint256 i = 0; i < handler.accountCount(); ++i) {
            address account = handler.accounts(i);
            (uint128 refund,) = teetee.refundOf(account);
            owed += uint256(teetee.balanceOf(account)) + refund + teetee.earningsOf(account);
        }
        for (uint256 i = 0; i < handler.voucherCount(); ++i) {
            (bytes32 id,,,) = handler.vouchers(i);
            (, uint64 remaining,,,) = teetee.voucherOf(id);
            owed += remaining;
        }
        for (uint256 i = 0; i < handler.queryCount(); ++i) {
            (, uint96 locked,,) = teetee.queryOf(handler.queries(i));
            owed += locked;
        }
        eq(address(teetee).balance, owed * handler.worth());
    }

    function invariant_no_voucher_is_exceeded() external view {
        for (uint256 i = 0; i < handler.voucherCount(); ++i) {
            (bytes32 id, uint256 ceiling, uint256 paid, uint256 reclaimed) = handler.vouchers(i);
            (, uint64 remaining,,,) = teetee.voucherOf(id);
            eq(paid + reclaimed + remaining, ceiling);
        }
    }

    function invariant_nothing_is_settled_twice() external view {
        eq(handler.settledTwice(), 0);
    }

    function invariant_nothing_due_is_refused() external view {
        eq(handler.refusedSettlements(), 0);
    }

    function invariant_the_sum_of_splits_is_the_payment() external view {
        eq(handler.unevenSplits(), 0);
    }

    function invariant_nobody_edits_what_is_not_theirs() external view {
        eq(handler.intrusions(), 0);
    }

    function invariant_a_host_can_always_withdraw() external {
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < handler.accountCount(); ++i) {
            address account = handler.accounts(i);
            uint256 earned = teetee.earningsOf(account);
            if (earned == 0) continue;
            uint256 held = account.balance;
            vm.prank(account);
            teetee.withdraw();
            eq(account.balance - held, earned * handler.worth());
        }
        vm.revertToState(before);
    }
}
