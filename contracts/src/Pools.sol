// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAttestationVerifier} from "./IAttestationVerifier.sol";
import {Limits} from "./Limits.sol";
import "./Errors.sol";

/// @title Models on offer: what they cost, how they are cut, and what code may serve them.
/// @notice A pool belongs to its creator. Its model, slots, fee and verifier never change; prices,
///         policy and accepted measurements change with notice; a measurement is revoked at once.
abstract contract Pools is ReentrancyGuardTransient {
    using SafeCast for uint256;

    /// Credits per token.
    struct Prices {
        uint64 prompt;
        uint64 completion;
    }

    struct PoolConfig {
        bytes32 modelRoot;
        string manifestURI;
        /// Layers of each slot, in the order of the layers.
        uint16[] slotLayers;
        Prices prices;
        /// The creator's part of the revenue, of 10,000.
        uint16 feeBps;
        /// SHA-256 of the policy file.
        bytes32 policyHash;
        string policyURI;
        IAttestationVerifier verifier;
        /// Accepted from the start.
        bytes32[] measurements;
    }

    /// A pool as it is now.
    struct PoolView {
        address creator;
        address nextCreator;
        bytes32 modelRoot;
        bytes32 policyHash;
        IAttestationVerifier verifier;
        Prices prices;
        uint16 feeBps;
        bool closed;
        uint16[] slotLayers;
    }

    struct Pool {
        address creator;
        uint16 feeBps;
        bool closed;
        /// When nextPrices come (or came) into force.
        uint48 pricesFrom;
        Prices prices;
        Prices nextPrices;
        IAttestationVerifier verifier;
        /// When nextPolicyHash comes (or came) into force.
        uint48 policyFrom;
        bytes32 policyHash;
        bytes32 nextPolicyHash;
        bytes32 modelRoot;
        address nextCreator;
        uint16[] slotLayers;
    }

    struct Acceptance {
        /// Zero: never.
        uint48 from;
        /// Zero: not revoked.
        uint48 revokedAt;
    }

    event PoolCreated(
        uint64 indexed pool,
        address indexed creator,
        bytes32 indexed modelRoot,
        string manifestURI,
        uint16[] slotLayers,
        uint16 feeBps,
        IAttestationVerifier verifier
    );
    event PricesAnnounced(uint64 indexed pool, uint64 prompt, uint64 completion, uint64 from);
    event PolicyAnnounced(uint64 indexed pool, bytes32 policyHash, string policyURI, uint64 from);
    event MeasurementAccepted(uint64 indexed pool, bytes32 indexed measurement, uint64 from);
    event MeasurementRevoked(uint64 indexed pool, bytes32 indexed measurement);
    event CreatorOffered(uint64 indexed pool, address indexed nextCreator);
    event CreatorChanged(uint64 indexed pool, address indexed creator);
    event PoolClosed(uint64 indexed pool);

    error FeeTooHigh(uint256 have, uint256 most);
    error EmptySlot(uint256 slot);
    error NotAContract(address account);
    error MeasurementKnown(bytes32 measurement);
    error MeasurementUnknown(bytes32 measurement);
    error MeasurementIsRevoked(bytes32 measurement, uint256 since);

    /// How many pools there are; ids count from 1.
    uint64 public poolCount;

    mapping(uint64 pool => Pool) private _pools;
    mapping(uint64 pool => mapping(bytes32 measurement => Acceptance)) private _acceptances;

    modifier onlyCreator(uint64 id) {
        address creator = _poolAt(id).creator;
        if (msg.sender != creator) revert NotYours(msg.sender, creator);
        _;
    }

    /// @notice Offers a model. The caller is the creator.
    /// @return id Of the new pool.
    function createPool(PoolConfig calldata config) external nonReentrant returns (uint64 id) {
        _ensureSound(config);
        id = ++poolCount;
        Pool storage pool = _pools[id];
        pool.creator = msg.sender;
        pool.feeBps = config.feeBps;
        pool.prices = config.prices;
        pool.nextPrices = config.prices;
        pool.verifier = config.verifier;
        pool.policyHash = config.policyHash;
        pool.nextPolicyHash = config.policyHash;
        pool.modelRoot = config.modelRoot;
        pool.slotLayers = config.slotLayers;
        emit PoolCreated(
            id,
            msg.sender,
            config.modelRoot,
            config.manifestURI,
            config.slotLayers,
            config.feeBps,
            config.verifier
        );
        uint64 from = uint64(block.timestamp);
        emit PricesAnnounced(id, config.prices.prompt, config.prices.completion, from);
        emit PolicyAnnounced(id, config.policyHash, config.policyURI, from);
        for (uint256 i = 0; i < config.measurements.length; ++i) {
            _accept(id, config.measurements[i], block.timestamp);
        }
    }

    /// @notice Prices from PRICE_DELAY on. What was announced but is not yet in force is replaced;
    ///         prices that came into force stay for PRICE_GRACE at least, so that work done at the
    ///         ones before can be settled at them.
    function announcePrices(uint64 id, Prices calldata prices)
        external
        nonReentrant
        onlyCreator(id)
    {
        Pool storage pool = _pools[id];
        uint256 from = pool.pricesFrom;
        if (block.timestamp >= from) {
            uint256 need = from + Limits.PRICE_GRACE;
            if (block.timestamp < need) revert TooEarly(block.timestamp, need);
            pool.prices = pool.nextPrices;
        }
        pool.nextPrices = prices;
        pool.pricesFrom = (block.timestamp + Limits.PRICE_DELAY).toUint48();
        emit PricesAnnounced(id, prices.prompt, prices.completion, pool.pricesFrom);
    }

    /// @notice A policy from POLICY_DELAY on; one that is not yet in force is replaced. To shut
    ///         code out at once, revoke its measurement.
    function announcePolicy(uint64 id, bytes32 policyHash, string calldata policyURI)
        external
        nonReentrant
        onlyCreator(id)
    {
        _ensurePolicy(policyHash, policyURI);
        Pool storage pool = _pools[id];
        pool.policyHash = _policyHash(pool);
        pool.nextPolicyHash = policyHash;
        pool.policyFrom = (block.timestamp + Limits.POLICY_DELAY).toUint48();
        emit PolicyAnnounced(id, policyHash, policyURI, pool.policyFrom);
    }

    /// @notice Lets code with this measurement register from POLICY_DELAY on.
    function acceptMeasurement(uint64 id, bytes32 measurement)
        external
        nonReentrant
        onlyCreator(id)
    {
        _accept(id, measurement, block.timestamp + Limits.POLICY_DELAY);
    }

    /// @notice At once, and for good: nodes with this measurement are no longer live. What they
    ///         did can be settled for REVOCATION_GRACE.
    function revokeMeasurement(uint64 id, bytes32 measurement)
        external
        nonReentrant
        onlyCreator(id)
    {
        Acceptance storage acceptance = _acceptances[id][measurement];
        if (acceptance.from == 0) revert MeasurementUnknown(measurement);
        if (acceptance.revokedAt != 0) {
            revert MeasurementIsRevoked(measurement, acceptance.revokedAt);
        }
        acceptance.revokedAt = block.timestamp.toUint48();
        emit MeasurementRevoked(id, measurement);
    }

    /// @notice Offers the pool to another creator, who must take it. Zero takes the offer back.
    ///         Fees that were earned stay with who earned them.
    function offerPool(uint64 id, address nextCreator) external nonReentrant onlyCreator(id) {
        _pools[id].nextCreator = nextCreator;
        emit CreatorOffered(id, nextCreator);
    }

    /// @notice Takes a pool that was offered to the caller.
    function takePool(uint64 id) external nonReentrant {
        Pool storage pool = _poolAt(id);
        if (msg.sender != pool.nextCreator) revert NotYours(msg.sender, pool.nextCreator);
        pool.creator = msg.sender;
        pool.nextCreator = address(0);
        emit CreatorChanged(id, msg.sender);
    }

    /// @notice For good: no new nodes, vouchers or queries. Nodes that are there may renew, so
    ///         that what was promised is served; settlements go on.
    function closePool(uint64 id) external nonReentrant onlyCreator(id) {
        _ensureOpen(id);
        _pools[id].closed = true;
        emit PoolClosed(id);
    }

    /// @notice The pool as it is now, with the prices and the policy in force.
    function poolInfo(uint64 id) external view returns (PoolView memory info) {
        Pool storage pool = _poolAt(id);
        info.creator = pool.creator;
        info.nextCreator = pool.nextCreator;
        info.modelRoot = pool.modelRoot;
        info.policyHash = _policyHash(pool);
        info.verifier = pool.verifier;
        info.prices = _prices(pool);
        info.feeBps = pool.feeBps;
        info.closed = pool.closed;
        info.slotLayers = pool.slotLayers;
    }

    /// @notice Whether code with this measurement may register now.
    function isAccepted(uint64 id, bytes32 measurement) public view returns (bool) {
        Acceptance storage acceptance = _acceptances[id][measurement];
        return
            acceptance.from != 0 && block.timestamp >= acceptance.from && acceptance.revokedAt == 0;
    }

    function _poolAt(uint64 id) internal view returns (Pool storage pool) {
        pool = _pools[id];
        if (pool.creator == address(0)) revert UnknownPool(id);
    }

    function _openPool(uint64 id) internal view returns (Pool storage pool) {
        _ensureOpen(id);
        pool = _pools[id];
    }

    function _acceptance(uint64 id, bytes32 measurement)
        internal
        view
        returns (Acceptance storage)
    {
        return _acceptances[id][measurement];
    }

    function _ensureAccepted(uint64 id, bytes32 measurement) internal view {
        Acceptance storage acceptance = _acceptances[id][measurement];
        if (acceptance.from == 0) revert MeasurementUnknown(measurement);
        if (acceptance.revokedAt != 0) {
            revert MeasurementIsRevoked(measurement, acceptance.revokedAt);
        }
        if (block.timestamp < acceptance.from) revert TooEarly(block.timestamp, acceptance.from);
    }

    function _prices(Pool storage pool) internal view returns (Prices memory) {
        return block.timestamp >= pool.pricesFrom ? pool.nextPrices : pool.prices;
    }

    /// @dev The most that tokens may be settled at: until PRICE_GRACE after a change, the higher of
    ///      both prices.
    function _highestPrices(Pool storage pool) internal view returns (Prices memory highest) {
        highest = _prices(pool);
        if (block.timestamp < pool.pricesFrom + Limits.PRICE_GRACE) {
            Prices memory before = pool.prices;
            if (before.prompt > highest.prompt) highest.prompt = before.prompt;
            if (before.completion > highest.completion) highest.completion = before.completion;
        }
    }

    function _policyHash(Pool storage pool) internal view returns (bytes32) {
        return block.timestamp >= pool.policyFrom ? pool.nextPolicyHash : pool.policyHash;
    }

    function _ensureOpen(uint64 id) private view {
        if (_poolAt(id).closed) revert PoolIsClosed(id);
    }

    function _accept(uint64 id, bytes32 measurement, uint256 from) private {
        if (measurement == 0) revert ZeroHash();
        Acceptance storage acceptance = _acceptances[id][measurement];
        if (acceptance.from != 0) revert MeasurementKnown(measurement);
        acceptance.from = from.toUint48();
        emit MeasurementAccepted(id, measurement, uint64(from));
    }

    function _ensureSound(PoolConfig calldata config) private view {
        if (config.modelRoot == 0) revert ZeroHash();
        _ensureAtMost(bytes(config.manifestURI).length, Limits.URI_BYTES);
        _ensurePolicy(config.policyHash, config.policyURI);
        if (config.slotLayers.length == 0) revert WrongLength(0, Limits.SLOTS);
        _ensureAtMost(config.slotLayers.length, Limits.SLOTS);
        for (uint256 i = 0; i < config.slotLayers.length; ++i) {
            if (config.slotLayers[i] == 0) revert EmptySlot(i);
        }
        if (config.feeBps > Limits.FEE_BPS) revert FeeTooHigh(config.feeBps, Limits.FEE_BPS);
        if (address(config.verifier).code.length == 0) {
            revert NotAContract(address(config.verifier));
        }
        _ensureAtMost(config.measurements.length, Limits.INITIAL_MEASUREMENTS);
    }

    function _ensurePolicy(bytes32 policyHash, string calldata policyURI) private pure {
        if (policyHash == 0) revert ZeroHash();
        _ensureAtMost(bytes(policyURI).length, Limits.URI_BYTES);
    }

    function _ensureAtMost(uint256 have, uint256 most) internal pure {
        if (have > most) revert WrongLength(have, most);
    }
}
