// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Statement} from "../../src/attestation/Statement.sol";
import {vm} from "../support/Vm.sol";
import {Harness} from "../support/Harness.sol";
import {QuoteForge} from "../support/QuoteForge.sol";

contract StatementTest {
    Harness private harness = new Harness();

    function good() private view returns (Statement.Fields memory f) {
        f.chainId = 0x0102030405060708;
        f.registry = address(this);
        f.pool = 7;
        f.modelRoot = keccak256("model");
        f.shardRoot = keccak256("shard");
        f.layersBegin = 3;
        f.layersEnd = 9;
        f.policyHash = keccak256("policy");
        f.hpkeKey = keccak256("hpke");
        f.receiptKey = address(0xbeef);
        f.notBefore = 1_700_000_000;
        f.notAfter = 1_700_086_400;
    }

    function test_decodes_what_was_encoded() public view {
        require(same(harness.decode(QuoteForge.encode(good())), good()), "fields");
    }

    function testFuzz_decodes_what_was_encoded(
        Statement.Fields memory f,
        uint8 versionBytes,
        uint16 spkiBytes
    ) public {
        f.notAfter = f.notAfter % 253_402_300_800;
        vm.assume(f.layersBegin < f.layersEnd && f.notAfter > 0);
        f.notBefore = f.notBefore % f.notAfter;
        bytes memory version = QuoteForge.filled(0x7e, 1 + versionBytes % 64);
        bytes memory spki = new bytes(1 + spkiBytes % 512);
        bytes memory statement = QuoteForge.encode(f, version, spki);
        require(same(harness.decode(statement), f), "fields");
        vm.expectPartialRevert(Statement.StatementTooLong.selector);
        harness.decode(bytes.concat(statement, hex"00"));
    }

    function test_refuses_every_shorter_statement() public view {
        bytes memory statement = QuoteForge.encode(good());
        for (uint256 length = 0; length < statement.length; ++length) {
            bytes memory part = QuoteForge.slice(statement, 0, length);
            try harness.decode(part) {
                revert("accepted");
            } catch (bytes memory reason) {
                require(bytes4(reason) == Statement.StatementTooShort.selector, "reason");
            }
        }
    }

    function test_refuses_another_document() public {
        bytes memory statement = QuoteForge.encode(good());
        statement[0] = 0x12;
        vm.expectRevert(
            abi.encodeWithSelector(Statement.StatementFieldLength.selector, bytes32("tag"), 18, 19)
        );
        harness.decode(statement);
        statement[0] = 0x13;
        statement[22] = "3";
        vm.expectRevert(
            abi.encodeWithSelector(
                Statement.StatementTag.selector,
                bytes32("teetee statement v3"),
                bytes32("teetee statement v2")
            )
        );
        harness.decode(statement);
        statement[22] = "2";
        statement[23] = 0x02;
        vm.expectRevert(abi.encodeWithSelector(Statement.StatementPurpose.selector, 2, 1));
        harness.decode(statement);
    }

    function test_refuses_fields_beyond_their_limits() public {
        bytes32 field = "software_version";
        expectLength(field, 0, 64, QuoteForge.encode(good(), "", "x"));
        expectLength(field, 65, 64, QuoteForge.encode(good(), QuoteForge.filled(0x41, 65), "x"));
        field = "tls_spki";
        expectLength(field, 0, 512, QuoteForge.encode(good(), "v", ""));
        expectLength(field, 513, 512, QuoteForge.encode(good(), "v", new bytes(513)));
        vm.expectRevert(
            abi.encodeWithSelector(Statement.StatementVersionNotAscii.selector, 0x1f, 1)
        );
        harness.decode(QuoteForge.encode(good(), hex"411f", "x"));
        vm.expectRevert(
            abi.encodeWithSelector(Statement.StatementVersionNotAscii.selector, 0x7f, 0)
        );
        harness.decode(QuoteForge.encode(good(), hex"7f", "x"));
    }

    function test_refuses_empty_layers_and_times() public {
        Statement.Fields memory f = good();
        f.layersBegin = f.layersEnd;
        vm.expectRevert(abi.encodeWithSelector(Statement.StatementLayersEmpty.selector, 9, 9));
        harness.decode(QuoteForge.encode(f));
        f = good();
        f.notAfter = f.notBefore;
        vm.expectPartialRevert(Statement.StatementValidityEmpty.selector);
        harness.decode(QuoteForge.encode(f));
        f.notAfter = 253_402_300_800;
        vm.expectRevert(
            abi.encodeWithSelector(
                Statement.StatementTime.selector, 253_402_300_800, 253_402_300_799
            )
        );
        harness.decode(QuoteForge.encode(f));
        f = good();
        f.notBefore = type(uint64).max;
        vm.expectPartialRevert(Statement.StatementTime.selector);
        harness.decode(QuoteForge.encode(f));
    }

    /// Statement and quote as the node of src/ made them.
    function test_report_data_is_that_of_the_node() public view {
        bytes memory statement = vm.parseBytes(vm.readFile("test/vectors/dev_statement.hex"));
        (bytes32 high, bytes32 low) = harness.reportData(statement);
        bytes memory quote = vm.parseBytes(vm.readFile("test/vectors/dev_quote.hex"));
        bytes memory have = QuoteForge.slice(quote, 568, 632);
        require(keccak256(have) == keccak256(bytes.concat(high, low)), "report data");
    }

    function expectLength(bytes32 field, uint256 have, uint256 most, bytes memory statement)
        private
    {
        vm.expectRevert(
            abi.encodeWithSelector(Statement.StatementFieldLength.selector, field, have, most)
        );
        harness.decode(statement);
    }

    function same(Statement.Fields memory a, Statement.Fields memory b)
        private
        pure
        returns (bool)
    {
        return keccak256(abi.encode(a)) == keccak256(abi.encode(b));
    }
}
