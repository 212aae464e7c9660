// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IPlatformVerdicts, PlatformVerdict} from "./IPlatformVerdicts.sol";
import {Statement} from "./Statement.sol";
import {TcbStatus} from "./TcbStatus.sol";
import {TdReport} from "./TdReport.sol";
import {TdxQuote} from "./TdxQuote.sol";

/// @title A quote with a verdict on its platform, checked against a statement
/// @notice The evidence is, without any padding: the ABI-encoded `PlatformVerdict` (352 bytes), u8
/// count of signatures, the signatures (65 bytes each), the quote. The quote may be cut behind the
/// QE's auth data (`TdxQuote.parse`).
library QuoteEvidence {
    /// What the statement must be made for, and which platforms are accepted.
    struct Terms {
        address registry;
        bytes32 policyHash;
        address receiptKey;
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

    error EvidenceTooShort(uint256 have, uint256 need);
    error VerdictForOtherQuotingEnclave(bytes32 have, bytes32 need);
    error VerdictForOtherTcb(bytes32 have, bytes32 need);
    error EvaluationNumberTooLow(uint256 have, uint256 need);

    uint256 private constant VERDICT_BYTES = 352;
    uint256 private constant SIGNATURE_BYTES = 65;

    function check(bytes calldata statement, bytes calldata evidence, Terms memory terms)
        internal
        view
        returns (Finding memory out)
    {
        (PlatformVerdict memory verdict, bytes calldata signatures, bytes calldata quote) =
            _split(evidence);
        Statement.Fields memory fields =
            Statement.check(statement, terms.registry, terms.policyHash, terms.receiptKey);
        TcbStatus.ensureAccepted(verdict.status, terms.acceptedStatuses);
        if (verdict.evaluationNumber < terms.evaluationNumberMin) {
            revert EvaluationNumberTooLow(verdict.evaluationNumber, terms.evaluationNumberMin);
        }
        terms.verdicts.ensureVouched(verdict, signatures);
        _checkQuote(statement, quote, verdict, out);
        out.expiry = fields.notAfter < verdict.validUntil ? fields.notAfter : verdict.validUntil;
        out.platform = verdict.platform;
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
        TdReport.ensureConfidential(report);
        (bytes32 high, bytes32 low) = TdReport.reportData(report);
        Statement.ensureBound(statement, high, low);
        out.measurement = TdReport.measurement(report);
        out.evidenceHash = TdxQuote.evidenceHash(quote, parts);
    }

    function _split(bytes calldata evidence)
        private
        pure
        returns (PlatformVerdict memory verdict, bytes calldata signatures, bytes calldata quote)
    {
        uint256 head = VERDICT_BYTES + 1;
        if (evidence.length < head) revert EvidenceTooShort(evidence.length, head);
        verdict = abi.decode(evidence[:VERDICT_BYTES], (PlatformVerdict));
        uint256 quoteAt = head + SIGNATURE_BYTES * uint8(evidence[VERDICT_BYTES]);
        if (evidence.length < quoteAt) revert EvidenceTooShort(evidence.length, quoteAt);
        signatures = evidence[head:quoteAt];
        quote = evidence[quoteAt:];
    }
}
