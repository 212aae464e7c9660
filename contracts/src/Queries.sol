// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Credits} from "./Credits.sol";
import {Limits} from "./Limits.sol";
import {Nodes} from "./Nodes.sol";
import "./Errors.sol";

/// @title Queries that are paid by a transaction each.
/// @notice The payer locks the highest price that the query can have, for one entry. What the answer
///         did not cost returns to the payer's credits, and all of it if it was not served in time.
abstract contract Queries is Nodes, Credits {
    using SafeCast for uint256;

    /// @dev Two words.
    struct Query {
        address payer;
        /// Credits.
        uint96 locked;
        /// Receipt key of the entry that may claim it.
        address entry;
        /// Unix seconds.
        uint48 deadline;
    }

    struct QueryClaim {
        uint64 query;
        /// What the answer costs, in credits.
        uint128 amount;
    }

    event QueryPaid(
        uint64 indexed query,
        uint64 indexed pool,
        address indexed payer,
        address entry,
        bytes32 requestHash,
        uint32 maxPromptTokens,
        uint32 maxCompletionTokens,
        uint128 locked,
        uint64 deadline
    );
    event QueryServed(uint64 indexed query, address indexed payer, uint128 paid, uint128 returned);
    event QueryReclaimed(uint64 indexed query, address indexed payer, uint128 returned);

    error UnknownQuery(uint64 query);
    error NotAnEntry(uint64 node);
    error QueryOfAnother(uint256 claim, address have, address need);
    error QueryEndedBefore(uint256 claim, uint256 have, uint256 most);
    error ClaimAboveLocked(uint256 claim, uint256 have, uint256 most);

    /// How many queries were paid; ids count from 1.
    uint64 public queryCount;
    /// Queries that are neither served nor reclaimed.
    mapping(uint64 query => Query) public queryOf;

    /// @notice Pays for one query at the prices in force. Value, in wei, must be exactly
    ///         (maxPromptTokens * prompt + maxCompletionTokens * completion) * WEI_PER_CREDIT, so
    ///         prices that changed meanwhile make this revert.
    /// @param entry Receipt key of the live entry that is to serve it.
    /// @param requestHash SHA-256 of the request's body.
    /// @param deadline In Unix seconds, QUERY_LIFE away at most.
    function payQuery(
        uint64 pool,
        address entry,
        bytes32 requestHash,
        uint32 maxPromptTokens,
        uint32 maxCompletionTokens,
        uint64 deadline
    ) external payable nonReentrant returns (uint64 id) {
        _ensureEntry(pool, entry);
        if (deadline <= block.timestamp) revert TooLate(block.timestamp, deadline);
        uint256 most = block.timestamp + Limits.QUERY_LIFE;
        if (deadline > most) revert TooLate(deadline, most);
        Prices memory prices = _prices(_openPool(pool));
        uint256 locked = uint256(maxPromptTokens) * prices.prompt + uint256(maxCompletionTokens)
            * prices.completion;
        if (locked == 0) revert ZeroAmount();
        if (msg.value != locked * WEI_PER_CREDIT) {
            revert WrongPayment(msg.value, locked * WEI_PER_CREDIT);
        }

        id = ++queryCount;
        queryOf[id] = Query(msg.sender, locked.toUint96(), entry, uint256(deadline).toUint48());
        emit QueryPaid(
            id,
            pool,
            msg.sender,
            entry,
            requestHash,
            maxPromptTokens,
            maxCompletionTokens,
            locked.toUint128(),
            deadline
        );
    }

    /// @notice Returns what a query locked to its payer's credits, if it was not settled until
    ///         QUERY_GRACE after its deadline. Anybody may call.
    function reclaimQuery(uint64 id) external nonReentrant {
        Query memory query = queryOf[id];
        if (query.payer == address(0)) revert UnknownQuery(id);
        uint256 end = query.deadline + Limits.QUERY_GRACE;
        if (block.timestamp <= end) revert TooEarly(block.timestamp, end + 1);
        delete queryOf[id];
        _credit(query.payer, query.locked);
        emit QueryReclaimed(id, query.payer, query.locked);
    }

    /// @dev Takes the price of an answer out of its query, and returns the rest to the payer.
    function _serve(uint256 index, QueryClaim calldata claim, address entry)
        internal
        returns (uint256 paid)
    {
        Query memory query = queryOf[claim.query];
        if (query.payer == address(0)) revert UnknownQuery(claim.query);
        if (query.entry != entry) revert QueryOfAnother(index, entry, query.entry);
        uint256 most = query.deadline + Limits.QUERY_GRACE;
        if (block.timestamp > most) revert QueryEndedBefore(index, block.timestamp, most);
        if (claim.amount > query.locked) {
            revert ClaimAboveLocked(index, claim.amount, query.locked);
        }
        delete queryOf[claim.query];
        uint128 returned = query.locked - claim.amount;
        if (returned != 0) _credit(query.payer, returned);
        emit QueryServed(claim.query, query.payer, claim.amount, returned);
        return claim.amount;
    }

    function _ensureEntry(uint64 pool, address entry) private view {
        uint64 id = nodeOfKey[entry];
        Node storage node = _nodeAt(id);
        if (node.pool != pool || node.slot != 0 || !isLive(id)) revert NotAnEntry(id);
    }
}
