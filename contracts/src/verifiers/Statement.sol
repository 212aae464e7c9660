// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeClaim} from "../IAttestationVerifier.sol";

/// @title Reads a node's statement (src/attest/statement.hpp, version 2) and holds it against what
///        a registration claims.
/// @dev Strict: every byte is accounted for. Integers are little-endian.
library Statement {
    error StatementMalformed(uint256 offset);
    /// `field` as statement_json names it.
    error StatementMismatch(string field, bytes32 have, bytes32 need);

    bytes private constant TAG = "teetee statement v2";
    uint256 private constant BYTES = 2048;
    uint256 private constant VERSION_BYTES = 64;
    uint256 private constant SPKI_BYTES = 512;
    uint8 private constant PURPOSE_NODE = 1;

    /// @notice Reverts unless the statement is the one that was claimed, names this chain, the
    ///         caller's contract, and the claimed node, and is valid now.
    /// @return notAfter End of its validity, in Unix seconds.
    function check(bytes calldata statement, NodeClaim calldata claim, address registry)
        internal
        view
        returns (uint64 notAfter)
    {
        _same("statement_hash", sha256(statement), claim.statementHash);
        if (statement.length > BYTES) revert StatementMalformed(BYTES);
        uint256 offset = _tag(statement);
        offset = _skipRun(statement, offset, VERSION_BYTES);
        _same("chain_id", _little(statement, offset, 8), bytes32(block.chainid));
        _same("contract", _account(statement, offset + 8), bytes32(uint256(uint160(registry))));
        _same("pool", _little(statement, offset + 28, 8), bytes32(uint256(claim.pool)));
        _same("model_root", _word(statement, offset + 36), claim.modelRoot);
        // The shard root stands at offset + 68. It follows from model root and layers, which the
        // attested code checks against the manifest.
        _same("layers.begin", _little(statement, offset + 100, 4), _uint(claim.firstLayer));
        _same("layers.end", _little(statement, offset + 104, 4), _uint(claim.endLayer));
        _same("policy_hash", _word(statement, offset + 108), claim.policyHash);
        offset = _skipRun(statement, offset + 140, SPKI_BYTES);
        bytes32 key = bytes32(uint256(uint160(claim.receiptKey)));
        _same("receipt_address", _account(statement, offset + 32), key);
        uint256 notBefore = uint256(_little(statement, offset + 52, 8));
        notAfter = uint64(uint256(_little(statement, offset + 60, 8)));
        if (statement.length != offset + 68) revert StatementMalformed(offset + 68);
        if (block.timestamp < notBefore) {
            revert StatementMismatch("not_before", bytes32(notBefore), bytes32(block.timestamp));
        }
        if (block.timestamp >= notAfter) {
            revert StatementMismatch("not_after", _uint(notAfter), bytes32(block.timestamp));
        }
    }

    function _tag(bytes calldata statement) private pure returns (uint256 offset) {
        offset = 4 + TAG.length;
        _slice(statement, 0, offset + 1);
        _same("tag", keccak256(statement[4:offset]), keccak256(TAG));
        if (uint256(_little(statement, 0, 4)) != TAG.length) revert StatementMalformed(0);
        if (uint8(statement[offset]) != PURPOSE_NODE) revert StatementMalformed(offset);
        ++offset;
    }

    function _skipRun(bytes calldata statement, uint256 offset, uint256 most)
        private
        pure
        returns (uint256)
    {
        uint256 length = uint256(_little(statement, offset, 4));
        if (length > most) revert StatementMalformed(offset);
        return offset + 4 + length;
    }

    function _slice(bytes calldata statement, uint256 offset, uint256 length)
        private
        pure
        returns (bytes calldata)
    {
        if (statement.length < offset + length) revert StatementMalformed(offset);
        return statement[offset:offset + length];
    }

    function _word(bytes calldata statement, uint256 offset) private pure returns (bytes32) {
        return bytes32(_slice(statement, offset, 32));
    }

    function _account(bytes calldata statement, uint256 offset) private pure returns (bytes32) {
        return bytes32(uint256(uint160(bytes20(_slice(statement, offset, 20)))));
    }

    function _little(bytes calldata statement, uint256 offset, uint256 length)
        private
        pure
        returns (bytes32)
    {
        bytes calldata part = _slice(statement, offset, length);
        uint256 value = 0;
        for (uint256 i = length; i > 0; --i) {
            value = value << 8 | uint8(part[i - 1]);
        }
        return bytes32(value);
    }

    function _uint(uint256 value) private pure returns (bytes32) {
        return bytes32(value);
    }

    function _same(string memory field, bytes32 have, bytes32 need) private pure {
        if (have != need) revert StatementMismatch(field, have, need);
    }
}
