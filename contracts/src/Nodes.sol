// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {NodeClaim} from "./IAttestationVerifier.sol";
import {Limits} from "./Limits.sol";
import {Pools} from "./Pools.sol";
import {TypedData} from "./TypedData.sol";
import "./Errors.sol";

/// @title Who serves which slot, on which evidence.
/// @notice A node is registered by its host's wallet. Its receipt key signs for that wallet, so
///         nobody can register another's node, nor take a registration out of the mempool.
abstract contract Nodes is Pools, TypedData {
    using SafeCast for uint256;

    struct Registration {
        uint64 pool;
        uint16 slot;
        address receiptKey;
        /// SHA-256 of the node's statement.
        bytes32 statementHash;
        string endpoint;
        /// For the pool's verifier.
        bytes evidence;
        /// Registration by the receipt key, 65 bytes.
        bytes signature;
    }

    struct Renewal {
        bytes32 statementHash;
        string endpoint;
        bytes evidence;
        bytes signature;
    }

    struct Node {
        address receiptKey;
        /// Unix seconds; a host that leaves brings it forward.
        uint48 expiry;
        uint16 slot;
        bool left;
        address host;
        uint48 pool;
        bytes32 measurement;
    }

    /// @dev What the verifier found.
    struct Verdict {
        bytes32 measurement;
        bytes32 evidenceHash;
        uint48 expiry;
    }

    event NodeRegistered(
        uint64 indexed pool,
        uint64 indexed node,
        address indexed host,
        uint16 slot,
        address receiptKey,
        bytes32 statementHash,
        bytes32 evidenceHash,
        bytes32 measurement,
        uint64 expiry,
        string endpoint
    );
    event NodeRenewed(
        uint64 indexed pool,
        uint64 indexed node,
        bytes32 statementHash,
        bytes32 evidenceHash,
        uint64 expiry,
        string endpoint
    );
    event NodeLeft(uint64 indexed pool, uint64 indexed node);

    error UnknownSlot(uint256 have, uint256 count);
    /// A key belongs to one node for ever: a TEE that starts anew makes a new key.
    error KeyInUse(address receiptKey, uint64 node);
    error NodeHasLeft(uint64 node);
    error TooManyNodes(uint256 have, uint256 most);
    error MeasurementChanged(bytes32 have, bytes32 need);

    /// How many nodes were registered; ids count from 1.
    uint64 public nodeCount;
    /// The node that a receipt key belongs to, or zero.
    mapping(address receiptKey => uint64 node) public nodeOfKey;

    mapping(uint64 node => Node) private _nodes;
    mapping(uint64 pool => mapping(address host => uint64[])) private _hostNodes;

    /// @notice Registers a node of the caller. Value is the verifier's fee and goes there whole.
    /// @return id Of the new node.
    function registerNode(Registration calldata registration)
        external
        payable
        nonReentrant
        returns (uint64 id)
    {
        Pool storage pool = _openPool(registration.pool);
        address key = registration.receiptKey;
        if (key == address(0)) revert ZeroAddress();
        if (nodeOfKey[key] != 0) revert KeyInUse(key, nodeOfKey[key]);
        NodeClaim memory claim = _claim(pool, registration.pool, registration.slot);
        claim.receiptKey = key;
        claim.statementHash = registration.statementHash;
        _ensureSigned(claim, registration.endpoint, registration.signature);
        Verdict memory verdict = _verify(pool, claim, registration.evidence);

        id = ++nodeCount;
        nodeOfKey[key] = id;
        _nodes[id] = Node({
            receiptKey: key,
            expiry: verdict.expiry,
            slot: registration.slot,
            left: false,
            host: msg.sender,
            pool: uint256(registration.pool).toUint48(),
            measurement: verdict.measurement
        });
        _list(registration.pool, id);
        _announce(id, registration, verdict);
    }

    /// @notice New evidence for a node of the caller, with the same key and the same code; until
    ///         SETTLE_GRACE after its expiry. Value is the verifier's fee.
    function renewNode(uint64 id, Renewal calldata renewal) external payable nonReentrant {
        Node storage node = _ownNode(id);
        uint256 most = node.expiry + Limits.SETTLE_GRACE;
        if (block.timestamp > most) revert TooLate(block.timestamp, most);
        Pool storage pool = _poolAt(node.pool);
        NodeClaim memory claim = _claim(pool, node.pool, node.slot);
        claim.receiptKey = node.receiptKey;
        claim.statementHash = renewal.statementHash;
        _ensureSigned(claim, renewal.endpoint, renewal.signature);
        Verdict memory verdict = _verify(pool, claim, renewal.evidence);
        if (verdict.measurement != node.measurement) {
            revert MeasurementChanged(verdict.measurement, node.measurement);
        }

        node.expiry = verdict.expiry;
        emit NodeRenewed(
            node.pool,
            id,
            renewal.statementHash,
            verdict.evidenceHash,
            verdict.expiry,
            renewal.endpoint
        );
    }

    /// @notice Takes a node of the caller out of service, for good.
    function leaveNode(uint64 id) external nonReentrant {
        Node storage node = _ownNode(id);
        node.left = true;
        if (node.expiry > block.timestamp) node.expiry = block.timestamp.toUint48();
        _unlist(node.pool, id);
        emit NodeLeft(node.pool, id);
    }

    /// @notice Everything about a node but what stands in events only.
    function nodeInfo(uint64 id) external view returns (Node memory) {
        return _nodeAt(id);
    }

    /// @notice Registered, and neither left, expired nor revoked.
    function isLive(uint64 id) public view returns (bool) {
        Node storage node = _nodes[id];
        return block.timestamp < node.expiry && isAccepted(node.pool, node.measurement);
    }

    /// @notice The wallet has a live node in the pool, and so uses the model free of charge.
    function isHost(uint64 pool, address wallet) external view returns (bool) {
        uint64[] storage ids = _hostNodes[pool][wallet];
        for (uint256 i = 0; i < ids.length; ++i) {
            if (isLive(ids[i])) return true;
        }
        return false;
    }

    /// @notice Nodes of a host that have not left, NODES_PER_HOST at most; some may have expired.
    function hostNodes(uint64 pool, address host) external view returns (uint64[] memory) {
        return _hostNodes[pool][host];
    }

    function _nodeAt(uint64 id) internal view returns (Node storage node) {
        node = _nodes[id];
        if (node.host == address(0)) revert UnknownNode(id);
    }

    /// @dev Reverts if work of this node can no longer be paid.
    function _ensureSettleable(Node storage node) internal view {
        uint256 most = node.expiry + Limits.SETTLE_GRACE;
        if (block.timestamp > most) revert TooLate(block.timestamp, most);
        uint256 revokedAt = _acceptance(node.pool, node.measurement).revokedAt;
        if (revokedAt != 0 && block.timestamp > revokedAt + Limits.REVOCATION_GRACE) {
            revert MeasurementIsRevoked(node.measurement, revokedAt);
        }
    }

    function _ownNode(uint64 id) private view returns (Node storage node) {
        node = _nodeAt(id);
        if (msg.sender != node.host) revert NotYours(msg.sender, node.host);
        if (node.left) revert NodeHasLeft(id);
    }

    function _claim(Pool storage pool, uint64 poolId, uint16 slot)
        private
        view
        returns (NodeClaim memory claim)
    {
        uint16[] storage layers = pool.slotLayers;
        if (slot >= layers.length) revert UnknownSlot(slot, layers.length);
        for (uint256 i = 0; i < slot; ++i) {
            claim.firstLayer += layers[i];
        }
        claim.endLayer = claim.firstLayer + layers[slot];
        claim.host = msg.sender;
        claim.pool = poolId;
        claim.slot = slot;
        claim.modelRoot = pool.modelRoot;
        claim.policyHash = _policyHash(pool);
    }

    function _ensureSigned(
        NodeClaim memory claim,
        string calldata endpoint,
        bytes calldata signature
    ) private view {
        if (bytes(endpoint).length == 0) {
            revert WrongLength(0, Limits.ENDPOINT_BYTES);
        }
        _ensureAtMost(bytes(endpoint).length, Limits.ENDPOINT_BYTES);
        if (claim.statementHash == 0) revert ZeroHash();
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    REGISTRATION_TYPE,
                    claim.host,
                    claim.pool,
                    claim.slot,
                    claim.statementHash,
                    keccak256(bytes(endpoint))
                )
            )
        );
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (signer != claim.receiptKey) revert WrongSigner(signer, claim.receiptKey);
    }

    function _verify(Pool storage pool, NodeClaim memory claim, bytes calldata evidence)
        private
        returns (Verdict memory verdict)
    {
        _ensureAtMost(evidence.length, Limits.EVIDENCE_BYTES);
        uint256 until;
        (verdict.measurement, verdict.evidenceHash, until) =
            pool.verifier.verify{value: msg.value}(claim, evidence);
        _ensureAccepted(claim.pool, verdict.measurement);
        if (until <= block.timestamp) revert TooLate(block.timestamp, until);
        uint256 most = block.timestamp + Limits.NODE_LIFE;
        verdict.expiry = (until < most ? until : most).toUint48();
    }

    function _announce(uint64 id, Registration calldata registration, Verdict memory verdict)
        private
    {
        emit NodeRegistered(
            registration.pool,
            id,
            msg.sender,
            registration.slot,
            registration.receiptKey,
            registration.statementHash,
            verdict.evidenceHash,
            verdict.measurement,
            verdict.expiry,
            registration.endpoint
        );
    }

    /// @dev A full list gives the place of a node that can never be live again to the new one.
    function _list(uint64 pool, uint64 id) private {
        uint64[] storage ids = _hostNodes[pool][msg.sender];
        if (ids.length < Limits.NODES_PER_HOST) {
            ids.push(id);
            return;
        }
        for (uint256 i = 0; i < ids.length; ++i) {
            Node storage node = _nodes[ids[i]];
            if (
                block.timestamp > node.expiry + Limits.SETTLE_GRACE
                    || _acceptance(pool, node.measurement).revokedAt != 0
            ) {
                ids[i] = id;
                return;
            }
        }
        revert TooManyNodes(ids.length + 1, Limits.NODES_PER_HOST);
    }

    function _unlist(uint64 pool, uint64 id) private {
        uint64[] storage ids = _hostNodes[pool][msg.sender];
        for (uint256 i = 0; i < ids.length; ++i) {
            if (ids[i] != id) continue;
            ids[i] = ids[ids.length - 1];
            ids.pop();
            return;
        }
    }
}
