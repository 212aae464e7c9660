// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeClaim} from "../IAttestationVerifier.sol";
import {LittleEndian} from "./LittleEndian.sol";
import {Sha512} from "./Sha512.sol";

/// @title The document that a TEE binds into its quote's report data
/// @notice Who a node is, what it serves, and which keys exist only inside it. The layout is that of
/// src/attest/statement.hpp: length-prefixed "teetee statement v2", u8 purpose, length-prefixed
/// software version, u64 chain id, 20 bytes contract, u64 pool, 32 bytes model root, 32 bytes shard
/// root, u32 first layer, u32 end layer, 32 bytes policy hash, length-prefixed TLS SPKI, 32 bytes
/// HPKE key, 20 bytes receipt address, u64 not before, u64 not after; integers little-endian, length
/// prefixes u32.
library Statement {
    struct Fields {
        uint64 chainId;
        /// The contract that the statement was made for.
        address registry;
        uint64 pool;
        bytes32 modelRoot;
        bytes32 shardRoot;
        uint32 layersBegin;
        uint32 layersEnd;
        bytes32 policyHash;
        bytes32 hpkeKey;
        address receiptKey;
        uint64 notBefore;
        uint64 notAfter;
    }

    error StatementTooShort(uint256 have, uint256 need);
    error StatementTooLong(uint256 have, uint256 need);
    error StatementTag(bytes32 have, bytes32 need);
    error StatementPurpose(uint256 have, uint256 need);
    error StatementFieldLength(bytes32 field, uint256 have, uint256 most);
    error StatementVersionNotAscii(uint256 have, uint256 position);
    error StatementLayersEmpty(uint256 begin, uint256 end);
    error StatementTime(uint256 have, uint256 most);
    error StatementValidityEmpty(uint256 notBefore, uint256 notAfter);
    error StatementHash(bytes32 have, bytes32 need);
    error StatementChain(uint256 have, uint256 need);
    error StatementRegistry(address have, address need);
    error StatementPool(uint256 have, uint256 need);
    error StatementModelRoot(bytes32 have, bytes32 need);
    error StatementLayers(uint256 haveBegin, uint256 haveEnd, uint256 needBegin, uint256 needEnd);
    error StatementPolicy(bytes32 have, bytes32 need);
    error StatementReceiptKey(address have, address need);
    error StatementNotYetValid(uint256 notBefore, uint256 time);
    error StatementExpired(uint256 notAfter, uint256 time);
    error StatementLifetime(uint256 have, uint256 most);
    error ReportDataMismatch(bytes32 haveHigh, bytes32 haveLow, bytes32 needHigh, bytes32 needLow);

    bytes32 private constant TAG = "teetee statement v2";
    bytes private constant REPORT_DATA_TAG = "teetee report data v1";
    uint256 private constant PURPOSE_NODE = 1;
    uint256 private constant VERSION_BYTES_MAX = 64;
    uint256 private constant SPKI_BYTES_MAX = 512;
    /// The end of the year 9999.
    uint256 private constant TIME_MAX = 253_402_300_799;
    /// Keys and code are attested anew at least weekly.
    uint256 internal constant LIFETIME_MAX = 7 days;
    /// How far two honest clocks may be apart.
    uint256 internal constant CLOCK_SKEW_MAX = 120;

    // Bytes from the statement's start to the software version, from its end to the TLS SPKI's
    // length, and from the SPKI's end to the statement's.
    uint256 private constant HEAD_BYTES = 28;
    uint256 private constant MIDDLE_BYTES = 140;
    uint256 private constant END_BYTES = 68;

    /// @notice Strict: every field within its limits, nothing behind the end, so that encoding again
    /// gives the same bytes.
    function decode(bytes calldata statement) internal pure returns (Fields memory out) {
        _ensureBytes(statement, HEAD_BYTES);
        _checkHead(statement);
        uint256 versionBytes = LittleEndian.u32(bytes4(statement[24:28]));
        _ensureLength("software_version", versionBytes, VERSION_BYTES_MAX);
        uint256 offset = HEAD_BYTES + versionBytes;
        _ensureBytes(statement, offset + MIDDLE_BYTES + 4);
        _checkAscii(statement[HEAD_BYTES:offset]);
        _decodeMiddle(statement[offset:offset + MIDDLE_BYTES], out);
        offset += MIDDLE_BYTES;
        uint256 spkiBytes = LittleEndian.u32(bytes4(statement[offset:offset + 4]));
        _ensureLength("tls_spki", spkiBytes, SPKI_BYTES_MAX);
        offset += 4 + spkiBytes;
        _ensureBytes(statement, offset + END_BYTES);
        _decodeEnd(statement[offset:offset + END_BYTES], out);
        if (statement.length != offset + END_BYTES) {
            revert StatementTooLong(statement.length, offset + END_BYTES);
        }
    }

    /// @notice Decodes a statement that must be the one that was claimed, be made for this chain, for
    /// `registry` and for all that is claimed of the node, and be valid now.
    /// @dev A claim has no shard root: it follows from model root and layers by the manifest, which
    /// the attested code holds its shard against.
    function check(bytes calldata statement, NodeClaim memory claim, address registry)
        internal
        view
        returns (Fields memory out)
    {
        bytes32 hash = sha256(statement);
        if (hash != claim.statementHash) revert StatementHash(hash, claim.statementHash);
        out = decode(statement);
        if (out.chainId != block.chainid) revert StatementChain(out.chainId, block.chainid);
        if (out.registry != registry) revert StatementRegistry(out.registry, registry);
        _checkNode(out, claim);
        _checkTimes(out);
    }

    /// @notice What the report data of a quote over this statement is: SHA-512 of the
    /// length-prefixed "teetee report data v1" and the length-prefixed statement.
    function reportData(bytes calldata statement)
        internal
        pure
        returns (bytes32 high, bytes32 low)
    {
        return Sha512.hash(
            abi.encodePacked(
                LittleEndian.prefix(REPORT_DATA_TAG.length),
                REPORT_DATA_TAG,
                LittleEndian.prefix(statement.length),
                statement
            )
        );
    }

    /// @notice Reverts unless (haveHigh, haveLow) is the report data of a quote over the statement.
    function ensureBound(bytes calldata statement, bytes32 haveHigh, bytes32 haveLow)
        internal
        pure
    {
        (bytes32 high, bytes32 low) = reportData(statement);
        if (haveHigh != high || haveLow != low) {
            revert ReportDataMismatch(haveHigh, haveLow, high, low);
        }
    }

    function _checkNode(Fields memory have, NodeClaim memory claim) private pure {
        if (have.pool != claim.pool) revert StatementPool(have.pool, claim.pool);
        if (have.modelRoot != claim.modelRoot) {
            revert StatementModelRoot(have.modelRoot, claim.modelRoot);
        }
        if (have.layersBegin != claim.firstLayer || have.layersEnd != claim.endLayer) {
            revert StatementLayers(
                have.layersBegin, have.layersEnd, claim.firstLayer, claim.endLayer
            );
        }
        if (have.policyHash != claim.policyHash) {
            revert StatementPolicy(have.policyHash, claim.policyHash);
        }
        if (have.receiptKey != claim.receiptKey) {
            revert StatementReceiptKey(have.receiptKey, claim.receiptKey);
        }
    }

    function _checkTimes(Fields memory have) private view {
        if (have.notBefore > block.timestamp + CLOCK_SKEW_MAX) {
            revert StatementNotYetValid(have.notBefore, block.timestamp);
        }
        if (have.notAfter <= block.timestamp) {
            revert StatementExpired(have.notAfter, block.timestamp);
        }
        if (have.notAfter - have.notBefore > LIFETIME_MAX) {
            revert StatementLifetime(have.notAfter - have.notBefore, LIFETIME_MAX);
        }
    }

    function _checkHead(bytes calldata statement) private pure {
        uint256 tagBytes = LittleEndian.u32(bytes4(statement[0:4]));
        if (tagBytes != 19) revert StatementFieldLength("tag", tagBytes, 19);
        bytes32 tag = bytes32(bytes19(statement[4:23]));
        if (tag != TAG) revert StatementTag(tag, TAG);
        uint256 purpose = uint8(statement[23]);
        if (purpose != PURPOSE_NODE) revert StatementPurpose(purpose, PURPOSE_NODE);
    }

    function _checkAscii(bytes calldata text) private pure {
        for (uint256 i = 0; i < text.length; ++i) {
            uint256 c = uint8(text[i]);
            if (c < 0x20 || c > 0x7e) revert StatementVersionNotAscii(c, i);
        }
    }

    function _decodeMiddle(bytes calldata part, Fields memory out) private pure {
        out.chainId = uint64(LittleEndian.u64(bytes8(part[0:8])));
        out.registry = address(bytes20(part[8:28]));
        out.pool = uint64(LittleEndian.u64(bytes8(part[28:36])));
        out.modelRoot = bytes32(part[36:68]);
        out.shardRoot = bytes32(part[68:100]);
        out.layersBegin = uint32(LittleEndian.u32(bytes4(part[100:104])));
        out.layersEnd = uint32(LittleEndian.u32(bytes4(part[104:108])));
        out.policyHash = bytes32(part[108:140]);
        if (out.layersBegin >= out.layersEnd) {
            revert StatementLayersEmpty(out.layersBegin, out.layersEnd);
        }
    }

    function _decodeEnd(bytes calldata part, Fields memory out) private pure {
        out.hpkeKey = bytes32(part[0:32]);
        out.receiptKey = address(bytes20(part[32:52]));
        out.notBefore = _time(bytes8(part[52:60]));
        out.notAfter = _time(bytes8(part[60:68]));
        if (out.notBefore >= out.notAfter) {
            revert StatementValidityEmpty(out.notBefore, out.notAfter);
        }
    }

    function _time(bytes8 raw) private pure returns (uint64) {
        uint256 time = LittleEndian.u64(raw);
        if (time > TIME_MAX) revert StatementTime(time, TIME_MAX);
        return uint64(time);
    }

    function _ensureBytes(bytes calldata statement, uint256 need) private pure {
        if (statement.length < need) revert StatementTooShort(statement.length, need);
    }

    function _ensureLength(bytes32 field, uint256 have, uint256 most) private pure {
        if (have == 0 || have > most) revert StatementFieldLength(field, have, most);
    }
}
