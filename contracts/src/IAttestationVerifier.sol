// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a registration says of a node, and what its evidence must therefore prove.
/// @dev The contract of the node's statement is the verifier's `msg.sender`, its chain id
///      `block.chainid`.
struct NodeClaim {
    /// Wallet that registers the node. The receipt key has signed for it; evidence need not name it.
    address host;
    uint64 pool;
    uint16 slot;
    bytes32 modelRoot;
    /// Layers of the slot: first, and one past the last.
    uint32 firstLayer;
    uint32 endLayer;
    /// SHA-256 of the pool's policy file that is in force.
    bytes32 policyHash;
    /// SHA-256 of the encoded statement.
    bytes32 statementHash;
    /// Address of the receipt key, which exists only inside the TEE.
    address receiptKey;
}

/// @title Decides whether evidence proves a node's claim.
interface IAttestationVerifier {
    /// @notice Reverts on anything doubtful. Not a view: some verifiers keep a cache or take a fee.
    ///         The fee comes as value; what is too much goes back to `claim.host`. A verifier
    ///         without a fee reverts on any value.
    /// @param evidence Of the verifier's own format, of at most Limits.EVIDENCE_BYTES. Those of
    ///        src/attestation take abi.encode(bytes statement, bytes proof).
    /// @return measurement What code runs; whether it may is for the pool's list to say.
    /// @return evidenceHash Names the evidence in events.
    /// @return expiry When the evidence must have been renewed, in Unix seconds; later than now.
    function verify(NodeClaim calldata claim, bytes calldata evidence)
        external
        payable
        returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry);
}
