// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Evidence} from "../../src/attestation/Evidence.sol";
import {IPlatformVerdicts, PlatformVerdict} from "../../src/attestation/IPlatformVerdicts.sol";
import {PckLeaf} from "../../src/attestation/PckLeaf.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {TdReport} from "../../src/attestation/TdReport.sol";
import {TdxQuote} from "../../src/attestation/TdxQuote.sol";

/// The libraries, callable.
contract Harness {
    function split(bytes calldata evidence) external pure returns (bytes memory, bytes memory) {
        return Evidence.split(evidence);
    }

    function decode(bytes calldata statement) external pure returns (Statement.Fields memory) {
        return Statement.decode(statement);
    }

    function reportData(bytes calldata statement) external pure returns (bytes32, bytes32) {
        return Statement.reportData(statement);
    }

    function parse(bytes calldata quote) external pure returns (TdxQuote.Layout memory) {
        return TdxQuote.parse(quote);
    }

    function ensureSigned(bytes calldata quote, bytes32 x, bytes32 y) external view {
        TdxQuote.ensureSigned(quote, TdxQuote.parse(quote), x, y);
    }

    function tdReport(bytes calldata quote) external pure returns (bytes memory) {
        return TdxQuote.tdReport(quote, TdxQuote.parse(quote));
    }

    function qeIdentity(bytes calldata quote) external pure returns (bytes32) {
        return TdxQuote.qeIdentity(quote, TdxQuote.parse(quote));
    }

    function evidenceHash(bytes calldata quote) external pure returns (bytes32) {
        return TdxQuote.evidenceHash(quote, TdxQuote.parse(quote));
    }

    function measurement(bytes calldata report) external pure returns (bytes32) {
        return TdReport.measurement(report);
    }

    function ensureConfidential(bytes calldata report) external pure {
        TdReport.ensureConfidential(report);
    }

    function ensureSet(uint256 accepted) external pure {
        TcbStatus.ensureSet(accepted);
    }

    /// Key and PPID of the first certificate in the quote.
    function leafOf(bytes calldata quote) external pure returns (bytes32, bytes32, bytes16) {
        TdxQuote.Layout memory parts = TdxQuote.parse(quote);
        bytes memory der = PckLeaf.decode(quote[parts.chain:parts.chain + parts.chainBytes]);
        (bytes32 x, bytes32 y) = PckLeaf.publicKey(der);
        return (x, y, PckLeaf.ppid(der));
    }

    function leaf(bytes calldata chain) external pure returns (bytes memory) {
        return PckLeaf.decode(chain);
    }

    function publicKey(bytes calldata der) external pure returns (bytes32, bytes32) {
        return PckLeaf.publicKey(der);
    }

    function ppid(bytes calldata der) external pure returns (bytes16) {
        return PckLeaf.ppid(der);
    }
}

/// Vouches for everything: where a test is about the rest.
contract CredulousVerdicts is IPlatformVerdicts {
    function ensureVouched(PlatformVerdict calldata, bytes calldata) external view {}
}
