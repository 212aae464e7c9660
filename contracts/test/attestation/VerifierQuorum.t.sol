// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier, NodeClaim} from "../../src/IAttestationVerifier.sol";
import {PlatformVerdict} from "../../src/attestation/IPlatformVerdicts.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {VerifierQuorum} from "../../src/attestation/VerifierQuorum.sol";
import {vm} from "../support/Vm.sol";
import {QuoteForge} from "../support/QuoteForge.sol";
import {QuorumFixture} from "../support/QuorumFixture.sol";

/// Stands for Automata's: what it answers, the tests say.
contract Root is IAttestationVerifier {
    NodeClaim public last;
    uint256 public fee;
    bytes32 private measurement;
    uint64 private expiry;

    constructor(bytes32 measurement_, uint64 expiry_) {
        measurement = measurement_;
        expiry = expiry_;
    }

    function verify(NodeClaim calldata claim, bytes calldata evidence)
        external
        payable
        returns (bytes32, bytes32, uint64)
    {
        last = claim;
        fee = msg.value;
        return (measurement, keccak256(evidence), expiry);
    }
}

contract VerifierQuorumTest is QuorumFixture {
    uint256 private constant NEW_KEY = uint256(keccak256("attested"));

    event Admitted(
        address indexed key,
        bytes32 indexed platform,
        bytes32 measurement,
        bytes32 evidenceHash,
        uint64 expiry
    );
    event Replaced(address indexed key, bytes32 indexed platform, address by);
    event Superseded(bytes32 indexed pck, uint64 before, uint8 status);

    function verifierFields(uint256 key) private view returns (Statement.Fields memory f) {
        f = nodeFields();
        f.registry = address(quorum);
        f.pool = 0;
        f.modelRoot = 0;
        f.shardRoot = 0;
        f.policyHash = VERIFIERS_POLICY;
        f.receiptKey = vm.addr(key);
    }

    function admit(Statement.Fields memory f) private {
        bytes memory statement = QuoteForge.encode(f);
        quorum.admit(statement, proofOf(QuoteForge.quote(reportOf(statement))));
    }

    function refuse(Statement.Fields memory f, bytes4 selector) private {
        bytes memory statement = QuoteForge.encode(f);
        bytes memory proof = proofOf(QuoteForge.quote(reportOf(statement)));
        vm.expectPartialRevert(selector);
        quorum.admit(statement, proof);
    }

    function verdict() private view returns (PlatformVerdict memory) {
        return verdictOn(QuoteForge.quote(QuoteForge.report(0, 0)));
    }

    function test_two_of_three_vouch() public view {
        PlatformVerdict memory v = verdict();
        bytes32 digest = quorum.verdictDigest(v);
        bytes[3] memory s = [
            signatureOf(quorumKeys[0], digest),
            signatureOf(quorumKeys[1], digest),
            signatureOf(quorumKeys[2], digest)
        ];
        quorum.ensureVouched(v, bytes.concat(s[0], s[1]));
        quorum.ensureVouched(v, bytes.concat(s[0], s[2]));
        quorum.ensureVouched(v, bytes.concat(s[1], s[2]));
    }

    function test_fewer_or_the_same_twice_do_not() public {
        PlatformVerdict memory v = verdict();
        bytes32 digest = quorum.verdictDigest(v);
        bytes memory first = signatureOf(quorumKeys[0], digest);
        bytes memory second = signatureOf(quorumKeys[1], digest);
        expectRefused(v, "", VerifierQuorum.SignatureBytes.selector);
        expectRefused(v, first, VerifierQuorum.SignatureBytes.selector);
        expectRefused(
            v, bytes.concat(first, second, second), VerifierQuorum.SignatureBytes.selector
        );
        expectRefused(v, bytes.concat(first, first), VerifierQuorum.SignersNotAscending.selector);
        expectRefused(v, bytes.concat(second, first), VerifierQuorum.SignersNotAscending.selector);
        uint256 stranger = uint256(keccak256("stranger"));
        while (vm.addr(stranger) < vm.addr(quorumKeys[0])) ++stranger;
        expectRefused(
            v, bytes.concat(first, signatureOf(stranger, digest)), VerifierQuorum.NotLive.selector
        );
    }

    function test_digest_is_that_of_eip712() public view {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("TeeTee VerifierQuorum"),
                keccak256("1"),
                block.chainid,
                address(quorum)
            )
        );
        PlatformVerdict memory v = verdict();
        bytes32 kind = keccak256(
            "PlatformVerdict(bytes32 pckX,bytes32 pckY,bytes32 platform,bytes6 fmspc,bytes32 qeIdentity,bytes16 teeTcbSvn,bytes16 teeTcbSvn2,uint8 status,uint32 evaluationNumber,uint64 issuedAt,uint64 validUntil)"
        );
        bytes memory first =
            abi.encode(kind, v.pckX, v.pckY, v.platform, v.fmspc, v.qeIdentity, v.teeTcbSvn);
        bytes memory second =
            abi.encode(v.teeTcbSvn2, v.status, v.evaluationNumber, v.issuedAt, v.validUntil);
        bytes32 want =
            keccak256(bytes.concat(hex"1901", domain, keccak256(bytes.concat(first, second))));
        require(quorum.verdictDigest(v) == want, "digest");
    }

    function test_verdicts_count_in_their_time_only() public {
        PlatformVerdict memory v = verdict();
        v.issuedAt = uint64(NOW + 121);
        expectRefused(v, signaturesOn(v), VerifierQuorum.VerdictNotYetValid.selector);
        v.issuedAt = uint64(NOW + 120);
        quorum.ensureVouched(v, signaturesOn(v));
        v.validUntil = uint64(NOW);
        expectRefused(v, signaturesOn(v), VerifierQuorum.VerdictExpired.selector);
        v.issuedAt = uint64(NOW);
        v.validUntil = uint64(NOW + 7 days + 1);
        expectRefused(v, signaturesOn(v), VerifierQuorum.VerdictLifetime.selector);
        v.issuedAt = type(uint64).max;
        v.validUntil = type(uint64).max;
        expectRefused(v, signaturesOn(v), VerifierQuorum.VerdictNotYetValid.selector);
    }

    function test_a_later_verdict_makes_earlier_ones_worthless() public {
        PlatformVerdict memory good = verdict();
        PlatformVerdict memory revoked = verdict();
        revoked.status = TcbStatus.REVOKED;
        revoked.issuedAt += 1;
        bytes32 pck = keccak256(abi.encode(good.pckX, good.pckY));
        bytes memory signatures = signaturesOn(revoked);
        vm.expectEmit();
        emit Superseded(pck, revoked.issuedAt, TcbStatus.REVOKED);
        quorum.supersede(revoked, signatures);
        expectRefused(good, signaturesOn(good), VerifierQuorum.VerdictSuperseded.selector);
        vm.expectPartialRevert(VerifierQuorum.AlreadySuperseded.selector);
        quorum.supersede(revoked, signatures);
        signatures = signaturesOn(good);
        vm.expectPartialRevert(VerifierQuorum.VerdictSuperseded.selector);
        quorum.supersede(good, signatures);
        quorum.ensureVouched(revoked, signaturesOn(revoked));
    }

    function test_admits_by_evidence_and_lets_it_vouch() public {
        Statement.Fields memory f = verifierFields(NEW_KEY);
        bytes memory statement = QuoteForge.encode(f);
        bytes memory quote = QuoteForge.quote(reportOf(statement));
        bytes memory proof = proofOf(quote);
        bytes32 platform = keccak256(bytes.concat(PPID));
        bytes32 measurement = harness.measurement(QuoteForge.report(0, 0));
        bytes32 evidenceHash = harness.evidenceHash(quote);
        vm.expectEmit();
        emit Admitted(vm.addr(NEW_KEY), platform, measurement, evidenceHash, f.notAfter);
        vm.prank(address(0xabc));
        quorum.admit(statement, proof);
        require(
            quorum.isLive(vm.addr(NEW_KEY)) && quorum.keyOf(platform) == vm.addr(NEW_KEY), "key"
        );
        PlatformVerdict memory v = verdict();
        quorum.ensureVouched(v, bothSign(NEW_KEY, quorumKeys[0], quorum.verdictDigest(v)));
        vm.warp(f.notAfter);
        require(!quorum.isLive(vm.addr(NEW_KEY)), "expired");
        expectRefused(
            v,
            bothSign(NEW_KEY, quorumKeys[0], quorum.verdictDigest(v)),
            VerifierQuorum.NotLive.selector
        );
    }

    function test_nobody_is_admitted_without_evidence_once_genesis_is_over() public {
        vm.warp(NOW + 30 days);
        PlatformVerdict memory v = verdict();
        v.issuedAt = uint64(block.timestamp);
        v.validUntil = uint64(block.timestamp + 1 days);
        expectRefused(v, signaturesOn(v), VerifierQuorum.NotLive.selector);
    }

    function test_refuses_other_software() public {
        bytes memory statement = QuoteForge.encode(verifierFields(NEW_KEY));
        bytes memory report = reportOf(statement);
        report[328] ^= 0x01;
        bytes memory proof = proofOf(QuoteForge.quote(report));
        vm.expectPartialRevert(VerifierQuorum.NotVerifierSoftware.selector);
        quorum.admit(statement, proof);
    }

    function test_refuses_the_statement_of_a_node() public {
        Statement.Fields memory f = verifierFields(NEW_KEY);
        f.pool = 1;
        refuse(f, VerifierQuorum.NotVerifierStatement.selector);
        f = verifierFields(NEW_KEY);
        f.modelRoot = keccak256("model");
        refuse(f, VerifierQuorum.NotVerifierStatement.selector);
        f = verifierFields(NEW_KEY);
        f.shardRoot = keccak256("shard");
        refuse(f, VerifierQuorum.NotVerifierStatement.selector);
        f = verifierFields(NEW_KEY);
        f.registry = address(this);
        refuse(f, Statement.StatementRegistry.selector);
        f = verifierFields(NEW_KEY);
        f.policyHash = POLICY;
        refuse(f, Statement.StatementPolicy.selector);
    }

    function test_one_key_a_platform() public {
        admit(verifierFields(NEW_KEY));
        uint256 second = uint256(keccak256("second"));
        Statement.Fields memory f = verifierFields(second);
        // Not with evidence that ends no later: that may be of a key before.
        refuse(f, VerifierQuorum.AdmittedLonger.selector);
        f.notAfter += 1;
        bytes memory statement = QuoteForge.encode(f);
        bytes memory proof = proofOf(QuoteForge.quote(reportOf(statement)));
        vm.expectEmit();
        emit Replaced(vm.addr(NEW_KEY), keccak256(bytes.concat(PPID)), vm.addr(second));
        quorum.admit(statement, proof);
        require(!quorum.isLive(vm.addr(NEW_KEY)) && quorum.isLive(vm.addr(second)), "replaced");
        refuse(verifierFields(NEW_KEY), VerifierQuorum.AdmittedLonger.selector);
    }

    function test_prolongs_but_does_not_shorten() public {
        Statement.Fields memory f = verifierFields(NEW_KEY);
        admit(f);
        refuse(f, VerifierQuorum.AdmittedLonger.selector);
        f.notAfter += 1 days;
        admit(f);
        require(quorum.expiryOf(vm.addr(NEW_KEY)) == NOW + 2 days, "longer");
    }

    function test_the_root_needs_no_genesis() public {
        VerifierQuorum.Config memory c = quorumConfig();
        c.genesisKeys = new address[](0);
        Root root = new Root(c.measurements[0], uint64(NOW + 3 days));
        c.root = root;
        quorum = newQuorum(c);
        Statement.Fields memory f = verifierFields(NEW_KEY);
        bytes memory statement = QuoteForge.encode(f);
        bytes memory quote = QuoteForge.quote(reportOf(statement));
        vm.deal(HOST, 5);
        vm.prank(HOST);
        quorum.admitByRoot{value: 5}(statement, quote);
        require(root.fee() == 5 && address(quorum).balance == 0, "fee");
        (address host,,,, uint32 first, uint32 end, bytes32 policy, bytes32 hash, address key) =
            root.last();
        require(host == HOST && first == 0 && end == 9, "claim");
        require(policy == VERIFIERS_POLICY && hash == sha256(statement), "claim");
        require(key == vm.addr(NEW_KEY), "claim");
        bytes32 platform = keccak256(bytes.concat(PPID));
        require(quorum.keyOf(platform) == vm.addr(NEW_KEY), "platform");
        require(quorum.expiryOf(vm.addr(NEW_KEY)) == NOW + 3 days, "expiry");
    }

    function test_the_roots_word_is_not_enough_for_other_software() public {
        VerifierQuorum.Config memory c = quorumConfig();
        c.root = new Root(keccak256("something else"), uint64(NOW + 3 days));
        quorum = newQuorum(c);
        bytes memory statement = QuoteForge.encode(verifierFields(NEW_KEY));
        bytes memory quote = QuoteForge.quote(reportOf(statement));
        vm.expectPartialRevert(VerifierQuorum.NotVerifierSoftware.selector);
        quorum.admitByRoot(statement, quote);
    }

    function test_without_a_root_there_is_none() public {
        vm.expectRevert(VerifierQuorum.NoRoot.selector);
        quorum.admitByRoot("", "");
    }

    function test_refuses_deployments_that_cannot_be_meant() public {
        VerifierQuorum.Config memory c = quorumConfig();
        c.threshold = 0;
        refuseDeployment(c, VerifierQuorum.ThresholdOutOfRange.selector);
        c.threshold = 17;
        refuseDeployment(c, VerifierQuorum.ThresholdOutOfRange.selector);
        c.threshold = 4;
        refuseDeployment(c, VerifierQuorum.TooFewKeys.selector);
        c = quorumConfig();
        c.acceptedStatuses = 1 << 6;
        refuseDeployment(c, TcbStatus.TcbStatusSet.selector);
        c = quorumConfig();
        c.measurements = new bytes32[](0);
        refuseDeployment(c, VerifierQuorum.NoMeasurements.selector);
        c.measurements = new bytes32[](2);
        refuseDeployment(c, VerifierQuorum.NotAscending.selector);
        c.measurements[1] = bytes32(uint256(1));
        new VerifierQuorum(c);
        c = quorumConfig();
        c.genesisKeys[1] = c.genesisKeys[0];
        refuseDeployment(c, VerifierQuorum.NotAscending.selector);
        c = quorumConfig();
        c.genesisKeys[0] = address(0);
        refuseDeployment(c, VerifierQuorum.NotAscending.selector);
        c = quorumConfig();
        c.genesisExpiry = uint64(NOW);
        refuseDeployment(c, VerifierQuorum.GenesisExpiry.selector);
        c.genesisExpiry = uint64(NOW + 30 days + 1);
        refuseDeployment(c, VerifierQuorum.GenesisExpiry.selector);
        c = quorumConfig();
        c.genesisKeys = new address[](0);
        refuseDeployment(c, VerifierQuorum.TooFewKeys.selector);
    }

    function refuseDeployment(VerifierQuorum.Config memory c, bytes4 selector) private {
        vm.expectPartialRevert(selector);
        new VerifierQuorum(c);
    }

    function expectRefused(PlatformVerdict memory v, bytes memory signatures, bytes4 selector)
        private
    {
        vm.expectPartialRevert(selector);
        quorum.ensureVouched(v, signatures);
    }

    function bothSign(uint256 one, uint256 other, bytes32 digest)
        private
        pure
        returns (bytes memory)
    {
        if (vm.addr(one) > vm.addr(other)) (one, other) = (other, one);
        return bytes.concat(signatureOf(one, digest), signatureOf(other, digest));
    }
}
