// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AutomataVerifier} from "../../src/attestation/AutomataVerifier.sol";
import {DevVerifier} from "../../src/attestation/DevVerifier.sol";
import {PlatformVerdict} from "../../src/attestation/IPlatformVerdicts.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {vm} from "../Vm.sol";
import {AutomataStub} from "./AutomataStub.sol";
import {QuoteForge} from "./QuoteForge.sol";
import {QuorumFixture} from "./QuorumFixture.sol";

/// Gas of whole transactions: 21,000, calldata and execution, each call isolated as one of its own.
/// The table in docs/contracts-attestation.md comes from `forge test --match-contract Gas -vv`.
/// forge-config: default.isolate = true
contract GasTest is QuorumFixture {
    event Measured(string what, uint256 gas);

    bytes private statement;
    bytes private quote;

    function setUp() public override {
        super.setUp();
        vm.chainId(31337);
        Statement.Fields memory f = nodeFields();
        statement = QuoteForge.encode(f);
        // As large as real ones, which have 4,936 bytes or so.
        bytes memory auth = QuoteForge.AUTH_DATA;
        bytes memory chain = QuoteForge.chainOf(QuoteForge.PCK_KEY, PPID);
        chain = bytes.concat(chain, QuoteForge.filled(0x41, 3676 - chain.length));
        bytes memory signed = QuoteForge.signedPart(4, reportOf(statement));
        quote = QuoteForge.quote(signed, QuoteForge.qeReport(auth), auth, chain);
    }

    function test_quote_verifier_with_a_cut_quote() public {
        bytes memory evidence = evidenceOf(QuoteForge.cut(quote));
        verifier.verify(POLICY, statement, NODE, evidence);
        measured("QuoteVerifier, 2 of 3, quote cut", 400_000);
    }

    function test_quote_verifier_with_a_whole_quote() public {
        bytes memory evidence = evidenceOf(quote);
        verifier.verify(POLICY, statement, NODE, evidence);
        measured("QuoteVerifier, 2 of 3, whole quote", 500_000);
    }

    function test_admission_to_the_quorum() public {
        Statement.Fields memory f = nodeFields();
        (f.registry, f.pool, f.modelRoot, f.shardRoot) = (address(quorum), 0, 0, 0);
        f.policyHash = VERIFIERS_POLICY;
        bytes memory document = QuoteForge.encode(f);
        bytes memory evidence = evidenceOf(QuoteForge.cut(QuoteForge.quote(reportOf(document))));
        quorum.admit(document, evidence);
        measured("VerifierQuorum.admit, 2 of 3, quote cut", 500_000);
    }

    function test_supersede() public {
        PlatformVerdict memory verdict = verdictOn(quote);
        bytes memory signatures = signaturesOn(verdict);
        quorum.supersede(verdict, signatures);
        measured("VerifierQuorum.supersede, 2 of 3", 100_000);
    }

    function test_automata_without_automatas_own() public {
        AutomataVerifier automata = new AutomataVerifier(new AutomataStub(), 1);
        automata.verify(POLICY, statement, NODE, quote);
        measured("AutomataVerifier, but for Automata's own part", 500_000);
    }

    function test_dev_verifier() public {
        bytes memory made = QuoteForge.quote(reportOf(statement));
        DevVerifier dev = new DevVerifier();
        dev.verify(POLICY, statement, NODE, made);
        measured("DevVerifier, short certificate", 500_000);
        dev.verify(POLICY, statement, NODE, quote);
        measured("DevVerifier, real size", 1_000_000);
    }

    function measured(string memory what, uint256 most) private {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        emit Measured(what, used);
        require(used > 21_000 && used <= most, what);
    }
}
