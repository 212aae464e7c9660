// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier, NodeClaim} from "../src/IAttestationVerifier.sol";
import {PlatformVerdict} from "../src/attestation/IPlatformVerdicts.sol";
import {Statement} from "../src/attestation/Statement.sol";
import {Attested} from "../test/support/Attested.sol";
import {QuoteForge} from "../test/support/QuoteForge.sol";
import {vm} from "../test/support/Vm.sol";
import {Spending} from "./Spending.sol";

/// @dev Registrations through each verifier, and what the verifiers cost by themselves.
contract AttestationGasTest is Attested, Spending {
    uint256 private constant BAR = 500_000;
    /// By which two signatures of P-256 are dearer where the precompile costs 6,900 and not 3,450.
    uint256 private constant DEARER = 2 * 3450;

    function test_quote_verifier_with_a_cut_quote() public {
        (bytes memory statement, bytes memory quote) = realistic(quotePool);
        quoteVerifier("quote cut", statement, QuoteForge.cut(quote));
    }

    function test_quote_verifier_with_a_whole_quote() public {
        (bytes memory statement, bytes memory quote) = realistic(quotePool);
        quoteVerifier("whole quote of 4.9 kB", statement, quote);
    }

    function test_quote_verifier_with_the_largest_of_everything() public {
        bytes memory version = QuoteForge.filled(0x41, 64);
        bytes memory statement =
            QuoteForge.encode(fieldsIn(quotePool), version, QuoteForge.filled(0x5a, 512));
        bytes memory signed = QuoteForge.signedPart(4, reportOf(statement));
        bytes memory auth = QuoteForge.filled(0x5a, 1024);
        bytes memory quote = QuoteForge.quote(signed, QuoteForge.qeReport(auth), auth, "chain");
        quoteVerifier("largest statement, auth data", statement, QuoteForge.cut(quote));
    }

    function test_dev_verifier() public {
        (bytes memory statement, bytes memory quote) = realistic(devPool);
        register("register, DevVerifier", devPool, statement, quote);
    }

    function test_automata_without_automatas_own() public {
        (bytes memory statement, bytes memory quote) = realistic(automataPool);
        string memory what = "register, AutomataVerifier but for Automata's own part";
        register(what, automataPool, statement, quote);
    }

    function test_admission_to_the_quorum() public {
        Statement.Fields memory f = nodeFields();
        (f.registry, f.pool, f.modelRoot, f.shardRoot) = (address(quorum), 0, 0, 0);
        f.policyHash = VERIFIERS_POLICY;
        bytes memory statement = QuoteForge.encode(f);
        bytes memory proof = proofOf(QuoteForge.cut(QuoteForge.quote(reportOf(statement))));
        bytes memory call = abi.encodeCall(quorum.admit, (statement, proof));
        coolAll();
        spentBy("VerifierQuorum.admit, quote cut", HOST, address(quorum), 0, call);
    }

    function test_supersede() public {
        (, bytes memory quote) = realistic(quotePool);
        PlatformVerdict memory verdict = verdictOn(quote);
        bytes memory call = abi.encodeCall(quorum.supersede, (verdict, signaturesOn(verdict)));
        coolAll();
        spentBy("VerifierQuorum.supersede", HOST, address(quorum), 0, call);
    }

    function test_deployments() public {
        spentOn("DevVerifier", "");
        spentOn("QuoteVerifier", abi.encode(quorum, ONLY_UP_TO_DATE, 17));
        spentOn("VerifierQuorum", abi.encode(quorumConfig()));
        spentOn("AutomataVerifier", abi.encode(stub, ONLY_UP_TO_DATE));
    }

    function quoteVerifier(string memory what, bytes memory statement, bytes memory quote) private {
        bytes memory proof = proofOf(quote);
        bytes memory evidence = abi.encode(statement, proof);
        // As the registry asks, but by a transaction of its own.
        bytes memory call =
            abi.encodeCall(IAttestationVerifier.verify, (claimIn(quotePool, statement), evidence));
        coolAll();
        string memory name = string.concat("QuoteVerifier.verify alone, ", what);
        uint256 spent = spentBy(name, address(teetee), address(quotes), 0, call);
        require(spent + DEARER <= BAR, "bar: verification");
        register(string.concat("register, QuoteVerifier, ", what), quotePool, statement, proof);
    }

    function claimIn(uint64 inPool, bytes memory statement)
        private
        pure
        returns (NodeClaim memory claim)
    {
        claim = claimOf(statement);
        (claim.pool, claim.slot) = (inPool, SLOT);
        (claim.firstLayer, claim.endLayer) = (10, 22);
        claim.receiptKey = vm.addr(RECEIPT_KEY);
    }

    function register(string memory what, uint64 inPool, bytes memory statement, bytes memory proof)
        private
    {
        bytes memory call =
            abi.encodeCall(teetee.registerNode, (registrationOf(inPool, statement, proof)));
        coolAll();
        spentBy(what, HOST, address(teetee), 0, call);
    }

    /// @dev As large as real ones, which have 4,936 bytes or so.
    function realistic(uint64 inPool)
        private
        view
        returns (bytes memory statement, bytes memory quote)
    {
        statement = QuoteForge.encode(fieldsIn(inPool), "teetee 0.1.0", QuoteForge.filled(0x5a, 91));
        bytes memory auth = QuoteForge.AUTH_DATA;
        bytes memory rest = QuoteForge.filled(0x41, 1100);
        bytes memory chain = QuoteForge.chainOf(QuoteForge.PCK_KEY, PPID, rest);
        chain = bytes.concat(chain, QuoteForge.filled(0x41, 3676 - chain.length));
        bytes memory signed = QuoteForge.signedPart(4, reportOf(statement));
        quote = QuoteForge.quote(signed, QuoteForge.qeReport(auth), auth, chain);
    }

    function coolAll() private {
        vm.cool(address(teetee));
        vm.cool(address(quorum));
        vm.cool(address(stub));
        uint64[3] memory pools = [devPool, quotePool, automataPool];
        for (uint256 i = 0; i < pools.length; ++i) {
            vm.cool(address(teetee.poolInfo(pools[i]).verifier));
        }
    }
}
