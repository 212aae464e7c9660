// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {LittleEndian} from "./LittleEndian.sol";
import {TdReport} from "./TdReport.sol";

/// @title Quotes of Intel TDX: format, and the signatures from the PCK key down
/// @notice Version 4 with a TD report 1.0, version 5 with one of 1.0 or 1.5; attestation key ECDSA
/// P-256. Layout as in Intel's "TDX DCAP Quoting Library" reference, appendix A.3.
/// @dev Nothing here says whether the PCK key is one of Intel's, or whether its platform is up to
/// date: whoever calls has to know.
library TdxQuote {
    /// Offsets into the quote.
    struct Layout {
        uint256 version;
        uint256 report;
        uint256 reportBytes;
        /// The signature part: quote signature, attestation key, QE report and its signature.
        uint256 signature;
        uint256 authDataBytes;
        /// Behind the QE's auth data, where the signed part of the quote ends.
        uint256 end;
        /// The PCK certificate chain; of length zero if the quote was cut at `end`.
        uint256 chain;
        uint256 chainBytes;
    }

    error QuoteTooShort(uint256 have, uint256 need);
    error QuoteTooLong(uint256 have, uint256 need);
    error QuoteField(bytes32 field, uint256 have, uint256 need);
    error QuoteVendor(bytes16 have, bytes16 need);
    error QuoteSize(bytes32 part, uint256 have, uint256 need);
    error QuoteKeyNotBound(bytes32 have, bytes32 need);
    error QuoteSignatureInvalid(bytes32 signature);
    error QuotingEnclave(bytes32 field, bytes32 have, bytes32 need);

    bytes16 private constant INTEL = 0x939a7233f79c4ca9940a0db3957f0607;
    /// The hash of the key with which Intel signs its TD quoting enclave, and the product's number.
    bytes32 private constant TDQE_MRSIGNER =
        0xdc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5;
    uint256 private constant TDQE_PRODUCT = 2;
    bytes1 private constant SGX_DEBUG = 0x02;

    uint256 private constant QUOTE_BYTES_MAX = 32 * 1024;
    uint256 private constant AUTH_BYTES_MAX = 1024;
    uint256 private constant HEADER_BYTES = 48;

    // Offsets into the signature part.
    uint256 private constant ATTESTATION_KEY = 64;
    uint256 private constant OUTER = 128;
    uint256 private constant QE_REPORT = 134;
    uint256 private constant QE_REPORT_BYTES = 384;
    uint256 private constant QE_SIGNATURE = 518;
    uint256 private constant AUTH_SIZE = 582;
    uint256 private constant AUTH_DATA = 584;

    // Offsets into the QE report.
    uint256 private constant QE_ATTRIBUTES = 48;
    uint256 private constant QE_MRSIGNER = 128;
    uint256 private constant QE_PRODUCT = 256;
    uint256 private constant QE_REPORT_DATA = 320;

    /// @notice Where everything lies. The quote may have zeros or anything else behind its end, as
    /// platforms deliver it, or be cut right behind the QE's auth data: the certificate chain costs
    /// most of the calldata, and who has the PCK key from elsewhere does not need it.
    function parse(bytes calldata quote) internal pure returns (Layout memory out) {
        if (quote.length > QUOTE_BYTES_MAX) revert QuoteTooLong(quote.length, QUOTE_BYTES_MAX);
        _ensure(quote, HEADER_BYTES);
        out.version = _checkHeader(quote);
        _parseBody(quote, out);
        uint256 sizeAt = out.report + out.reportBytes;
        out.signature = sizeAt + 4;
        _ensure(quote, out.signature + AUTH_DATA);
        uint256 signatureBytes = LittleEndian.u32(bytes4(quote[sizeAt:sizeAt + 4]));
        bytes calldata part = quote[out.signature:];
        _ensureField("certification type", LittleEndian.u16(bytes2(part[OUTER:OUTER + 2])), 6);
        out.authDataBytes = LittleEndian.u16(bytes2(part[AUTH_SIZE:AUTH_DATA]));
        if (out.authDataBytes > AUTH_BYTES_MAX) {
            revert QuoteSize("QE auth data", out.authDataBytes, AUTH_BYTES_MAX);
        }
        out.end = out.signature + AUTH_DATA + out.authDataBytes;
        _ensure(quote, out.end);
        uint256 outerBytes = LittleEndian.u32(bytes4(part[OUTER + 2:QE_REPORT]));
        if (outerBytes + QE_REPORT != signatureBytes) {
            revert QuoteSize("certification data", outerBytes + QE_REPORT, signatureBytes);
        }
        _parseChain(quote, out, signatureBytes);
    }

    /// @notice Checks that the PCK key (x, y) signed the QE's report, that this is a report of
    /// Intel's TD quoting enclave and names the attestation key, and that the attestation key signed
    /// header and TD report.
    function ensureSigned(bytes calldata quote, Layout memory parts, bytes32 x, bytes32 y)
        internal
        view
    {
        bytes calldata part = quote[parts.signature:parts.end];
        bytes calldata report = part[QE_REPORT:QE_SIGNATURE];
        _checkQuotingEnclave(report);
        bytes32 bound = sha256(abi.encodePacked(part[ATTESTATION_KEY:OUTER], part[AUTH_DATA:]));
        bytes32 have = bytes32(report[QE_REPORT_DATA:QE_REPORT_DATA + 32]);
        if (have != bound) revert QuoteKeyNotBound(have, bound);
        if (!_isSigned(sha256(report), part[QE_SIGNATURE:AUTH_SIZE], x, y)) {
            revert QuoteSignatureInvalid("QE report");
        }
        bytes32 signed = sha256(quote[:parts.report + parts.reportBytes]);
        bytes32 keyX = bytes32(part[ATTESTATION_KEY:ATTESTATION_KEY + 32]);
        bytes32 keyY = bytes32(part[ATTESTATION_KEY + 32:OUTER]);
        if (!_isSigned(signed, part[:ATTESTATION_KEY], keyX, keyY)) {
            revert QuoteSignatureInvalid("quote");
        }
    }

    /// @notice The TD report, copied.
    function tdReport(bytes calldata quote, Layout memory parts)
        internal
        pure
        returns (bytes memory)
    {
        return quote[parts.report:parts.report + parts.reportBytes];
    }

    /// @notice keccak256 of the QE's report without its report data: CPU and enclave as a verdict
    /// on the platform judges them, whichever attestation key the enclave made.
    function qeIdentity(bytes calldata quote, Layout memory parts) internal pure returns (bytes32) {
        uint256 report = parts.signature + QE_REPORT;
        return keccak256(quote[report:report + QE_REPORT_DATA]);
    }

    /// @notice keccak256 of the quote from its header to the end of the QE's auth data: all of it that
    /// signatures cover, and they themselves.
    function evidenceHash(bytes calldata quote, Layout memory parts)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(quote[:parts.end]);
    }

    function _checkHeader(bytes calldata quote) private pure returns (uint256 version) {
        version = LittleEndian.u16(bytes2(quote[0:2]));
        if (version != 4 && version != 5) revert QuoteField("version", version, 4);
        _ensureField("attestation key type", LittleEndian.u16(bytes2(quote[2:4])), 2);
        _ensureField("TEE type", LittleEndian.u32(bytes4(quote[4:8])), 0x81);
        bytes16 vendor = bytes16(quote[12:28]);
        if (vendor != INTEL) revert QuoteVendor(vendor, INTEL);
    }

    /// Version 5 puts type and size between header and report.
    function _parseBody(bytes calldata quote, Layout memory out) private pure {
        out.report = HEADER_BYTES;
        out.reportBytes = TdReport.BYTES_10;
        if (out.version == 4) return;
        _ensure(quote, HEADER_BYTES + 6);
        out.report = HEADER_BYTES + 6;
        uint256 bodyType = LittleEndian.u16(bytes2(quote[48:50]));
        if (bodyType != 2 && bodyType != 3) revert QuoteField("body type", bodyType, 3);
        if (bodyType == 3) out.reportBytes = TdReport.BYTES_15;
        _ensureField("body size", LittleEndian.u32(bytes4(quote[50:54])), out.reportBytes);
    }

    function _parseChain(bytes calldata quote, Layout memory out, uint256 signatureBytes)
        private
        pure
    {
        out.chain = out.end;
        if (quote.length == out.end) return;
        out.chain += 6;
        _ensure(quote, out.chain);
        bytes calldata head = quote[out.end:out.chain];
        _ensureField("PCK chain type", LittleEndian.u16(bytes2(head[0:2])), 5);
        out.chainBytes = LittleEndian.u32(bytes4(head[2:6]));
        uint256 need = out.signature + signatureBytes;
        if (out.chain + out.chainBytes != need) {
            revert QuoteSize("PCK chain", out.chain + out.chainBytes, need);
        }
        _ensure(quote, need);
    }

    /// A host can have a PCK key vouch for an enclave of its own; only Intel's quoting enclave keeps
    /// the attestation key to itself.
    function _checkQuotingEnclave(bytes calldata report) private pure {
        bytes32 signer = bytes32(report[QE_MRSIGNER:QE_MRSIGNER + 32]);
        if (signer != TDQE_MRSIGNER) revert QuotingEnclave("MRSIGNER", signer, TDQE_MRSIGNER);
        uint256 product = LittleEndian.u16(bytes2(report[QE_PRODUCT:QE_PRODUCT + 2]));
        if (product != TDQE_PRODUCT) {
            revert QuotingEnclave("ISVPRODID", bytes32(product), bytes32(TDQE_PRODUCT));
        }
        bytes1 attributes = report[QE_ATTRIBUTES];
        if (attributes & SGX_DEBUG != 0) revert QuotingEnclave("DEBUG", bytes32(attributes), 0);
    }

    /// Intel's signers do not care which of the two s they take, P256 wants the lower.
    function _isSigned(bytes32 digest, bytes calldata signature, bytes32 x, bytes32 y)
        private
        view
        returns (bool)
    {
        uint256 s = uint256(bytes32(signature[32:64]));
        if (s > P256.N / 2 && s < P256.N) s = P256.N - s;
        return P256.verifyNative(digest, bytes32(signature[0:32]), bytes32(s), x, y);
    }

    function _ensure(bytes calldata quote, uint256 need) private pure {
        if (quote.length < need) revert QuoteTooShort(quote.length, need);
    }

    function _ensureField(bytes32 field, uint256 have, uint256 need) private pure {
        if (have != need) revert QuoteField(field, have, need);
    }
}
