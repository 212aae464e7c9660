// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WrongPayment} from "../../src/Errors.sol";
import {NodeClaim} from "../../src/IAttestationVerifier.sol";
import {IPlatformVerdicts, PlatformVerdict} from "../../src/attestation/IPlatformVerdicts.sol";
import {QuoteEvidence} from "../../src/attestation/QuoteEvidence.sol";
import {QuoteVerifier} from "../../src/attestation/QuoteVerifier.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {TdReport} from "../../src/attestation/TdReport.sol";
import {TdxQuote} from "../../src/attestation/TdxQuote.sol";
import {VerifierQuorum} from "../../src/attestation/VerifierQuorum.sol";
import {vm} from "../support/Vm.sol";
import {QuoteForge} from "../support/QuoteForge.sol";
import {QuorumFixture} from "../support/QuorumFixture.sol";

contract QuoteVerifierTest is QuorumFixture {
    bytes private statement;
    bytes private whole;

    function setUp() public override {
        super.setUp();
        statement = QuoteForge.encode(nodeFields());
        whole = QuoteForge.quote(reportOf(statement));
    }

    function test_accepts_a_good_quote_whole_and_cut() public {
        bytes memory short = QuoteForge.cut(whole);
        (bytes32 measurement, bytes32 hash, uint64 expiry) = verify(statement, proofOf(whole));
        require(measurement == harness.measurement(reportOf(statement)), "measurement");
        require(hash == keccak256(short), "evidence hash");
        require(expiry == NOW + 1 days, "expiry");
        (bytes32 again, bytes32 hashAgain,) = verify(statement, proofOf(short));
        require(again == measurement && hashAgain == hash, "cut");
        (, bytes32 hashPadded,) = verify(statement, proofOf(bytes.concat(whole, new bytes(99))));
        require(hashPadded == hash, "padded");
    }

    function test_expires_with_the_verdict_if_that_is_sooner() public {
        PlatformVerdict memory verdict = verdictOn(whole);
        verdict.validUntil = uint64(NOW + 1 hours);
        (,, uint64 expiry) = verify(statement, proofOf(verdict, signaturesOn(verdict), whole));
        require(expiry == NOW + 1 hours, "expiry");
    }

    function test_accepts_either_s() public {
        uint256 qeSignature = 636 + 518;
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory quote = QuoteForge.slice(whole, 0, whole.length);
            if (i & 1 != 0) QuoteForge.flipS(quote, 636);
            if (i & 2 != 0) QuoteForge.flipS(quote, qeSignature);
            verify(statement, proofOf(quote));
        }
    }

    function test_accepts_version_5_of_both_sizes() public {
        (bytes32 high, bytes32 low) = harness.reportData(statement);
        bytes memory quote = quoteOf(5, QuoteForge.report(high, low));
        verify(statement, proofOf(quote));
        verify(statement, proofOf(QuoteForge.cut(quote)));

        quote = quoteOf(5, QuoteForge.report15(high, low));
        PlatformVerdict memory verdict = verdictOn(quote);
        expectRefusal(
            QuoteEvidence.VerdictForOtherTcb.selector,
            statement,
            proofOf(verdict, signaturesOn(verdict), quote)
        );
        verdict.teeTcbSvn2 = bytes16(hex"0c010500000000000000000000000000");
        verify(statement, proofOf(verdict, signaturesOn(verdict), quote));
    }

    function test_accepts_any_auth_data() public {
        bytes memory report = reportOf(statement);
        bytes memory signed = QuoteForge.signedPart(4, report);
        uint16[3] memory sizes = [uint16(0), 255, 1024];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory auth = QuoteForge.filled(0xad, sizes[i]);
            bytes memory quote = QuoteForge.quote(signed, QuoteForge.qeReport(auth), auth, "");
            verify(statement, proofOf(quote));
        }
    }

    /// Header, TD report, signatures, keys, QE report, auth data, and every length between them.
    function test_refuses_any_changed_byte_of_the_quote() public {
        bytes memory proof = proofOf(QuoteForge.cut(whole));
        refuseEveryChange(proof, 352 + 1 + 130, proof.length);
    }

    function test_refuses_any_changed_byte_of_verdict_and_signatures() public {
        bytes memory proof = proofOf(QuoteForge.cut(whole));
        refuseEveryChange(proof, 0, 352 + 1 + 130);
    }

    function test_refuses_any_changed_byte_of_the_statement() public {
        bytes memory proof = proofOf(QuoteForge.cut(whole));
        bytes memory changed = QuoteForge.slice(statement, 0, statement.length);
        for (uint256 i = 0; i < changed.length; ++i) {
            uint256 free = freeMemory();
            changed[i] ^= 0x01;
            require(!isAccepted(changed, proof), "accepted");
            changed[i] ^= 0x01;
            setFreeMemory(free);
        }
        require(isAccepted(changed, proof), "unchanged");
    }

    function testFuzz_refuses_changes(uint256 offset, uint8 difference) public {
        vm.assume(difference != 0);
        bytes memory proof = proofOf(QuoteForge.cut(whole));
        proof[offset % proof.length] ^= bytes1(difference);
        require(!isAccepted(statement, proof), "accepted");
    }

    function test_refuses_every_shorter_evidence() public {
        bytes memory proof = proofOf(QuoteForge.cut(whole));
        for (uint256 length = 0; length < proof.length; length += 3) {
            uint256 free = freeMemory();
            require(!isAccepted(statement, QuoteForge.slice(proof, 0, length)), "accepted");
            setFreeMemory(free);
        }
    }

    function test_names_what_is_short() public {
        expectRefusal(QuoteEvidence.ProofTooShort.selector, statement, new bytes(352));
        bytes memory proof = proofOf(whole);
        proof[352] = 0x40;
        expectRefusal(
            QuoteEvidence.ProofTooShort.selector, statement, QuoteForge.slice(proof, 0, 1500)
        );
    }

    function test_refuses_a_statement_for_somebody_else() public {
        bytes4[9] memory reasons = [
            Statement.StatementChain.selector,
            Statement.StatementRegistry.selector,
            Statement.StatementPool.selector,
            Statement.StatementModelRoot.selector,
            Statement.StatementLayers.selector,
            Statement.StatementLayers.selector,
            Statement.StatementLayers.selector,
            Statement.StatementPolicy.selector,
            Statement.StatementReceiptKey.selector
        ];
        for (uint256 i = 0; i < reasons.length; ++i) {
            Statement.Fields memory f = nodeFields();
            if (i == 0) f.chainId += 1;
            if (i == 1) f.registry = address(0xdead);
            if (i == 2) f.pool += 1;
            if (i == 3) f.modelRoot = keccak256("another");
            if (i == 4) f.layersBegin += 1;
            if (i == 5) f.layersEnd += 1;
            if (i == 6) f.layersEnd -= 1;
            if (i == 7) f.policyHash = keccak256("another");
            if (i == 8) f.receiptKey = address(0xdead);
            refuseFields(f, reasons[i]);
        }
    }

    function test_refuses_another_statement_than_was_claimed() public {
        NodeClaim memory claim = claimOf("another");
        bytes memory evidence = abi.encode(statement, proofOf(whole));
        expectRefusal(quotes, Statement.StatementHash.selector, claim, evidence);
    }

    function test_takes_no_fee() public {
        vm.deal(address(this), 1);
        NodeClaim memory claim = claimOf(statement);
        bytes memory evidence = abi.encode(statement, proofOf(whole));
        vm.expectRevert(abi.encodeWithSelector(WrongPayment.selector, 1, 0));
        quotes.verify{value: 1}(claim, evidence);
    }

    function test_refuses_a_statement_out_of_its_time() public {
        Statement.Fields memory f = nodeFields();
        f.notBefore = uint64(NOW + 121);
        refuseFields(f, Statement.StatementNotYetValid.selector);
        f = nodeFields();
        f.notAfter = uint64(NOW);
        refuseFields(f, Statement.StatementExpired.selector);
        f = nodeFields();
        f.notAfter = f.notBefore + 7 days + 1;
        refuseFields(f, Statement.StatementLifetime.selector);
        f.notBefore = uint64(NOW + 120);
        f.notAfter = f.notBefore + 7 days;
        acceptFields(f);
    }

    function test_refuses_another_statement_than_the_quotes() public {
        Statement.Fields memory f = nodeFields();
        f.hpkeKey = keccak256("another");
        expectRefusal(Statement.ReportDataMismatch.selector, QuoteForge.encode(f), proofOf(whole));
    }

    function test_refuses_report_data_that_differs_in_one_bit() public {
        for (uint256 place = 520; place < 584; ++place) {
            bytes memory report = reportOf(statement);
            report[place] ^= 0x10;
            bytes memory proof = proofOf(QuoteForge.cut(QuoteForge.quote(report)));
            expectRefusal(Statement.ReportDataMismatch.selector, statement, proof);
        }
    }

    function test_refuses_attributes_that_open_the_td() public {
        refuseReport(
            120,
            hex"01",
            abi.encodeWithSelector(
                TdReport.TdAttributeOn.selector, bytes32("DEBUG"), bytes8(0x0100001000000000)
            )
        );
        refuseReport(
            120,
            hex"80",
            abi.encodeWithSelector(
                TdReport.TdAttributeOn.selector, bytes32("DEBUG"), bytes8(0x8000001000000000)
            )
        );
        refuseReport(
            123,
            hex"00",
            abi.encodeWithSelector(
                TdReport.TdAttributeOff.selector, bytes32("SEPT_VE_DISABLE"), bytes8(0)
            )
        );
        refuseReport(
            123,
            hex"30",
            abi.encodeWithSelector(
                TdReport.TdAttributeOn.selector, bytes32("MIGRATABLE"), bytes8(0x0000003000000000)
            )
        );
        refuseReport(
            119,
            hex"01",
            abi.encodeWithSelector(TdReport.TdFieldNotZero.selector, bytes32("SEAMATTRIBUTES"))
        );
        refuseReport(
            111,
            hex"01",
            abi.encodeWithSelector(TdReport.TdFieldNotZero.selector, bytes32("MRSIGNERSEAM"))
        );
        refuseReport(
            64,
            hex"01",
            abi.encodeWithSelector(TdReport.TdFieldNotZero.selector, bytes32("MRSIGNERSEAM"))
        );
    }

    function test_refuses_a_bound_service_td() public {
        bytes memory report = QuoteForge.report15(0, 0);
        harness.ensureConfidential(report);
        report[647] = 0x01;
        vm.expectRevert(
            abi.encodeWithSelector(TdReport.TdFieldNotZero.selector, bytes32("MRSERVICETD"))
        );
        harness.ensureConfidential(report);
    }

    function test_refuses_another_quoting_enclave() public {
        refuseQe(128, hex"00", TdxQuote.QuotingEnclave.selector);
        refuseQe(256, hex"01", TdxQuote.QuotingEnclave.selector);
        refuseQe(257, hex"01", TdxQuote.QuotingEnclave.selector);
        refuseQe(48, hex"13", TdxQuote.QuotingEnclave.selector);
        refuseQe(320, hex"0000", TdxQuote.QuoteKeyNotBound.selector);
        // One that the verdict is not about.
        bytes memory qe = QuoteForge.qeReport(QuoteForge.AUTH_DATA);
        qe[258] = 0x0a;
        PlatformVerdict memory verdict = verdictOn(whole);
        expectRefusal(
            QuoteEvidence.VerdictForOtherQuotingEnclave.selector,
            statement,
            proofOf(verdict, signaturesOn(verdict), quoteWith(qe))
        );
    }

    function test_refuses_keys_that_signed_nothing() public {
        PlatformVerdict memory verdict = verdictOn(whole);
        (verdict.pckX, verdict.pckY) =
            abi.decode(QuoteForge.point(QuoteForge.ATTESTATION_KEY), (bytes32, bytes32));
        bytes memory proof = proofOf(verdict, signaturesOn(verdict), whole);
        refuseWith(
            abi.encodeWithSelector(TdxQuote.QuoteSignatureInvalid.selector, bytes32("QE report")),
            proof
        );
        bytes memory quote = QuoteForge.slice(whole, 0, whole.length);
        QuoteForge.put(quote, 636, QuoteForge.sign(QuoteForge.PCK_KEY, "something else"));
        proof = proofOf(quote);
        refuseWith(
            abi.encodeWithSelector(TdxQuote.QuoteSignatureInvalid.selector, bytes32("quote")), proof
        );
    }

    function test_refuses_degenerate_signatures() public {
        bytes32[4] memory values = [
            bytes32(0), bytes32(QuoteForge.P256_N), bytes32(type(uint256).max), bytes32(uint256(1))
        ];
        for (uint256 i = 0; i < values.length; ++i) {
            for (uint256 j = 0; j < values.length; ++j) {
                bytes memory quote = QuoteForge.slice(whole, 0, whole.length);
                QuoteForge.put(quote, 636, bytes.concat(values[i], values[j]));
                expectRefusal(TdxQuote.QuoteSignatureInvalid.selector, statement, proofOf(quote));
            }
        }
    }

    function test_refuses_what_the_verdict_does_not_allow() public {
        for (uint8 status = 1; status < 12; ++status) {
            PlatformVerdict memory bad = verdictOn(whole);
            bad.status = status;
            expectRefusal(
                TcbStatus.TcbStatusRefused.selector,
                statement,
                proofOf(bad, signaturesOn(bad), whole)
            );
        }
        PlatformVerdict memory verdict = verdictOn(whole);
        verdict.evaluationNumber = 16;
        expectRefusal(
            QuoteEvidence.EvaluationNumberTooLow.selector,
            statement,
            proofOf(verdict, signaturesOn(verdict), whole)
        );
        verdict = verdictOn(whole);
        verdict.teeTcbSvn = 0;
        expectRefusal(
            QuoteEvidence.VerdictForOtherTcb.selector,
            statement,
            proofOf(verdict, signaturesOn(verdict), whole)
        );
        verdict = verdictOn(whole);
        bytes memory signatures = signaturesOn(verdict);
        verdict.fmspc = 0x000000000001;
        require(!isAccepted(statement, proofOf(verdict, signatures, whole)), "signed by nobody");
    }

    function test_accepts_the_statuses_it_was_made_for() public {
        quotes = newQuoteVerifier(quorum, (1 << 0) | (1 << 1) | (1 << 9), 0);
        for (uint8 status = 0; status < 12; ++status) {
            PlatformVerdict memory verdict = verdictOn(whole);
            verdict.status = status;
            bytes memory proof = proofOf(verdict, signaturesOn(verdict), whole);
            bool want = status == 0 || status == 1 || status == 9;
            require(isAccepted(statement, proof) == want, "status");
        }
    }

    function test_cannot_be_made_to_accept_revoked_platforms() public {
        uint256[4] memory sets = [uint256(0), 1 << 6, (1 << 0) | (1 << 7), 1 << 10];
        for (uint256 i = 0; i < sets.length; ++i) {
            vm.expectPartialRevert(TcbStatus.TcbStatusSet.selector);
            new QuoteVerifier(quorum, sets[i], 0);
        }
        vm.expectPartialRevert(QuoteVerifier.NoContract.selector);
        new QuoteVerifier(IPlatformVerdicts(address(0xdead)), 1, 0);
    }

    function test_measures_by_mrconfigid_where_there_is_one() public view {
        bytes memory report = QuoteForge.report(0, 0);
        bytes memory registers = QuoteForge.slice(report, 328, 472);
        bytes memory head = QuoteForge.slice(report, 120, 128);
        bytes memory mrtd = QuoteForge.slice(report, 136, 184);
        bytes32 want = keccak256(
            bytes.concat(hex"01", head, mrtd, registers, QuoteForge.slice(report, 472, 520))
        );
        require(harness.measurement(report) == want, "RTMR3");
        // The last byte alone makes it one.
        report[231] = 0x01;
        want = keccak256(
            bytes.concat(hex"02", head, mrtd, registers, QuoteForge.slice(report, 184, 232))
        );
        require(harness.measurement(report) == want, "MRCONFIGID");
        report[472] ^= 0x01;
        require(harness.measurement(report) == want, "RTMR3 does not count");
    }

    function test_refuses_other_formats() public {
        refuseFormat(0, hex"0300", TdxQuote.QuoteField.selector);
        refuseFormat(2, hex"0300", TdxQuote.QuoteField.selector);
        refuseFormat(4, hex"00000000", TdxQuote.QuoteField.selector);
        refuseFormat(12, hex"00", TdxQuote.QuoteVendor.selector);
        refuseFormat(636 + 128, hex"05", TdxQuote.QuoteField.selector);
        refuseFormat(636 + 130, hex"00", TdxQuote.QuoteSize.selector);
        refuseFormat(632, hex"00", TdxQuote.QuoteSize.selector);
        uint256 chain = 636 + 584 + QuoteForge.AUTH_DATA.length;
        refuseFormat(chain, hex"04", TdxQuote.QuoteField.selector);
        refuseFormat(chain + 2, hex"00", TdxQuote.QuoteSize.selector);
        vm.expectPartialRevert(TdxQuote.QuoteTooLong.selector);
        harness.parse(new bytes(32 * 1024 + 1));
        bytes memory quote = QuoteForge.slice(whole, 0, whole.length);
        QuoteForge.put(quote, 636 + 582, hex"0104");
        vm.expectPartialRevert(TdxQuote.QuoteSize.selector);
        harness.parse(quote);
        quote = quoteOf(5, QuoteForge.report(0, 0));
        quote[48] = 0x01;
        vm.expectPartialRevert(TdxQuote.QuoteField.selector);
        harness.parse(quote);
        quote[48] = 0x03;
        vm.expectPartialRevert(TdxQuote.QuoteField.selector);
        harness.parse(quote);
    }

    function test_refuses_every_shorter_quote() public view {
        uint256 end = QuoteForge.cut(whole).length;
        for (uint256 length = 0; length < whole.length; ++length) {
            if (length == end) continue;
            refuseShort(whole, length);
        }
        bytes memory five = quoteOf(5, QuoteForge.report(0, 0));
        for (uint256 length = 40; length < 60; ++length) {
            refuseShort(five, length);
        }
    }

    function testFuzz_parses_or_refuses(bytes memory noise) public view {
        bytes memory quote = bytes.concat(QuoteForge.header(4), noise);
        try harness.parse(quote) {}
        catch (bytes memory reason) {
            require(reason.length > 4 && bytes4(reason) != 0x4e487b71, "panic");
        }
    }

    function refuseShort(bytes memory quote, uint256 length) private view {
        uint256 free = freeMemory();
        try harness.parse(QuoteForge.slice(quote, 0, length)) {
            revert("accepted");
        } catch (bytes memory reason) {
            require(bytes4(reason) == TdxQuote.QuoteTooShort.selector, "reason");
        }
        setFreeMemory(free);
    }

    function refuseFormat(uint256 offset, bytes memory with, bytes4 selector) private {
        bytes memory quote = QuoteForge.slice(whole, 0, whole.length);
        QuoteForge.put(quote, offset, with);
        vm.expectPartialRevert(selector);
        harness.parse(quote);
    }

    function refuseFields(Statement.Fields memory f, bytes4 selector) private {
        bytes memory other = QuoteForge.encode(f);
        expectRefusal(selector, other, proofOf(QuoteForge.quote(reportOf(other))));
    }

    function acceptFields(Statement.Fields memory f) private {
        bytes memory other = QuoteForge.encode(f);
        verify(other, proofOf(QuoteForge.quote(reportOf(other))));
    }

    function refuseReport(uint256 offset, bytes memory with, bytes memory reason) private {
        bytes memory report = reportOf(statement);
        QuoteForge.put(report, offset, with);
        bytes memory proof = proofOf(QuoteForge.quote(report));
        refuseWith(reason, proof);
    }

    function refuseWith(bytes memory reason, bytes memory proof) private {
        NodeClaim memory claim = claimOf(statement);
        bytes memory evidence = abi.encode(statement, proof);
        vm.expectRevert(reason);
        quotes.verify(claim, evidence);
    }

    function refuseQe(uint256 offset, bytes memory with, bytes4 selector) private {
        bytes memory qe = QuoteForge.qeReport(QuoteForge.AUTH_DATA);
        QuoteForge.put(qe, offset, with);
        expectRefusal(selector, statement, proofOf(quoteWith(qe)));
    }

    function quoteWith(bytes memory qe) private view returns (bytes memory) {
        bytes memory signed = QuoteForge.signedPart(4, reportOf(statement));
        return QuoteForge.quote(signed, qe, QuoteForge.AUTH_DATA, "");
    }

    function quoteOf(uint16 version, bytes memory report) private pure returns (bytes memory) {
        bytes memory auth = QuoteForge.AUTH_DATA;
        bytes memory signed = QuoteForge.signedPart(version, report);
        return QuoteForge.quote(signed, QuoteForge.qeReport(auth), auth, "chain");
    }

    function refuseEveryChange(bytes memory proof, uint256 begin, uint256 end) private {
        require(isAccepted(statement, proof), "unchanged");
        for (uint256 i = begin; i < end; ++i) {
            uint256 free = freeMemory();
            proof[i] ^= 0x01;
            require(!isAccepted(statement, proof), "accepted");
            proof[i] ^= 0x01;
            setFreeMemory(free);
        }
    }

    function isAccepted(bytes memory document, bytes memory proof) private returns (bool) {
        try quotes.verify(claimOf(document), abi.encode(document, proof)) {
            return true;
        } catch {
            return false;
        }
    }

    function freeMemory() private pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }

    function setFreeMemory(uint256 free) private pure {
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }
}
