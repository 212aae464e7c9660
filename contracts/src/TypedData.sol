// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title What is signed for this contract: EIP-712 types under the domain "TeeTee", "1", chain id
///        and contract, so that no signature counts on another chain or for another deployment.
abstract contract TypedData is EIP712 {
    bytes32 internal constant REGISTRATION_TYPE = keccak256(
        "Registration(address host,uint64 pool,uint16 slot,bytes32 statementHash,string endpoint)"
    );
    bytes32 internal constant VOUCHER_TYPE = keccak256(
        "Voucher(address payer,uint64 pool,address sessionKey,uint128 ceiling,uint64 expiry,bytes32 salt)"
    );
    bytes32 internal constant SPEND_TYPE =
        keccak256("Spend(bytes32 voucher,address entry,uint128 amount)");
    bytes32 internal constant SPENT_TYPE = keccak256("Spent(bytes32 voucher,uint128 amount)");
    bytes32 internal constant SERVED_TYPE = keccak256("Served(uint64 query,uint128 amount)");
    bytes32 internal constant WORKED_TYPE = keccak256("Worked(uint64 node,uint64 tokens)");
    bytes32 internal constant SETTLEMENT_TYPE = keccak256(
        "Settlement(uint64 pool,uint64 entryNode,uint64 promptTokens,uint64 completionTokens,uint128 total,bytes32 receiptsRoot,Spent[] spends,Served[] queries,Worked[] work)Served(uint64 query,uint128 amount)Spent(bytes32 voucher,uint128 amount)Worked(uint64 node,uint64 tokens)"
    );

    constructor() EIP712("TeeTee", "1") {}

    /// @dev Who signed, of a signature in the compact form of ERC-2098 (r, and s with the parity in
    ///      its top bit); zero if nobody. High s is nobody's: a signature has one form.
    function _signer(bytes32 digest, bytes32 r, bytes32 vs) internal pure returns (address signer) {
        (signer,,) = ECDSA.tryRecover(digest, r, vs);
    }
}
