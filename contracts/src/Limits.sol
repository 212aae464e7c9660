// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Everything that a caller can size, and every delay, in one place.
/// @dev Delays and ages are in seconds. docs/contracts.md says what each is for.
library Limits {
    /// As many stages as a receipt may have.
    uint256 internal constant SLOTS = 64;
    uint256 internal constant URI_BYTES = 512;
    uint256 internal constant ENDPOINT_BYTES = 256;
    /// Real quotes have 4.9 kB; padded ones, with a statement and signatures of a quorum, stay below.
    uint256 internal constant EVIDENCE_BYTES = 32 * 1024;
    /// Accepted measurements that a pool is created with; more can be added one by one.
    uint256 internal constant INITIAL_MEASUREMENTS = 32;
    /// Nodes of one host in one pool that count at a time.
    uint256 internal constant NODES_PER_HOST = 32;
    /// Of one settlement.
    uint256 internal constant CLAIMS = 256;
    uint256 internal constant WORK_NODES = 128;

    /// Of 10,000: at most a fifth of the revenue goes to the pool's creator.
    uint256 internal constant FEE_BPS = 2000;
    uint256 internal constant BPS = 10_000;

    /// Between the announcement of prices and their coming into force.
    uint256 internal constant PRICE_DELAY = 1 hours;
    /// How long the prices before may still be settled at, and how soon prices may change again.
    uint256 internal constant PRICE_GRACE = 1 days;
    /// Between the announcement of a policy, or of a measurement to accept, and its coming into force.
    uint256 internal constant POLICY_DELAY = 1 days;
    /// However long the evidence would hold.
    uint256 internal constant NODE_LIFE = 30 days;
    /// From now to the expiry of a voucher that is opened.
    uint256 internal constant VOUCHER_LIFE = 30 days;
    /// How long work may be settled after a node's or a voucher's end.
    uint256 internal constant SETTLE_GRACE = 7 days;
    /// How long work may be settled after its measurement was revoked.
    uint256 internal constant REVOCATION_GRACE = 1 hours;
    /// How long a settlement must have been announced that lacks signatures of stages.
    uint256 internal constant ABSENCE_DELAY = 1 days;
    /// From now to the deadline of a query.
    uint256 internal constant QUERY_LIFE = 1 days;
    /// How long a query may be settled after its deadline.
    uint256 internal constant QUERY_GRACE = 1 days;
    /// Between the request for a refund and the payment.
    uint256 internal constant REFUND_DELAY = 1 days;
}
