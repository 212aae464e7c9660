// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAttestationVerifier} from "./IAttestationVerifier.sol";
import {PckLeaf} from "./PckLeaf.sol";
import {Statement} from "./Statement.sol";
import {TdReport} from "./TdReport.sol";
import {TdxQuote} from "./TdxQuote.sol";

/// @title Evidence of the dev TEE, on dev chains only
/// @notice The evidence is the dev TEE's quote as it is. Everything that a real quote shows is
/// checked, but that its PCK key is one of Intel's: the key is taken from the certificate in the
/// quote, which nobody verifies here. It proves nothing about hardware.
/// @dev Cannot be deployed nor used on another chain than anvil's: chain id 31337, or Base Sepolia's
/// id where the contract is missing that every OP chain has from its first block.
contract DevVerifier is IAttestationVerifier {
    error NotADevChain(uint256 chainId);

    uint256 private constant ANVIL = 31337;
    uint256 private constant BASE_SEPOLIA = 84532;
    address private constant GAS_PRICE_ORACLE = 0x420000000000000000000000000000000000000F;

    constructor() {
        _ensureDevChain();
    }

    /// @inheritdoc IAttestationVerifier
    function verify(
        bytes32 policyHash,
        bytes calldata statement,
        address receiptKey,
        bytes calldata evidence
    ) external view returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry) {
        _ensureDevChain();
        expiry = Statement.check(statement, msg.sender, policyHash, receiptKey).notAfter;
        TdxQuote.Layout memory parts = TdxQuote.parse(evidence);
        bytes memory leaf = PckLeaf.decode(evidence[parts.chain:parts.chain + parts.chainBytes]);
        (bytes32 x, bytes32 y) = PckLeaf.publicKey(leaf);
        TdxQuote.ensureSigned(evidence, parts, x, y);
        bytes memory report = TdxQuote.tdReport(evidence, parts);
        TdReport.ensureConfidential(report);
        (bytes32 high, bytes32 low) = TdReport.reportData(report);
        Statement.ensureBound(statement, high, low);
        return (TdReport.measurement(report), TdxQuote.evidenceHash(evidence, parts), expiry);
    }

    function _ensureDevChain() private view {
        if (block.chainid == ANVIL) return;
        if (block.chainid == BASE_SEPOLIA && GAS_PRICE_ORACLE.code.length == 0) return;
        revert NotADevChain(block.chainid);
    }
}
