// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev When the tests happen, and what they are about.
abstract contract Moment {
    uint256 internal constant NOW = 1_800_000_000;
    bytes32 internal constant POLICY = keccak256("policy");
    bytes32 internal constant MODEL = keccak256("model");
}
