// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sha512} from "../../src/attestation/Sha512.sol";
import {vm} from "../support/Vm.sol";
import {SlowSha512} from "../support/SlowSha512.sol";

contract Sha512Test {
    // Kept: the reference takes a hundred times longer to make them than to hash.
    uint64[80] private constants;
    uint64[8] private initial;

    function setUp() public {
        (constants, initial) = SlowSha512.constants();
    }

    /// FIPS 180-4 examples, and lengths on both sides of every edge of the padding.
    function test_answers_as_nist_says() public pure {
        check(
            "",
            hex"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
        );
        check(
            "abc",
            hex"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
        check(
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            hex"8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"
        );
    }

    function test_pads_at_every_length() public view {
        for (uint256 length = 0; length <= 260; length += 3) {
            bytes memory message = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                message[i] = bytes1(uint8(i * 7 + length));
            }
            check(message, SlowSha512.hash(message, constants, initial));
        }
        for (uint256 length = 109; length <= 130; ++length) {
            bytes memory message = new bytes(length);
            check(message, SlowSha512.hash(message, constants, initial));
        }
    }

    function test_dirty_memory_does_not_show() public pure {
        assembly ("memory-safe") {
            let free := mload(0x40)
            for { let i := 0 } lt(i, 4096) { i := add(i, 32) } { mstore(add(free, i), not(0)) }
        }
        check(
            "abc",
            hex"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
    }

    function testFuzz_agrees_with_the_reference(bytes memory message) public view {
        check(message, SlowSha512.hash(message, constants, initial));
    }

    function test_costs_what_it_says() public view {
        bytes memory message = new bytes(600);
        uint256 before = gasleft();
        Sha512.hash(message);
        uint256 used = before - gasleft();
        require(used < 5 * 50_000, "five blocks");
    }

    function check(bytes memory message, bytes memory digest) private pure {
        (bytes32 high, bytes32 low) = Sha512.hash(message);
        require(keccak256(bytes.concat(high, low)) == keccak256(digest), "digest");
    }
}
