// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier, NodeClaim} from "../IAttestationVerifier.sol";
import {Statement} from "./Statement.sol";

/// @title Takes quotes of simulated TEEs, on development chains only.
/// @notice It checks the statement against the claim, and no signature of the quote: whoever calls
///         it can make evidence. So it exists on chain 31337, which is nobody's network, and on a
///         local stand-in for Base Sepolia (84532), and nowhere else.
/// @dev Every chain of the OP stack, Base Sepolia among them, has the gas price oracle as a
///      predeploy from its first block; anvil does not have it, whatever chain id it is given, and
///      has it as soon as it forks the real chain.
contract DevVerifier is IAttestationVerifier {
    address public constant GAS_PRICE_ORACLE = 0x420000000000000000000000000000000000000F;
    uint256 private constant ANVIL = 31_337;
    uint256 private constant BASE_SEPOLIA = 84_532;

    // Of a quote of TDX: where the measurements stand behind a header of 48 bytes, and the size of
    // header and report.
    uint256 private constant MRTD = 48 + 136;
    uint256 private constant RTMR0 = 48 + 328;
    uint256 private constant QUOTE_BYTES = 48 + 584;
    uint256 private constant REGISTER_BYTES = 48;

    error NotADevChain(uint256 chainId);
    error NoFee(uint256 have);
    error EvidenceTooShort(uint256 have, uint256 need);

    constructor() {
        _ensureDevChain();
    }

    /// @param evidence Length of the statement (4 bytes, big-endian), statement, quote.
    /// @return measurement keccak256 over MRTD, MRCONFIGID and RTMR 0 to 2 of the quote.
    /// @return evidenceHash SHA-256 of the quote.
    /// @return expiry End of the statement's validity.
    function verify(NodeClaim calldata claim, bytes calldata evidence)
        external
        payable
        returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry)
    {
        _ensureDevChain();
        if (msg.value != 0) revert NoFee(msg.value);
        if (evidence.length < 4) revert EvidenceTooShort(evidence.length, 4);
        uint256 end = 4 + uint256(uint32(bytes4(evidence[:4])));
        if (evidence.length < end + QUOTE_BYTES) {
            revert EvidenceTooShort(evidence.length, end + QUOTE_BYTES);
        }
        expiry = Statement.check(evidence[4:end], claim, msg.sender);
        bytes calldata quote = evidence[end:];
        measurement = keccak256(
            bytes.concat(
                quote[MRTD:MRTD + 2 * REGISTER_BYTES], quote[RTMR0:RTMR0 + 3 * REGISTER_BYTES]
            )
        );
        evidenceHash = sha256(quote);
    }

    function _ensureDevChain() private view {
        bool local = block.chainid == ANVIL
            || (block.chainid == BASE_SEPOLIA && GAS_PRICE_ORACLE.code.length == 0);
        if (!local) revert NotADevChain(block.chainid);
    }
}
