// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Credits} from "./Credits.sol";
import "./Errors.sol";

/// @title What hosts and creators have earned, until they take it.
/// @notice Nobody can stop a withdrawal, and no withdrawal can stop another.
abstract contract Earnings is Credits {
    event EarningsWithdrawn(address indexed account, address indexed to, uint128 amount);

    /// Credits that an account has earned and not withdrawn.
    mapping(address account => uint128) public earningsOf;

    /// @notice Pays all that the caller has earned to the caller, in ETH.
    function withdraw() external nonReentrant {
        _withdraw(payable(msg.sender));
    }

    /// @notice Pays all that the caller has earned to an address of its choice, in ETH.
    function withdrawTo(address payable to) external nonReentrant {
        _withdraw(to);
    }

    function _earn(address account, uint128 amount) internal {
        earningsOf[account] += amount;
    }

    function _withdraw(address payable to) private {
        uint128 amount = earningsOf[msg.sender];
        if (amount == 0) revert ZeroAmount();
        earningsOf[msg.sender] = 0;
        emit EarningsWithdrawn(msg.sender, to, amount);
        _pay(to, amount);
    }
}
