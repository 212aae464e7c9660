// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WrongPayment} from "../Errors.sol";
import {IAttestationVerifier, NodeClaim} from "../IAttestationVerifier.sol";
import {Evidence} from "./Evidence.sol";
import {PckLeaf} from "./PckLeaf.sol";
import {Statement} from "./Statement.sol";
import {TdReport} from "./TdReport.sol";
import {TdxQuote} from "./TdxQuote.sol";

/// @title Evidence of the dev TEE, on dev chains only
/// @notice The proof in `Evidence` is the dev TEE's quote as it is. Everything that a real quote shows
/// is checked, but that its PCK key is one of Intel's: the key is taken from the certificate in the
/// quote, which nobody verifies here. It proves nothing about hardware.
/// @dev Cannot be deployed nor used on another chain than anvil's: chain id 31337, or Base Sepolia's
/// id where the gas price oracle is missing. That is a predeploy of every chain of the OP stack from
/// its first block; anvil does not have it, whatever chain id it is given, and has it as soon as it
/// forks the real chain.
contract DevVerifier is IAttestationVerifier {
    error NotADevChain(uint256 chainId);

    uint256 private constant ANVIL = 31_337;
    uint256 private constant BASE_SEPOLIA = 84_532;
    address private constant GAS_PRICE_ORACLE = 0x420000000000000000000000000000000000000F;

    constructor() {
        _ensureDevChain();
    }

    /// @inheritdoc IAttestationVerifier
    function verify(NodeClaim calldata claim, bytes calldata evidence)
        external
        payable
        returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry)
    {
        _ensureDevChain();
        if (msg.value != 0) revert WrongPayment(msg.value, 0);
        (bytes calldata statement, bytes calldata quote) = Evidence.split(evidence);
        expiry = Statement.check(statement, claim, msg.sender).notAfter;
        TdxQuote.Layout memory parts = TdxQuote.parse(quote);
        bytes memory leaf = PckLeaf.decode(quote[parts.chain:parts.chain + parts.chainBytes]);
        (bytes32 x, bytes32 y) = PckLeaf.publicKey(leaf);
        TdxQuote.ensureSigned(quote, parts, x, y);
        measurement = TdReport.ensureOver(TdxQuote.tdReport(quote, parts), statement);
        evidenceHash = TdxQuote.evidenceHash(quote, parts);
    }

    function _ensureDevChain() private view {
        if (block.chainid == ANVIL) return;
        if (block.chainid == BASE_SEPOLIA && GAS_PRICE_ORACLE.code.length == 0) return;
        revert NotADevChain(block.chainid);
    }
}
