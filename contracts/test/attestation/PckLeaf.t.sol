// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PckLeaf} from "../../src/attestation/PckLeaf.sol";
import {Harness} from "../support/Harness.sol";
import {QuoteForge} from "../support/QuoteForge.sol";
import {vm} from "../support/Vm.sol";

contract PckLeafTest {
    Harness private harness = new Harness();

    function test_reads_the_first_certificate() public view {
        bytes memory der = harness.leaf(QuoteForge.pem(hex"00010203fffefdfc"));
        require(keccak256(der) == keccak256(hex"00010203fffefdfc"), "DER");
        (bytes32 x, bytes32 y, bytes16 ppid) =
            harness.leafOf(QuoteForge.quote(QuoteForge.report(0, 0)));
        require(
            keccak256(abi.encode(x, y)) == keccak256(QuoteForge.point(QuoteForge.PCK_KEY)), "key"
        );
        require(ppid == "ppid", "PPID");
        bytes memory twice = bytes.concat(QuoteForge.pem("first"), QuoteForge.pem("second"));
        require(keccak256(harness.leaf(twice)) == keccak256("first"), "first");
    }

    function testFuzz_reads_base64(bytes memory der) public view {
        require(keccak256(harness.leaf(QuoteForge.pem(der))) == keccak256(der), "DER");
    }

    function test_refuses_what_is_no_certificate() public {
        bytes[6] memory bad = [
            bytes(""),
            "-----BEGIN CERTIFICATE----",
            "-----BEGIN CERTIFICATE----+",
            "-----BEGIN CERTIFICATE-----AAAA",
            "-----BEGIN CERTIFICATE-----AA*A-",
            hex"2d2d2d2d2d424547494e2043455254494649434154452d2d2d2d2d80"
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectPartialRevert(PckLeaf.PckPem.selector);
            harness.leaf(bad[i]);
        }
        bytes memory key = hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004";
        bytes memory one = bytes.concat(key, new bytes(64));
        harness.publicKey(one);
        expectField("public key", 0);
        harness.publicKey(bytes.concat(key, new bytes(63)));
        expectField("public key", 2);
        harness.publicKey(bytes.concat(one, one));
        expectField("PPID", 0);
        harness.ppid(one);
    }

    function expectField(bytes32 field, uint256 found) private {
        vm.expectRevert(abi.encodeWithSelector(PckLeaf.PckField.selector, field, found, 1));
    }
}
