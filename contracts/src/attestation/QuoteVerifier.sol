// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WrongPayment} from "../Errors.sol";
import {IAttestationVerifier, NodeClaim} from "../IAttestationVerifier.sol";
import {Evidence} from "./Evidence.sol";
import {IPlatformVerdicts} from "./IPlatformVerdicts.sol";
import {QuoteEvidence} from "./QuoteEvidence.sol";
import {TcbStatus} from "./TcbStatus.sol";

/// @title Quotes checked on chain, platforms vouched for by a quorum of attested verifiers
/// @notice The chain itself checks everything from the PCK key down: the QE's report, that it is
/// Intel's quoting enclave and names the attestation key, the quote's signature, the TD's attributes,
/// and that the report data is the statement's. The quorum says what takes Intel's collateral to
/// know: that the PCK key is genuine and not revoked, and the status of its TCB.
/// @dev The proof in `Evidence` is what `QuoteEvidence` documents. Needs the P-256 precompile at
/// 0x100. No owner, no state, no fee.
contract QuoteVerifier is IAttestationVerifier {
    /// @notice Who vouches for platforms.
    IPlatformVerdicts public immutable verdicts;
    /// @notice The bits of the accepted statuses; see `TcbStatus`.
    uint256 public immutable acceptedStatuses;
    /// @notice The lowest tcbEvaluationDataNumber that is accepted.
    uint32 public immutable evaluationNumberMin;

    error NoContract(address have);

    constructor(
        IPlatformVerdicts verdicts_,
        uint256 acceptedStatuses_,
        uint32 evaluationNumberMin_
    ) {
        if (address(verdicts_).code.length == 0) {
            revert NoContract(address(verdicts_));
        }
        TcbStatus.ensureSet(acceptedStatuses_);
        verdicts = verdicts_;
        acceptedStatuses = acceptedStatuses_;
        evaluationNumberMin = evaluationNumberMin_;
    }

    /// @inheritdoc IAttestationVerifier
    function verify(NodeClaim calldata claim, bytes calldata evidence)
        external
        payable
        returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry)
    {
        if (msg.value != 0) revert WrongPayment(msg.value, 0);
        QuoteEvidence.Finding memory found = _check(claim, evidence);
        return (found.measurement, found.evidenceHash, found.expiry);
    }

    function _check(NodeClaim memory claim, bytes calldata evidence)
        private
        view
        returns (QuoteEvidence.Finding memory)
    {
        (bytes calldata statement, bytes calldata proof) = Evidence.split(evidence);
        return QuoteEvidence.check(statement, proof, claim, _terms());
    }

    function _terms() private view returns (QuoteEvidence.Terms memory) {
        return QuoteEvidence.Terms({
            registry: msg.sender,
            verdicts: verdicts,
            acceptedStatuses: acceptedStatuses,
            evaluationNumberMin: evaluationNumberMin
        });
    }
}
