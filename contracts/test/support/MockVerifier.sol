// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier, NodeClaim} from "../../src/IAttestationVerifier.sol";

/// @dev Believes evidence of the form abi.encode(measurement, expiry); remembers what it was asked.
contract MockVerifier is IAttestationVerifier {
    NodeClaim public last;
    uint256 public fee;

    function verify(NodeClaim calldata claim, bytes calldata evidence)
        external
        payable
        virtual
        returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry)
    {
        last = claim;
        fee = msg.value;
        (measurement, expiry) = abi.decode(evidence, (bytes32, uint64));
        evidenceHash = keccak256(evidence);
    }
}

/// @dev As cheap as a verifier can be, for measurements of gas.
contract StaticVerifier is IAttestationVerifier {
    function verify(NodeClaim calldata, bytes calldata evidence)
        external
        payable
        returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry)
    {
        (measurement, expiry) = abi.decode(evidence, (bytes32, uint64));
        evidenceHash = keccak256(evidence);
    }
}
