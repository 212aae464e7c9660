// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {DevVerifier} from "../../src/attestation/DevVerifier.sol";
import {PckLeaf} from "../../src/attestation/PckLeaf.sol";
import {QuoteVerifier} from "../../src/attestation/QuoteVerifier.sol";
import {PlatformVerdict} from "../../src/attestation/IPlatformVerdicts.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {TdReport} from "../../src/attestation/TdReport.sol";
import {TdxQuote} from "../../src/attestation/TdxQuote.sol";
import {vm} from "../Vm.sol";
import {CredulousVerdicts} from "./Harness.sol";
import {QuoteForge} from "./QuoteForge.sol";
import {QuorumFixture} from "./QuorumFixture.sol";

contract DevVerifierTest is QuorumFixture {
    address private constant GAS_PRICE_ORACLE = 0x420000000000000000000000000000000000000F;

    DevVerifier private dev;
    bytes private statement;
    bytes private quote;

    function setUp() public override {
        super.setUp();
        vm.chainId(31337);
        dev = new DevVerifier();
        statement = QuoteForge.encode(nodeFields());
        quote = QuoteForge.quote(reportOf(statement));
    }

    function test_accepts_the_dev_tee() public view {
        (bytes32 measurement, bytes32 hash, uint64 expiry) =
            dev.verify(POLICY, statement, NODE, quote);
        require(measurement == harness.measurement(reportOf(statement)), "measurement");
        require(hash == keccak256(QuoteForge.cut(quote)), "evidence hash");
        require(expiry == NOW + 1 days, "expiry");
    }

    function test_accepts_it_on_anvil_as_base_sepolia() public {
        vm.chainId(84532);
        DevVerifier here = new DevVerifier();
        Statement.Fields memory f = nodeFields();
        statement = QuoteForge.encode(f);
        here.verify(POLICY, statement, NODE, QuoteForge.quote(reportOf(statement)));
    }

    function test_neither_lives_nor_works_elsewhere() public {
        uint32[5] memory chains = [uint32(1), 8453, 84532, 11155111, 31338];
        vm.etch(GAS_PRICE_ORACLE, hex"00");
        for (uint256 i = 0; i < chains.length; ++i) {
            vm.chainId(chains[i]);
            vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, chains[i]));
            new DevVerifier();
            vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, chains[i]));
            dev.verify(POLICY, statement, NODE, quote);
        }
        vm.etch(GAS_PRICE_ORACLE, "");
        vm.chainId(8453);
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, 8453));
        new DevVerifier();
    }

    function test_refuses_what_the_others_refuse() public {
        vm.expectPartialRevert(Statement.StatementPolicy.selector);
        dev.verify(keccak256("another"), statement, NODE, quote);
        bytes memory report = reportOf(statement);
        report[120] = 0x01;
        bytes memory changed = QuoteForge.quote(report);
        vm.expectPartialRevert(TdReport.TdAttributeOn.selector);
        dev.verify(POLICY, statement, NODE, changed);
        changed = QuoteForge.slice(quote, 0, quote.length);
        changed[200] ^= 0x01;
        vm.expectPartialRevert(TdxQuote.QuoteSignatureInvalid.selector);
        dev.verify(POLICY, statement, NODE, changed);
        changed = QuoteForge.quote(QuoteForge.report(0, 0));
        vm.expectPartialRevert(Statement.ReportDataMismatch.selector);
        dev.verify(POLICY, statement, NODE, changed);
        changed = QuoteForge.cut(quote);
        vm.expectPartialRevert(PckLeaf.PckPem.selector);
        dev.verify(POLICY, statement, NODE, changed);
    }

    /// Byte for byte what `teetee up` answers under /attestation. Its statement names no chain and
    /// no contract yet, so that the chain of this test is number 0 and its registry address 0.
    function test_accepts_what_the_node_made() public {
        bytes memory made = vm.parseBytes(vm.readFile("test/attestation/vectors/dev_quote.hex"));
        bytes memory document =
            vm.parseBytes(vm.readFile("test/attestation/vectors/dev_statement.hex"));
        Statement.Fields memory f = harness.decode(document);
        require(
            f.layersBegin == 0 && f.layersEnd == 3 && f.notAfter - f.notBefore == 87000 - 600,
            "fields"
        );
        PlatformVerdict memory v = verdictOn(made);
        (v.pckX, v.pckY,) = harness.leafOf(made);
        v.teeTcbSvn = 0;
        v.validUntil = f.notAfter;
        QuoteVerifier here = new QuoteVerifier(new CredulousVerdicts(), 1, 0);
        bytes memory evidence = evidenceOf(v, "", made);
        vm.warp(f.notBefore);
        vm.chainId(f.chainId);
        vm.prank(f.registry);
        (bytes32 measurement, bytes32 hash, uint64 expiry) =
            here.verify(f.policyHash, document, f.receiptKey, evidence);
        // Both computed by js-sha3 over the quote's bytes.
        require(
            measurement == 0x529c004d584d4c588fa993189dd1bf91c4ad3c2613a46e48ef85211740da6302,
            "measurement"
        );
        require(hash == 0x1480352f9f488c908812f7249657dd3e03c56c5c6069c5f334d6dfc12d3735c0, "hash");
        require(expiry == f.notAfter, "expiry");
        // By the dev verifier too, were its chain one.
        vm.prank(f.registry);
        vm.expectPartialRevert(DevVerifier.NotADevChain.selector);
        dev.verify(f.policyHash, document, f.receiptKey, made);
    }

    function test_reads_the_first_certificate() public view {
        bytes memory der = harness.leaf(QuoteForge.pem(hex"00010203fffefdfc"));
        require(keccak256(der) == keccak256(hex"00010203fffefdfc"), "DER");
        (bytes32 x, bytes32 y, bytes16 ppid) = harness.leafOf(quote);
        require(
            keccak256(abi.encode(x, y)) == keccak256(QuoteForge.point(QuoteForge.PCK_KEY)), "key"
        );
        require(ppid == PPID, "PPID");
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
