// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Credits} from "./Credits.sol";
import {Settlement} from "./Settlement.sol";

/// @title TeeTee: pools, nodes, credits and settlement of language models in TEEs of many owners.
/// @notice Nobody owns this contract, nobody can change or pause it.
contract TeeTee is Settlement {
    /// @param weiPerCredit The worth of a credit, in wei; for ever.
    constructor(uint256 weiPerCredit) Credits(weiPerCredit) {}
}
