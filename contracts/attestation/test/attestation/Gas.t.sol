// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AutomataVerifier} from "../../src/attestation/AutomataVerifier.sol";
import {DevVerifier} from "../../src/attestation/DevVerifier.sol";
import {IAttestationVerifier} from "../../src/attestation/IAttestationVerifier.sol";
import {PlatformVerdict} from "../../src/attestation/IPlatformVerdicts.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {vm} from "../Vm.sol";
import {AutomataStub} from "./AutomataStub.sol";
import {QuoteForge} from "./QuoteForge.sol";
import {QuorumFixture} from "./QuorumFixture.sol";

/// Gas of whole transactions: 21,000, calldata (EIP-2028, or the floor of EIP-7623 where that is
/// more) and execution with everything cold. The table in docs/contracts-attestation.md comes from
/// `forge test --match-contract Gas -vvvv`.
contract GasTest is QuorumFixture {
    event Measured(string what, uint256 dataBytes, uint256 execution, uint256 transaction);

    bytes private statement;
    bytes private quote;

    function setUp() public override {
        super.setUp();
        vm.chainId(31337);
        Statement.Fields memory f = nodeFields();
        statement = QuoteForge.encode(f);
        // As large as real ones, which have 4,936 bytes or so.
        bytes memory auth = QuoteForge.AUTH_DATA;
        bytes memory chain =
            QuoteForge.chainOf(QuoteForge.PCK_KEY, PPID, QuoteForge.filled(0x41, 1100));
        chain = bytes.concat(chain, QuoteForge.filled(0x41, 3676 - chain.length));
        bytes memory signed = QuoteForge.signedPart(4, reportOf(statement));
        quote = QuoteForge.quote(signed, QuoteForge.qeReport(auth), auth, chain);
    }

    function test_quote_verifier_with_a_cut_quote() public {
        measureVerify("QuoteVerifier, 2 of 3, quote cut", verifier, QuoteForge.cut(quote), 350_000);
    }

    function test_quote_verifier_with_a_whole_quote() public {
        measureVerify("QuoteVerifier, 2 of 3, whole quote", verifier, quote, 400_000);
    }

    function test_quote_verifier_with_the_largest_of_everything() public {
        statement = QuoteForge.encode(nodeFields(), QuoteForge.filled(0x41, 64), new bytes(512));
        bytes memory signed = QuoteForge.signedPart(4, reportOf(statement));
        bytes memory auth = QuoteForge.filled(0x5a, 1024);
        quote = QuoteForge.quote(signed, QuoteForge.qeReport(auth), auth, "chain");
        measureVerify("QuoteVerifier, 2 of 3, largest statement", verifier, quote, 500_000);
    }

    function test_admission_to_the_quorum() public {
        Statement.Fields memory f = nodeFields();
        (f.registry, f.pool, f.modelRoot, f.shardRoot) = (address(quorum), 0, 0, 0);
        f.policyHash = VERIFIERS_POLICY;
        bytes memory document = QuoteForge.encode(f);
        bytes memory evidence = evidenceOf(QuoteForge.cut(QuoteForge.quote(reportOf(document))));
        bytes memory data = abi.encodeCall(quorum.admit, (document, evidence));
        measure("VerifierQuorum.admit, 2 of 3, quote cut", address(quorum), data, 500_000);
    }

    function test_supersede() public {
        PlatformVerdict memory verdict = verdictOn(quote);
        bytes memory data = abi.encodeCall(quorum.supersede, (verdict, signaturesOn(verdict)));
        measure("VerifierQuorum.supersede, 2 of 3", address(quorum), data, 120_000);
    }

    function test_automata_without_automatas_own() public {
        AutomataVerifier automata = new AutomataVerifier(new AutomataStub(), 1);
        bytes memory data = abi.encodeCall(automata.verify, (POLICY, statement, NODE, quote));
        measure("AutomataVerifier but for Automata's part", address(automata), data, 500_000);
    }

    function test_dev_verifier() public {
        DevVerifier dev = new DevVerifier();
        bytes memory data = abi.encodeCall(dev.verify, (POLICY, statement, NODE, quote));
        measure("DevVerifier", address(dev), data, 1_000_000);
    }

    function measureVerify(
        string memory what,
        IAttestationVerifier target,
        bytes memory part,
        uint256 most
    ) private {
        bytes memory evidence = evidenceOf(part);
        bytes memory data = abi.encodeCall(target.verify, (POLICY, statement, NODE, evidence));
        measure(what, address(target), data, most);
    }

    function measure(string memory what, address target, bytes memory data, uint256 most) private {
        vm.cool(target);
        vm.cool(address(quorum));
        (bool accepted,) = target.call(data);
        uint256 execution = vm.lastCallGas().gasTotalUsed;
        require(accepted, what);
        uint256 tokens = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            tokens += data[i] == 0 ? 1 : 4;
        }
        uint256 whole = 21_000 + 4 * tokens + execution;
        uint256 floor = 21_000 + 10 * tokens;
        emit Measured(what, data.length, execution, whole > floor ? whole : floor);
        require(whole <= most, what);
    }
}
