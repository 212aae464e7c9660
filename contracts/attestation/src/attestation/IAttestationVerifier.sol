// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title What a registry asks before it believes that a key lives in a TEE
/// @notice A pool names one verifier. The registry that calls is `msg.sender`, and the statement
/// must name it as its contract: evidence made for one deployment is none for another.
interface IAttestationVerifier {
    /// @notice Checks that `evidence` is a TEE's quote over `statement`, that the statement is
    /// well-formed, valid now, made for this chain, for the caller and for `policyHash`, and that
    /// its receipt key is `receiptKey`. Reverts on anything doubtful.
    /// @dev Pool, slot, model and shard of the statement are the caller's to check: it knows them
    /// (`Statement.decode`). So is which measurements it accepts: evidence of a genuine TEE says
    /// nothing about whether the code in it is wanted.
    /// @param policyHash SHA-256 of the policy file that the node holds its peers against.
    /// @param statement The bytes that src/attest's encode_statement writes.
    /// @param receiptKey The account whose key signs receipts.
    /// @param evidence In the form that the verifier documents.
    /// @return measurement What runs in the TEE: see `TdReport.measurement`.
    /// @return evidenceHash keccak256 of the quote from its header to the end of the QE's auth data:
    /// all of it that signatures cover, and they themselves.
    /// @return expiry When the evidence ceases to count, in Unix seconds; later than now.
    function verify(
        bytes32 policyHash,
        bytes calldata statement,
        address receiptKey,
        bytes calldata evidence
    ) external returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry);
}
