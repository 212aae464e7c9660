// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {artifactOf, vm} from "../test/support/Vm.sol";

/// @dev Gas of whole transactions: 21,000, calldata at 16 and 4 a byte, and the execution, for which
///      the caller has made every account and slot cold. Refunds are not taken off. The tables of
///      docs/contracts.md are what `forge test -vv` logs.
abstract contract Spending {
    event log_named_uint(string key, uint256 val);

    constructor() {
        // What is compiled with the tests is another thing than what is deployed.
        require(bytes(artifactOf("TeeTee")).length != 0, "TEETEE_ARTIFACTS is not set");
    }

    function spentBy(string memory what, address from, address to, uint256 value, bytes memory data)
        internal
        returns (uint256 spent)
    {
        spent = 21_000;
        for (uint256 i = 0; i < data.length; ++i) {
            spent += data[i] == 0 ? 4 : 16;
        }
        if (value != 0) vm.deal(from, value);
        vm.prank(from);
        bool done;
        uint256 execution;
        // By hand, lest copies of the calldata count that only the test makes.
        assembly ("memory-safe") {
            execution := gas()
            done := call(gas(), to, value, add(data, 32), mload(data), 0, 0)
            execution := sub(execution, gas())
        }
        require(done, "reverted");
        spent += execution;
        emit log_named_uint(what, spent);
    }

    /// @dev A whole transaction that deploys the contract, with EIP-3860's price of its length.
    function spentOn(string memory name, bytes memory arguments) internal {
        bytes memory code = bytes.concat(vm.getCode(artifactOf(name)), arguments);
        uint256 spent = 53_000 + (code.length + 31) / 32 * 2;
        for (uint256 i = 0; i < code.length; ++i) {
            spent += code[i] == 0 ? 4 : 16;
        }
        address made;
        uint256 execution;
        assembly ("memory-safe") {
            execution := gas()
            made := create(0, add(code, 32), mload(code))
            execution := sub(execution, gas())
        }
        require(made != address(0), "reverted");
        // The opcode itself has 32,000 and the price of the length, which are counted above.
        spent += execution - 32_000 - (code.length + 31) / 32 * 2;
        emit log_named_uint(string.concat("deployment of ", name), spent);
    }
}
