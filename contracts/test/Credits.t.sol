// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TeeTee} from "../src/TeeTee.sol";
import "../src/Errors.sol";
import {World} from "./support/World.sol";
import {eq, vm} from "./support/Vm.sol";

contract CreditsTest is World {
    event CreditsBought(address indexed account, address indexed buyer, uint128 amount);
    event RefundRequested(address indexed account, uint128 amount, uint64 readyAt);
    event RefundCancelled(address indexed account, uint128 amount);
    event RefundPaid(address indexed account, address indexed to, uint128 amount);

    address payable private constant TO = payable(address(0x70));

    function setUp() public {
        setUpWorld();
    }

    function test_a_credit_has_a_worth() public {
        eq(teetee.WEI_PER_CREDIT(), WEI);
        vm.expectRevert(ZeroAmount.selector);
        new TeeTee(0);
    }

    function test_credits_are_bought_for_oneself_and_for_others() public {
        vm.deal(payer, 5 * WEI);
        vm.expectEmit();
        emit CreditsBought(payer, payer, 3);
        vm.prank(payer);
        teetee.buy{value: 3 * WEI}();
        vm.expectEmit();
        emit CreditsBought(TO, payer, 2);
        vm.prank(payer);
        teetee.buyFor{value: 2 * WEI}(TO);
        eq(teetee.balanceOf(payer), 3);
        eq(teetee.balanceOf(TO), 2);
        eq(address(teetee).balance, 5 * WEI);
    }

    function test_only_whole_credits_are_sold(uint96 value) public {
        vm.assume(value % WEI != 0);
        vm.deal(payer, value);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(WrongPayment.selector, value, value - value % WEI));
        teetee.buy{value: value}();
    }

    function test_nothing_is_not_sold_and_nobody_is_not_paid() public {
        vm.expectRevert(ZeroAmount.selector);
        teetee.buy();
        vm.deal(address(this), WEI);
        vm.expectRevert(ZeroAddress.selector);
        teetee.buyFor{value: WEI}(address(0));
        (bool taken,) = address(teetee).call{value: WEI}("");
        require(!taken);
    }

    function test_a_refund_waits_a_day(uint96 bought, uint96 back) public {
        bought = uint96(uint256(bought) % 1e24) + 1;
        back = uint96(uint256(back) % bought) + 1;
        buy(payer, bought);
        vm.expectEmit();
        emit RefundRequested(payer, back, uint64(NOW + 1 days));
        vm.prank(payer);
        teetee.requestRefund(back);
        eq(teetee.balanceOf(payer), bought - back);
        vm.warp(NOW + 1 days - 1);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(TooEarly.selector, NOW + 1 days - 1, NOW + 1 days));
        teetee.withdrawRefund(TO);
        vm.warp(NOW + 1 days);
        vm.expectEmit();
        emit RefundPaid(payer, TO, back);
        vm.prank(payer);
        teetee.withdrawRefund(TO);
        eq(TO.balance, back * WEI);
        eq(address(teetee).balance, (bought - back) * WEI);
        vm.prank(payer);
        vm.expectRevert(ZeroAmount.selector);
        teetee.withdrawRefund(TO);
    }

    function test_a_second_request_starts_the_delay_anew() public {
        buy(payer, 10);
        vm.prank(payer);
        teetee.requestRefund(3);
        vm.warp(NOW + 12 hours);
        vm.expectEmit();
        emit RefundRequested(payer, 7, uint64(NOW + 36 hours));
        vm.prank(payer);
        teetee.requestRefund(4);
        (uint128 amount, uint64 readyAt) = teetee.refundOf(payer);
        eq(amount, 7);
        eq(readyAt, NOW + 36 hours);
        eq(teetee.balanceOf(payer), 3);
    }

    function test_a_refund_is_cancelled() public {
        buy(payer, 10);
        vm.prank(payer);
        teetee.requestRefund(4);
        vm.expectEmit();
        emit RefundCancelled(payer, 4);
        vm.prank(payer);
        teetee.cancelRefund();
        eq(teetee.balanceOf(payer), 10);
        vm.prank(payer);
        vm.expectRevert(ZeroAmount.selector);
        teetee.cancelRefund();
    }

    function test_no_more_is_paid_back_than_is_there() public {
        buy(payer, 10);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(InsufficientCredits.selector, 10, 11));
        teetee.requestRefund(11);
        vm.prank(payer);
        vm.expectRevert(ZeroAmount.selector);
        teetee.requestRefund(0);
        vm.prank(payer);
        teetee.requestRefund(10);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(InsufficientCredits.selector, 0, 1));
        teetee.requestRefund(1);
        vm.warp(NOW + 1 days);
        vm.prank(payer);
        vm.expectRevert(ZeroAddress.selector);
        teetee.withdrawRefund(payable(address(0)));
    }
}
