// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What attested verifiers found out about one platform, by Intel's collateral.
/// @dev EIP-712: the struct's name and members as they stand here; domain "TeeTee VerifierQuorum",
/// version "1", this chain, the quorum's address. All members are words, so that the ABI encoding is
/// 352 bytes.
struct PlatformVerdict {
    /// The key of the PCK certificate, which leads to Intel's root and is not revoked.
    bytes32 pckX;
    bytes32 pckY;
    /// keccak256 of the certificate's PPID (16 bytes): which machine it is.
    bytes32 platform;
    bytes6 fmspc;
    /// `TdxQuote.qeIdentity` of a quoting enclave that agrees with Intel's QE identity.
    bytes32 qeIdentity;
    /// Of the TD report: together with the certificate's TCB this is what the status is for.
    bytes16 teeTcbSvn;
    /// Zero for a report of 1.0.
    bytes16 teeTcbSvn2;
    /// Platform, TDX module and quoting enclave together; see `TcbStatus`.
    uint8 status;
    /// The lower tcbEvaluationDataNumber of TCB info and QE identity.
    uint32 evaluationNumber;
    uint64 issuedAt;
    /// Not later than the collateral that it was derived from.
    uint64 validUntil;
}

/// @title Who vouches for platforms
interface IPlatformVerdicts {
    /// @notice Reverts unless enough live verifiers have signed the verdict and it counts now.
    /// @param signatures 65 bytes (r, s, v) each, in ascending order of the signers' addresses.
    function ensureVouched(PlatformVerdict calldata verdict, bytes calldata signatures)
        external
        view;
}
