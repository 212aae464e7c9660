// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier, NodeClaim} from "../../src/IAttestationVerifier.sol";
import {AutomataVerifier, IAutomataDcap} from "../../src/attestation/AutomataVerifier.sol";
import {DevVerifier} from "../../src/attestation/DevVerifier.sol";
import {IPlatformVerdicts, PlatformVerdict} from "../../src/attestation/IPlatformVerdicts.sol";
import {QuoteVerifier} from "../../src/attestation/QuoteVerifier.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {VerifierQuorum} from "../../src/attestation/VerifierQuorum.sol";
import {Harness} from "./Harness.sol";
import {Moment} from "./Moment.sol";
import {QuoteForge} from "./QuoteForge.sol";
import {artifactOf, vm} from "./Vm.sol";

/// A quorum of two of three keys named at deployment, a verifier that asks it, and a node whose
/// registry is the test itself.
abstract contract QuorumFixture is Moment {
    bytes32 internal constant VERIFIERS_POLICY = keccak256("policy of the verifiers");
    address internal constant NODE = address(0xbeef);
    address internal constant HOST = address(0x5057);
    bytes16 internal constant PPID = "ppid";
    uint256 internal constant ONLY_UP_TO_DATE = 1;

    Harness internal harness = new Harness();
    VerifierQuorum internal quorum;
    QuoteVerifier internal quotes;
    uint256[3] internal quorumKeys;

    function setUp() public virtual {
        vm.warp(NOW);
        quorumKeys = sortedKeys("genesis");
        quorum = newQuorum(quorumConfig());
        quotes = newQuoteVerifier(quorum, ONLY_UP_TO_DATE, 17);
    }

    function newQuorum(VerifierQuorum.Config memory with) internal returns (VerifierQuorum) {
        string memory artifact = artifactOf("VerifierQuorum");
        if (bytes(artifact).length == 0) return new VerifierQuorum(with);
        return VerifierQuorum(vm.deployCode(artifact, abi.encode(with)));
    }

    function newQuoteVerifier(IPlatformVerdicts verdicts, uint256 statuses, uint32 evaluation)
        internal
        returns (QuoteVerifier)
    {
        string memory artifact = artifactOf("QuoteVerifier");
        if (bytes(artifact).length == 0) return new QuoteVerifier(verdicts, statuses, evaluation);
        return QuoteVerifier(vm.deployCode(artifact, abi.encode(verdicts, statuses, evaluation)));
    }

    function newDevVerifier() internal returns (DevVerifier) {
        string memory artifact = artifactOf("DevVerifier");
        if (bytes(artifact).length == 0) return new DevVerifier();
        return DevVerifier(vm.deployCode(artifact, ""));
    }

    function newAutomataVerifier(IAutomataDcap attester, uint256 statuses)
        internal
        returns (AutomataVerifier)
    {
        string memory artifact = artifactOf("AutomataVerifier");
        if (bytes(artifact).length == 0) return new AutomataVerifier(attester, statuses);
        return AutomataVerifier(payable(vm.deployCode(artifact, abi.encode(attester, statuses))));
    }

    function quorumConfig() internal view returns (VerifierQuorum.Config memory out) {
        out.threshold = 2;
        out.acceptedStatuses = ONLY_UP_TO_DATE;
        out.evaluationNumberMin = 17;
        out.policyHash = VERIFIERS_POLICY;
        out.measurements = new bytes32[](1);
        out.measurements[0] = harness.measurement(QuoteForge.report(0, 0));
        out.genesisKeys = new address[](3);
        for (uint256 i = 0; i < 3; ++i) {
            out.genesisKeys[i] = vm.addr(quorumKeys[i]);
        }
        out.genesisExpiry = uint64(NOW + 30 days);
    }

    function sortedKeys(string memory name) internal pure returns (uint256[3] memory out) {
        for (uint256 i = 0; i < 3; ++i) {
            out[i] = uint256(keccak256(abi.encode(name, i)));
        }
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = i + 1; j < 3; ++j) {
                if (vm.addr(out[j]) < vm.addr(out[i])) (out[i], out[j]) = (out[j], out[i]);
            }
        }
    }

    function nodeFields() internal view returns (Statement.Fields memory f) {
        f.chainId = uint64(block.chainid);
        f.registry = address(this);
        f.pool = 7;
        f.modelRoot = MODEL;
        f.shardRoot = keccak256("shard");
        f.layersEnd = 9;
        f.policyHash = POLICY;
        f.hpkeKey = keccak256("hpke");
        f.receiptKey = NODE;
        f.notBefore = uint64(NOW - 60);
        f.notAfter = uint64(NOW + 1 days);
    }

    /// What a registry claims of the node of `nodeFields`, with this statement.
    function claimOf(bytes memory statement) internal pure returns (NodeClaim memory claim) {
        claim.host = HOST;
        claim.pool = 7;
        claim.modelRoot = MODEL;
        claim.endLayer = 9;
        claim.policyHash = POLICY;
        claim.statementHash = sha256(statement);
        claim.receiptKey = NODE;
    }

    /// A report over the statement.
    function reportOf(bytes memory statement) internal view returns (bytes memory) {
        (bytes32 high, bytes32 low) = harness.reportData(statement);
        return QuoteForge.report(high, low);
    }

    function verdictOn(bytes memory quote) internal view returns (PlatformVerdict memory out) {
        (out.pckX, out.pckY) = abi.decode(QuoteForge.point(QuoteForge.PCK_KEY), (bytes32, bytes32));
        out.platform = keccak256(bytes.concat(PPID));
        out.fmspc = 0x00a06d080000;
        out.qeIdentity = harness.qeIdentity(quote);
        out.teeTcbSvn = bytes16(hex"0b010400000000000000000000000000");
        out.status = TcbStatus.UP_TO_DATE;
        out.evaluationNumber = 17;
        out.issuedAt = uint64(NOW - 1 hours);
        out.validUntil = uint64(NOW + 6 days);
    }

    function signatureOf(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return bytes.concat(r, s, bytes1(v));
    }

    /// By the first two keys.
    function signaturesOn(PlatformVerdict memory verdict) internal view returns (bytes memory) {
        bytes32 digest = quorum.verdictDigest(verdict);
        return bytes.concat(signatureOf(quorumKeys[0], digest), signatureOf(quorumKeys[1], digest));
    }

    function proofOf(PlatformVerdict memory verdict, bytes memory signatures, bytes memory quote)
        internal
        pure
        returns (bytes memory)
    {
        return
            bytes.concat(
                abi.encode(verdict), bytes1(uint8(signatures.length / 65)), signatures, quote
            );
    }

    function proofOf(bytes memory quote) internal view returns (bytes memory) {
        PlatformVerdict memory verdict = verdictOn(quote);
        return proofOf(verdict, signaturesOn(verdict), quote);
    }

    function ask(IAttestationVerifier target, bytes memory statement, bytes memory proof)
        internal
        returns (bytes32, bytes32, uint64)
    {
        return target.verify(claimOf(statement), abi.encode(statement, proof));
    }

    function verify(bytes memory statement, bytes memory proof)
        internal
        returns (bytes32, bytes32, uint64)
    {
        return ask(quotes, statement, proof);
    }

    function expectRefusal(
        IAttestationVerifier target,
        bytes4 selector,
        NodeClaim memory claim,
        bytes memory evidence
    ) internal {
        vm.expectPartialRevert(selector);
        target.verify(claim, evidence);
    }

    function expectRefusal(bytes4 selector, bytes memory statement, bytes memory proof) internal {
        expectRefusal(quotes, selector, claimOf(statement), abi.encode(statement, proof));
    }
}
