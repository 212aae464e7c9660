// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Statement} from "./Statement.sol";

/// @title The TD report in a quote: what runs, under which attributes
/// @notice Offsets and names as in Intel's "TDX DCAP Quoting Library" reference, appendix A.3.2.
/// @dev The report is 584 bytes (1.0) or 648 (1.5) in memory; every function here expects one of the
/// two, as `TdxQuote.parse` gives them.
library TdReport {
    error TdAttributeOn(bytes32 attribute, bytes8 have);
    error TdAttributeOff(bytes32 attribute, bytes8 have);
    error TdFieldNotZero(bytes32 field);

    uint256 internal constant BYTES_10 = 584;
    uint256 internal constant BYTES_15 = 648;

    uint256 private constant MRSIGNERSEAM = 64;
    uint256 private constant SEAMATTRIBUTES = 112;
    uint256 private constant TDATTRIBUTES = 120;
    uint256 private constant MRTD = 136;
    uint256 private constant MRCONFIGID = 184;
    uint256 private constant RTMR0 = 328;
    uint256 private constant RTMR3 = 472;
    uint256 private constant REPORTDATA = 520;
    uint256 private constant TEE_TCB_SVN_2 = 584;
    uint256 private constant MRSERVICETD = 600;
    uint256 private constant REGISTER_BYTES = 48;

    // Of TDATTRIBUTES, whose bytes are little-endian: bits 0 to 7 (debug, and reserved for more of
    // its kind), 28 and 29.
    bytes8 private constant UNDER_DEBUG = 0xff00000000000000;
    bytes8 private constant SEPT_VE_DISABLE = 0x0000001000000000;
    bytes8 private constant MIGRATABLE = 0x0000002000000000;

    /// @notice What every verifier asks of a report whose signatures it believes: that the TD is
    /// confidential, and that its report data is the statement's.
    /// @return digest See `measurement`.
    function ensureOver(bytes memory report, bytes calldata statement)
        internal
        pure
        returns (bytes32 digest)
    {
        ensureConfidential(report);
        (bytes32 high, bytes32 low) = reportData(report);
        Statement.ensureBound(statement, high, low);
        return measurement(report);
    }

    /// @notice Refuses a TD that its host can look into or carry elsewhere, and one under another
    /// TDX module than Intel's.
    function ensureConfidential(bytes memory report) internal pure {
        bytes8 attributes = tdattributes(report);
        if (attributes & UNDER_DEBUG != 0) revert TdAttributeOn("DEBUG", attributes);
        if (attributes & SEPT_VE_DISABLE == 0) {
            revert TdAttributeOff("SEPT_VE_DISABLE", attributes);
        }
        if (attributes & MIGRATABLE != 0) revert TdAttributeOn("MIGRATABLE", attributes);
        if (bytes8(_word(report, SEAMATTRIBUTES)) != 0) revert TdFieldNotZero("SEAMATTRIBUTES");
        if (!_isZero(report, MRSIGNERSEAM)) revert TdFieldNotZero("MRSIGNERSEAM");
        if (report.length == BYTES_15 && !_isZero(report, MRSERVICETD)) {
            revert TdFieldNotZero("MRSERVICETD");
        }
    }

    /// @notice What runs in the TD, as one word: keccak256 over
    ///   u8 1, TDATTRIBUTES (8 bytes), MRTD, RTMR0, RTMR1, RTMR2, RTMR3 (48 bytes each), or, where
    ///   the TD has an MRCONFIGID,
    ///   u8 2, TDATTRIBUTES, MRTD, RTMR0, RTMR1, RTMR2, MRCONFIGID.
    /// All bytes as they stand in the report. With an MRCONFIGID the software in the TD is fixed by
    /// it, and RTMR3 holds what differs from one instance to the next.
    function measurement(bytes memory report) internal pure returns (bytes32 digest) {
        bool configured = !_isZero(report, MRCONFIGID);
        uint256 last = configured ? MRCONFIGID : RTMR3;
        assembly ("memory-safe") {
            let from := add(report, 32)
            let out := mload(0x40)
            mstore8(out, add(1, configured))
            mcopy(add(out, 1), add(from, TDATTRIBUTES), 8)
            mcopy(add(out, 9), add(from, MRTD), REGISTER_BYTES)
            mcopy(add(out, 57), add(from, RTMR0), mul(3, REGISTER_BYTES))
            mcopy(add(out, 201), add(from, last), REGISTER_BYTES)
            digest := keccak256(out, 249)
        }
    }

    function tdattributes(bytes memory report) internal pure returns (bytes8) {
        return bytes8(_word(report, TDATTRIBUTES));
    }

    function reportData(bytes memory report) internal pure returns (bytes32 high, bytes32 low) {
        return (_word(report, REPORTDATA), _word(report, REPORTDATA + 32));
    }

    /// @notice Security versions of TDX module and firmware when the TD started.
    function teeTcbSvn(bytes memory report) internal pure returns (bytes16) {
        return bytes16(_word(report, 0));
    }

    /// @notice The same as they are now; zero in a report of 1.0.
    function teeTcbSvn2(bytes memory report) internal pure returns (bytes16) {
        return report.length == BYTES_15 ? bytes16(_word(report, TEE_TCB_SVN_2)) : bytes16(0);
    }

    /// 48 bytes at `offset`.
    function _isZero(bytes memory report, uint256 offset) private pure returns (bool) {
        return _word(report, offset) | _word(report, offset + 16) == 0;
    }

    function _word(bytes memory report, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(report, 32), offset))
        }
    }
}
