// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Earnings} from "./Earnings.sol";
import {Limits} from "./Limits.sol";
import {Queries} from "./Queries.sol";
import {Vouchers} from "./Vouchers.sol";
import "./Errors.sol";

/// @title Settlement: claims of one entry become earnings of all whose nodes did the work.
/// @notice Nobody is called and nobody is paid in here, so no payer and no payee can block it.
abstract contract Settlement is Vouchers, Queries, Earnings {
    using SafeCast for uint256;

    struct Work {
        uint64 node;
        /// Prompt and completion tokens that went through this node.
        uint64 tokens;
        /// Settlement by the node's receipt key, in the compact form of ERC-2098; zero if absent.
        bytes32 r;
        bytes32 vs;
    }

    struct Batch {
        uint64 pool;
        uint64 entryNode;
        uint64 promptTokens;
        uint64 completionTokens;
        /// What all claims add to those before, in credits.
        uint128 total;
        /// Merkle root of the receipts.
        bytes32 receiptsRoot;
        SpendClaim[] spends;
        QueryClaim[] queries;
        /// In ascending order of nodes.
        Work[] work;
    }

    event Anchored(
        uint64 indexed pool,
        uint64 indexed entryNode,
        bytes32 indexed receiptsRoot,
        uint64 promptTokens,
        uint64 completionTokens,
        uint128 paid
    );
    event Earned(uint64 indexed pool, uint64 indexed node, address indexed host, uint128 amount);
    event FeeEarned(uint64 indexed pool, address indexed creator, uint128 amount);
    event SettlementAnnounced(bytes32 indexed digest, address indexed by);

    error AlreadyAnchored(uint64 entryNode, bytes32 receiptsRoot, uint256 since);
    error NoTokens();
    /// `work` is the place of the node in the list.
    error NodesOutOfOrder(uint256 work);
    error NodeOfAnotherPool(uint256 work, uint64 have, uint64 need);
    error NodeUnsigned(uint256 work, address have, address need);
    error AbsentTooSoon(uint256 work, uint256 have, uint256 need);
    error EntryNotAtWork(uint64 entryNode);
    error SlotTokens(uint256 slot, uint256 have, uint256 need);
    error TotalMismatch(uint256 have, uint256 need);
    error AboveThePrice(uint256 have, uint256 most);
    error AlreadyAnnounced(bytes32 digest, uint256 since);

    /// When an entry anchored receipts, in Unix seconds; zero if it did not.
    mapping(uint64 entryNode => mapping(bytes32 receiptsRoot => uint256)) public anchoredAt;
    /// When the settlement of a digest was announced, in Unix seconds; zero if it was not.
    mapping(bytes32 digest => uint256) public announcedAt;

    /// @notice Settles a batch of claims. Anybody may: the signatures say what it is. Either all of
    ///         it holds or nothing happens; errors name the place of what is wrong.
    function settle(Batch calldata batch) external nonReentrant {
        _ensureFresh(batch);
        bytes32 digest = settlementDigest(batch);
        Pool storage pool = _poolAt(batch.pool);
        (address[] memory hosts, uint256[] memory weights, uint256 weight) =
            _checkWork(batch, pool, digest);
        Node storage entry = _nodeAt(batch.entryNode);
        uint256 paid = _collect(batch, pool, entry.receiptKey);

        anchoredAt[batch.entryNode][batch.receiptsRoot] = block.timestamp;
        emit Anchored(
            batch.pool,
            batch.entryNode,
            batch.receiptsRoot,
            batch.promptTokens,
            batch.completionTokens,
            paid.toUint128()
        );
        if (paid == 0) return;
        uint256 fee = paid * pool.feeBps / Limits.BPS;
        if (fee != 0) {
            _earn(pool.creator, fee.toUint128());
            emit FeeEarned(batch.pool, pool.creator, fee.toUint128());
        }
        _split(batch, paid - fee, hosts, weights, weight);
    }

    /// @notice Makes it public that a settlement is to be made without the signatures of some of its
    ///         stages: from ABSENCE_DELAY on it needs only that of its entry. So a stage that died,
    ///         or whose host holds its signature back, cannot keep the others from their money.
    function announceSettlement(bytes32 digest) external nonReentrant {
        if (announcedAt[digest] != 0) revert AlreadyAnnounced(digest, announcedAt[digest]);
        announcedAt[digest] = block.timestamp;
        emit SettlementAnnounced(digest, msg.sender);
    }

    /// @notice What the nodes of a batch sign. Signatures in the batch are not part of it.
    function settlementDigest(Batch calldata batch) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    SETTLEMENT_TYPE,
                    batch.pool,
                    batch.entryNode,
                    batch.promptTokens,
                    batch.completionTokens,
                    batch.total,
                    batch.receiptsRoot,
                    _hashSpends(batch.spends),
                    _hashQueries(batch.queries),
                    _hashWork(batch.work)
                )
            )
        );
    }

    function _ensureFresh(Batch calldata batch) private view {
        _ensureAtMost(batch.spends.length + batch.queries.length, Limits.CLAIMS);
        _ensureAtMost(batch.work.length, Limits.WORK_NODES);
        if (batch.receiptsRoot == 0) revert ZeroHash();
        if (batch.promptTokens == 0 && batch.completionTokens == 0) revert NoTokens();
        uint256 since = anchoredAt[batch.entryNode][batch.receiptsRoot];
        if (since != 0) revert AlreadyAnchored(batch.entryNode, batch.receiptsRoot, since);
    }

    /// @dev Every token went through every slot, and who did it has signed for it.
    function _checkWork(Batch calldata batch, Pool storage pool, bytes32 digest)
        private
        view
        returns (address[] memory hosts, uint256[] memory weights, uint256 weight)
    {
        uint16[] memory layers = pool.slotLayers;
        uint256[] memory slotTokens = new uint256[](layers.length);
        hosts = new address[](batch.work.length);
        weights = new uint256[](batch.work.length);
        bool entryWorked = false;
        uint256 last = 0;
        for (uint256 i = 0; i < batch.work.length; ++i) {
            Work calldata work = batch.work[i];
            if (work.node <= last) revert NodesOutOfOrder(i);
            last = work.node;
            Node storage node = _nodeAt(work.node);
            if (node.pool != batch.pool) revert NodeOfAnotherPool(i, node.pool, batch.pool);
            _ensureSettleable(node);
            bool isEntry = work.node == batch.entryNode && node.slot == 0;
            _ensureNodeSigned(i, work, node.receiptKey, digest, isEntry);
            entryWorked = entryWorked || isEntry;
            slotTokens[node.slot] += work.tokens;
            hosts[i] = node.host;
            weights[i] = uint256(work.tokens) * layers[node.slot];
            weight += weights[i];
        }
        if (!entryWorked) revert EntryNotAtWork(batch.entryNode);
        uint256 tokens = uint256(batch.promptTokens) + batch.completionTokens;
        for (uint256 slot = 0; slot < layers.length; ++slot) {
            if (slotTokens[slot] != tokens) revert SlotTokens(slot, slotTokens[slot], tokens);
        }
    }

    function _ensureNodeSigned(
        uint256 index,
        Work calldata work,
        address key,
        bytes32 digest,
        bool isEntry
    ) private view {
        if (!isEntry && work.r == 0 && work.vs == 0) {
            uint256 since = announcedAt[digest];
            uint256 need = since + Limits.ABSENCE_DELAY;
            if (since == 0 || block.timestamp < need) {
                revert AbsentTooSoon(index, block.timestamp, need);
            }
            return;
        }
        address signer = _signer(digest, work.r, work.vs);
        if (signer != key) revert NodeUnsigned(index, signer, key);
    }

    /// @dev Takes the money of all claims out of vouchers and queries.
    function _collect(Batch calldata batch, Pool storage pool, address entry)
        private
        returns (uint256 paid)
    {
        Spender memory by = Spender(batch.pool, entry, _domainSeparatorV4(), 0, 0);
        for (uint256 i = 0; i < batch.spends.length; ++i) {
            _spend(i, batch.spends[i], by);
        }
        uint256 served = _serveAll(batch, entry);
        uint256 claimed = by.claimed + served;
        paid = by.paid + served;
        if (claimed != batch.total) revert TotalMismatch(batch.total, claimed);
        _ensureWithinPrice(batch, pool, claimed);
    }

    function _serveAll(Batch calldata batch, address entry) private returns (uint256 sum) {
        for (uint256 i = 0; i < batch.queries.length; ++i) {
            sum += _serve(i, batch.queries[i], entry);
        }
    }

    function _ensureWithinPrice(Batch calldata batch, Pool storage pool, uint256 claimed)
        private
        view
    {
        Prices memory prices = _highestPrices(pool);
        uint256 most = uint256(batch.promptTokens) * prices.prompt + uint256(batch.completionTokens)
            * prices.completion;
        if (claimed > most) revert AboveThePrice(claimed, most);
    }

    /// @dev By tokens times layers, rounded down; the entry's host gets what rounding leaves.
    function _split(
        Batch calldata batch,
        uint256 amount,
        address[] memory hosts,
        uint256[] memory weights,
        uint256 weight
    ) private {
        uint256 rest = amount;
        uint256 entry;
        for (uint256 i = 0; i < hosts.length; ++i) {
            weights[i] = amount * weights[i] / weight;
            rest -= weights[i];
            if (batch.work[i].node == batch.entryNode) entry = i;
        }
        weights[entry] += rest;
        for (uint256 i = 0; i < hosts.length; ++i) {
            uint128 share = weights[i].toUint128();
            if (share == 0) continue;
            _earn(hosts[i], share);
            emit Earned(batch.pool, batch.work[i].node, hosts[i], share);
        }
    }

    function _hashSpends(SpendClaim[] calldata claims) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            hashes[i] = keccak256(abi.encode(SPENT_TYPE, claims[i].voucher, claims[i].amount));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function _hashQueries(QueryClaim[] calldata claims) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](claims.length);
        for (uint256 i = 0; i < claims.length; ++i) {
            hashes[i] = keccak256(abi.encode(SERVED_TYPE, claims[i].query, claims[i].amount));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function _hashWork(Work[] calldata work) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](work.length);
        for (uint256 i = 0; i < work.length; ++i) {
            hashes[i] = keccak256(abi.encode(WORKED_TYPE, work[i].node, work[i].tokens));
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
