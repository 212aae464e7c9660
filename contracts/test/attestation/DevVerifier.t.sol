// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WrongPayment} from "../../src/Errors.sol";
import {NodeClaim} from "../../src/IAttestationVerifier.sol";
import {DevVerifier} from "../../src/attestation/DevVerifier.sol";
import {PckLeaf} from "../../src/attestation/PckLeaf.sol";
import {QuoteVerifier} from "../../src/attestation/QuoteVerifier.sol";
import {PlatformVerdict} from "../../src/attestation/IPlatformVerdicts.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {TdReport} from "../../src/attestation/TdReport.sol";
import {TdxQuote} from "../../src/attestation/TdxQuote.sol";
import {vm} from "../support/Vm.sol";
import {CredulousVerdicts} from "../support/Harness.sol";
import {QuoteForge} from "../support/QuoteForge.sol";
import {QuorumFixture} from "../support/QuorumFixture.sol";

contract DevVerifierTest is QuorumFixture {
    address private constant GAS_PRICE_ORACLE = 0x420000000000000000000000000000000000000F;

    DevVerifier private dev;
    bytes private statement;
    bytes private quote;

    function setUp() public override {
        super.setUp();
        vm.chainId(31_337);
        dev = newDevVerifier();
        statement = QuoteForge.encode(nodeFields());
        quote = QuoteForge.quote(reportOf(statement));
    }

    function test_accepts_the_dev_tee() public {
        (bytes32 measurement, bytes32 hash, uint64 expiry) = ask(dev, statement, quote);
        require(measurement == harness.measurement(reportOf(statement)), "measurement");
        require(hash == keccak256(QuoteForge.cut(quote)), "evidence hash");
        require(expiry == NOW + 1 days, "expiry");
    }

    function test_accepts_it_on_anvil_as_base_sepolia() public {
        vm.chainId(84_532);
        DevVerifier here = newDevVerifier();
        statement = QuoteForge.encode(nodeFields());
        quote = QuoteForge.quote(reportOf(statement));
        ask(here, statement, quote);
        // The real one, and anvil that forks it.
        vm.etch(GAS_PRICE_ORACLE, hex"00");
        NodeClaim memory claim = claimOf(statement);
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, 84_532));
        here.verify(claim, abi.encode(statement, quote));
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, 84_532));
        new DevVerifier();
    }

    function testFuzz_neither_lives_nor_works_elsewhere(uint64 chain) public {
        vm.assume(chain != 31_337 && chain != 84_532 && chain != 0);
        refuseChain(chain);
    }

    function test_neither_lives_nor_works_on_known_chains() public {
        uint32[5] memory chains = [uint32(1), 10, 8453, 11_155_111, 31_338];
        for (uint256 i = 0; i < chains.length; ++i) {
            refuseChain(chains[i]);
        }
    }

    function test_takes_no_fee() public {
        vm.deal(address(this), 1);
        NodeClaim memory claim = claimOf(statement);
        bytes memory evidence = abi.encode(statement, quote);
        vm.expectRevert(abi.encodeWithSelector(WrongPayment.selector, 1, 0));
        dev.verify{value: 1}(claim, evidence);
    }

    function test_refuses_what_the_others_refuse() public {
        bytes memory report = reportOf(statement);
        report[120] = 0x01;
        refuse(TdReport.TdAttributeOn.selector, QuoteForge.quote(report));
        bytes memory changed = QuoteForge.slice(quote, 0, quote.length);
        changed[200] ^= 0x01;
        refuse(TdxQuote.QuoteSignatureInvalid.selector, changed);
        refuse(Statement.ReportDataMismatch.selector, QuoteForge.quote(QuoteForge.report(0, 0)));
        refuse(PckLeaf.PckPem.selector, QuoteForge.cut(quote));
    }

    function refuse(bytes4 selector, bytes memory proof) private {
        expectRefusal(dev, selector, claimOf(statement), abi.encode(statement, proof));
    }

    function refuseChain(uint256 chain) private {
        NodeClaim memory claim = claimOf(statement);
        bytes memory evidence = abi.encode(statement, quote);
        vm.chainId(chain);
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, chain));
        new DevVerifier();
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, chain));
        dev.verify(claim, evidence);
    }

    /// Byte for byte what `teetee up --no-chain` answers under /attestation. Its statement names no chain and
    /// no contract yet, so that the chain of this test is number 0 and its registry address 0.
    function test_accepts_what_the_node_made() public {
        bytes memory made = vm.parseBytes(vm.readFile("test/vectors/dev_quote.hex"));
        bytes memory document = vm.parseBytes(vm.readFile("test/vectors/dev_statement.hex"));
        Statement.Fields memory f = harness.decode(document);
        require(
            f.layersBegin == 0 && f.layersEnd == 3 && f.notAfter - f.notBefore == 87_000 - 600,
            "fields"
        );
        PlatformVerdict memory v = verdictOn(made);
        (v.pckX, v.pckY,) = harness.leafOf(made);
        v.teeTcbSvn = 0;
        v.validUntil = f.notAfter;
        QuoteVerifier here = newQuoteVerifier(new CredulousVerdicts(), 1, 0);
        NodeClaim memory claim = claimIn(f, document);
        bytes memory evidence = abi.encode(document, proofOf(v, "", made));
        vm.warp(f.notBefore);
        vm.chainId(f.chainId);
        vm.prank(f.registry);
        (bytes32 measurement, bytes32 hash, uint64 expiry) = here.verify(claim, evidence);
        // Both computed by js-sha3 over the quote's bytes.
        require(
            measurement == 0x529c004d584d4c588fa993189dd1bf91c4ad3c2613a46e48ef85211740da6302,
            "measurement"
        );
        require(hash == 0x1480352f9f488c908812f7249657dd3e03c56c5c6069c5f334d6dfc12d3735c0, "hash");
        require(expiry == f.notAfter, "expiry");
        // By the dev verifier too, were its chain one.
        evidence = abi.encode(document, made);
        vm.prank(f.registry);
        vm.expectPartialRevert(DevVerifier.NotADevChain.selector);
        dev.verify(claim, evidence);
    }

    function claimIn(Statement.Fields memory f, bytes memory document)
        private
        pure
        returns (NodeClaim memory)
    {
        return NodeClaim({
            host: HOST,
            pool: f.pool,
            slot: 0,
            modelRoot: f.modelRoot,
            firstLayer: f.layersBegin,
            endLayer: f.layersEnd,
            policyHash: f.policyHash,
            statementHash: sha256(document),
            receiptKey: f.receiptKey
        });
    }
}
