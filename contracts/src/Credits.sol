// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Limits} from "./Limits.sol";
import "./Errors.sol";

/// @title Credits: bought with ETH at a fixed price, and paid back after a delay.
/// @notice Amounts are whole credits. This contract holds
///         (credits of all kinds, owed to anybody) * WEI_PER_CREDIT, and ETH that was forced in.
/// @dev All the ETH there is has fewer than 2^96 wei, so no sum of credits overflows its uint128.
abstract contract Credits is ReentrancyGuardTransient {
    using SafeCast for uint256;

    struct Refund {
        uint128 amount;
        /// Unix seconds from which it is paid.
        uint64 readyAt;
    }

    event CreditsBought(address indexed account, address indexed buyer, uint128 amount);
    event RefundRequested(address indexed account, uint128 amount, uint64 readyAt);
    event RefundCancelled(address indexed account, uint128 amount);
    event RefundPaid(address indexed account, address indexed to, uint128 amount);

    /// The worth of a credit, in wei.
    uint256 public immutable WEI_PER_CREDIT;

    /// Credits that an account can spend.
    mapping(address account => uint128) public balanceOf;
    /// Credits on their way back to an account.
    mapping(address account => Refund) public refundOf;

    constructor(uint256 weiPerCredit) {
        if (weiPerCredit == 0) revert ZeroAmount();
        WEI_PER_CREDIT = weiPerCredit;
    }

    /// @notice Buys credits for the caller. Value: a multiple of WEI_PER_CREDIT.
    function buy() external payable nonReentrant {
        _buy(msg.sender);
    }

    /// @notice Buys credits for another account.
    function buyFor(address account) external payable nonReentrant {
        if (account == address(0)) revert ZeroAddress();
        _buy(account);
    }

    /// @notice Takes credits out of the balance, to be paid back from REFUND_DELAY on. A second
    ///         request adds to the first and starts the delay anew.
    function requestRefund(uint128 amount) external nonReentrant {
        if (amount == 0) revert ZeroAmount();
        _debit(msg.sender, amount);
        Refund storage refund = refundOf[msg.sender];
        refund.amount += amount;
        refund.readyAt = (block.timestamp + Limits.REFUND_DELAY).toUint64();
        emit RefundRequested(msg.sender, refund.amount, refund.readyAt);
    }

    /// @notice Puts what was to be paid back into the balance again.
    function cancelRefund() external nonReentrant {
        uint128 amount = _takeRefund();
        _credit(msg.sender, amount);
        emit RefundCancelled(msg.sender, amount);
    }

    /// @notice Pays the caller's refund to an address of its choice.
    function withdrawRefund(address payable to) external nonReentrant {
        uint256 readyAt = refundOf[msg.sender].readyAt;
        if (block.timestamp < readyAt) revert TooEarly(block.timestamp, readyAt);
        uint128 amount = _takeRefund();
        emit RefundPaid(msg.sender, to, amount);
        _pay(to, amount);
    }

    function _credit(address account, uint128 amount) internal {
        balanceOf[account] += amount;
    }

    function _debit(address account, uint128 amount) internal {
        uint128 balance = balanceOf[account];
        if (balance < amount) revert InsufficientCredits(balance, amount);
        balanceOf[account] = balance - amount;
    }

    /// @dev The last thing that a function does: the receiver may call back.
    function _pay(address payable to, uint128 amount) internal {
        if (to == address(0)) revert ZeroAddress();
        Address.sendValue(to, amount * WEI_PER_CREDIT);
    }

    function _buy(address account) private {
        uint256 amount = msg.value / WEI_PER_CREDIT;
        if (msg.value == 0) revert ZeroAmount();
        if (amount * WEI_PER_CREDIT != msg.value) {
            revert WrongPayment(msg.value, amount * WEI_PER_CREDIT);
        }
        _credit(account, amount.toUint128());
        emit CreditsBought(account, msg.sender, amount.toUint128());
    }

    function _takeRefund() private returns (uint128 amount) {
        amount = refundOf[msg.sender].amount;
        if (amount == 0) revert ZeroAmount();
        delete refundOf[msg.sender];
    }
}
