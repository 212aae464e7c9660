// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeClaim} from "../IAttestationVerifier.sol";
import {IPlatformVerdicts, PlatformVerdict} from "./IPlatformVerdicts.sol";
import {Statement} from "./Statement.sol";
import {TcbStatus} from "./TcbStatus.sol";
import {TdReport} from "./TdReport.sol";
import {TdxQuote} from "./TdxQuote.sol";

/// @title A quote with a verdict on its platform, checked against a statement
/// @notice The proof is, without any padding: the ABI-encoded `PlatformVerdict` (352 bytes), u8
/// count of signatures, the signatures (65 bytes each), the quote. The quote may be cut behind the
/// QE's auth data (`TdxQuote.parse`).
library QuoteEvidence {
    /// Which contract the statement must be made for, and which platforms are accepted.
    struct Terms {
        address registry;
        IPlatformVerdicts verdicts;
        uint256 acceptedStatuses;
        uint32 evaluationNumberMin;
    }

    struct Finding {
        bytes32 measurement;
        bytes32 evidenceHash;
        uint64 expiry;
        bytes32 platform;
    }

    error ProofTooShort(uint256 have, uint256 need);
    error VerdictForOtherQuotingEnclave(bytes32 have, bytes32 need);
    error VerdictForOtherTcb(bytes32 have, bytes32 need);
    error EvaluationNumberTooLow(uint256 have, uint256 need);

    uint256 private constant VERDICT_BYTES = 352;
    uint256 private constant SIGNATURE_BYTES = 65;

    function check(
        bytes calldata statement,
        bytes calldata proof,
        NodeClaim memory claim,
        Terms memory terms
    ) internal view returns (Finding memory out) {
        uint64 notAfter = Statement.check(statement, claim, terms.registry).notAfter;
        (PlatformVerdict memory verdict, bytes calldata quote) = _vouched(proof, terms);
        out.expiry = notAfter < verdict.validUntil ? notAfter : verdict.validUntil;
        out.platform = verdict.platform;
        _checkQuote(statement, quote, verdict, out);
    }

    /// The verdict, which counts, and what stands behind it.
    function _vouched(bytes calldata proof, Terms memory terms)
        private
        view
        returns (PlatformVerdict memory verdict, bytes calldata quote)
    {
        bytes calldata signatures;
        (verdict, signatures, quote) = _split(proof);
        TcbStatus.ensureAccepted(verdict.status, terms.acceptedStatuses);
        if (verdict.evaluationNumber < terms.evaluationNumberMin) {
            revert EvaluationNumberTooLow(verdict.evaluationNumber, terms.evaluationNumberMin);
        }
        terms.verdicts.ensureVouched(verdict, signatures);
    }

    function _checkQuote(
        bytes calldata statement,
        bytes calldata quote,
        PlatformVerdict memory verdict,
        Finding memory out
    ) private view {
        TdxQuote.Layout memory parts = TdxQuote.parse(quote);
        bytes32 qe = TdxQuote.qeIdentity(quote, parts);
        if (qe != verdict.qeIdentity) revert VerdictForOtherQuotingEnclave(verdict.qeIdentity, qe);
        bytes memory report = TdxQuote.tdReport(quote, parts);
        bytes32 have = bytes32(bytes.concat(verdict.teeTcbSvn, verdict.teeTcbSvn2));
        bytes32 need =
            bytes32(bytes.concat(TdReport.teeTcbSvn(report), TdReport.teeTcbSvn2(report)));
        if (have != need) revert VerdictForOtherTcb(have, need);
        TdxQuote.ensureSigned(quote, parts, verdict.pckX, verdict.pckY);
        out.measurement = TdReport.ensureOver(report, statement);
        out.evidenceHash = TdxQuote.evidenceHash(quote, parts);
    }

    function _split(bytes calldata proof)
        private
        pure
        returns (PlatformVerdict memory verdict, bytes calldata signatures, bytes calldata quote)
    {
        uint256 head = VERDICT_BYTES + 1;
        if (proof.length < head) revert ProofTooShort(proof.length, head);
        verdict = abi.decode(proof[:VERDICT_BYTES], (PlatformVerdict));
        uint256 quoteAt = head + SIGNATURE_BYTES * uint8(proof[VERDICT_BYTES]);
        if (proof.length < quoteAt) revert ProofTooShort(proof.length, quoteAt);
        signatures = proof[head:quoteAt];
        quote = proof[quoteAt:];
    }
}
