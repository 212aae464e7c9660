// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../../src/attestation/Evidence.sol";
import {Harness} from "../support/Harness.sol";
import {QuoteForge} from "../support/QuoteForge.sol";
import {vm} from "../support/Vm.sol";

contract EvidenceTest {
    Harness private harness = new Harness();

    function testFuzz_gives_back_what_was_encoded(bytes memory statement, bytes memory proof)
        public
        view
    {
        accepts(statement, proof);
    }

    function test_takes_parts_of_any_length() public view {
        for (uint256 length = 0; length < 66; ++length) {
            accepts(QuoteForge.filled(0xff, length), QuoteForge.filled(0xff, 65 - length));
        }
    }

    function test_refuses_every_shorter_and_longer_one() public {
        bytes memory evidence = abi.encode("statement", QuoteForge.filled(0xff, 33));
        for (uint256 length = 0; length < evidence.length; ++length) {
            refuses(QuoteForge.slice(evidence, 0, length));
        }
        refuses(bytes.concat(evidence, hex"00"));
        refuses(bytes.concat(evidence, new bytes(32)));
    }

    /// @dev Offsets, lengths and padding: whatever is changed there, it is no canonical encoding.
    function test_refuses_any_changed_byte_of_the_frame() public {
        bytes memory evidence = abi.encode("statement", QuoteForge.filled(0xff, 33));
        for (uint256 i = 0; i < evidence.length; ++i) {
            bool inStatement = i >= 96 && i < 105;
            bool inProof = i >= 160 && i < 193;
            if (inStatement || inProof) continue;
            evidence[i] ^= 0x01;
            refuses(evidence);
            evidence[i] ^= 0xfe;
            refuses(evidence);
            evidence[i] ^= 0xff;
        }
        harness.split(evidence);
    }

    function test_refuses_lengths_that_overflow() public {
        bytes memory evidence = abi.encode("statement", "proof");
        QuoteForge.put(evidence, 64, abi.encode(type(uint256).max));
        refuses(evidence);
        evidence = abi.encode("statement", "proof");
        QuoteForge.put(evidence, 128, abi.encode(type(uint256).max - 31));
        refuses(evidence);
    }

    function accepts(bytes memory statement, bytes memory proof) private view {
        (bytes memory a, bytes memory b) = harness.split(abi.encode(statement, proof));
        require(keccak256(a) == keccak256(statement), "statement");
        require(keccak256(b) == keccak256(proof), "proof");
    }

    function refuses(bytes memory evidence) private {
        vm.expectPartialRevert(Evidence.EvidenceMalformed.selector);
        harness.split(evidence);
    }
}
