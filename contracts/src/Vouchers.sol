// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Credits} from "./Credits.sol";
import {Limits} from "./Limits.sol";
import {Pools} from "./Pools.sol";
import {TypedData} from "./TypedData.sol";
import "./Errors.sol";

/// @title Vouchers: a payer lets a session key spend up to a ceiling in one pool.
/// @notice Opening one reserves its ceiling, so that nodes work for money that is there. The session
///         key signs, for each entry apart, the sum that the entry may claim so far; that costs no
///         gas. What was not claimed returns to the payer.
abstract contract Vouchers is Pools, TypedData, Credits {
    using SafeCast for uint256;

    struct Voucher {
        address payer;
        uint64 pool;
        address sessionKey;
        /// Credits.
        uint128 ceiling;
        /// Unix seconds.
        uint64 expiry;
        /// Makes vouchers differ that are else alike.
        bytes32 salt;
    }

    /// @dev Two words; a settlement reads and writes only the first.
    struct OpenVoucher {
        address sessionKey;
        /// Credits of the ceiling that nobody has been paid yet.
        uint64 remaining;
        uint32 pool;
        address payer;
        uint48 expiry;
    }

    /// @dev What all claims of a settlement have in common, and come to.
    struct Spender {
        uint64 pool;
        address entry;
        bytes32 domain;
        /// What the claims add to those before.
        uint256 claimed;
        /// What of it was there.
        uint256 paid;
    }

    struct SpendClaim {
        /// EIP-712 digest of the voucher.
        bytes32 voucher;
        /// What the entry now claims in all, in credits.
        uint128 amount;
        /// What the session key signed for in all; never less than `amount`.
        uint128 signed;
        /// Spend by the session key, in the compact form of ERC-2098.
        bytes32 r;
        bytes32 vs;
    }

    event VoucherOpened(
        bytes32 indexed voucher,
        address indexed payer,
        uint64 indexed pool,
        address sessionKey,
        uint128 ceiling,
        uint64 expiry
    );
    event VoucherEnded(bytes32 indexed voucher, uint64 expiry);
    event VoucherReclaimed(bytes32 indexed voucher, address indexed payer, uint128 amount);
    event Spent(bytes32 indexed voucher, address indexed entry, uint128 paid);
    /// What the entry claimed in vain: others had been paid it before, or the payer took it back.
    event SpentInVain(bytes32 indexed voucher, address indexed entry, uint128 missing);

    error UnknownVoucher(bytes32 voucher);
    /// `claim` is the place of the claim in the settlement.
    error WrongPool(uint256 claim, uint64 have, uint64 need);
    error NothingToClaim(uint256 claim, uint256 have, uint256 need);
    error ClaimAboveSigned(uint256 claim, uint256 have, uint256 most);
    error WrongSessionKey(uint256 claim, address have, address need);

    /// Vouchers that were opened, by digest; they are kept when they have ended.
    mapping(bytes32 voucher => OpenVoucher) public voucherOf;
    /// What an entry (by its receipt key) has claimed of a voucher in all, in credits.
    mapping(bytes32 voucher => mapping(address entry => uint256)) public claimedOf;

    /// @notice Opens a voucher that the payer signed (ECDSA, or ERC-1271 for contract wallets).
    ///         Anybody may. Nothing happens if it was opened before.
    /// @return id EIP-712 digest of the voucher.
    function openVoucher(Voucher calldata voucher, bytes calldata signature)
        external
        nonReentrant
        returns (bytes32 id)
    {
        id = voucherDigest(voucher);
        if (voucherOf[id].payer != address(0)) return id;
        _openPool(voucher.pool);
        if (voucher.sessionKey == address(0)) revert ZeroAddress();
        if (voucher.ceiling == 0) revert ZeroAmount();
        if (voucher.expiry <= block.timestamp) revert TooLate(block.timestamp, voucher.expiry);
        uint256 most = block.timestamp + Limits.VOUCHER_LIFE;
        if (voucher.expiry > most) revert TooLate(voucher.expiry, most);
        _ensurePayerSigned(voucher.payer, id, signature);

        _debit(voucher.payer, voucher.ceiling);
        voucherOf[id] = OpenVoucher({
            sessionKey: voucher.sessionKey,
            remaining: uint256(voucher.ceiling).toUint64(),
            pool: uint256(voucher.pool).toUint32(),
            payer: voucher.payer,
            expiry: uint256(voucher.expiry).toUint48()
        });
        emit VoucherOpened(
            id, voucher.payer, voucher.pool, voucher.sessionKey, voucher.ceiling, voucher.expiry
        );
    }

    /// @notice The payer ends its voucher now instead of at its expiry. Entries keep SETTLE_GRACE to
    ///         claim what was signed for.
    function endVoucher(bytes32 id) external nonReentrant {
        OpenVoucher storage voucher = _voucherAt(id);
        if (msg.sender != voucher.payer) revert NotYours(msg.sender, voucher.payer);
        if (block.timestamp >= voucher.expiry) revert TooLate(block.timestamp, voucher.expiry);
        voucher.expiry = block.timestamp.toUint48();
        emit VoucherEnded(id, voucher.expiry);
    }

    /// @notice Returns to the payer what nobody claimed until SETTLE_GRACE after the expiry.
    ///         Anybody may call. Until then claims are paid, however late.
    function reclaimVoucher(bytes32 id) external nonReentrant {
        OpenVoucher storage voucher = _voucherAt(id);
        uint256 end = voucher.expiry + Limits.SETTLE_GRACE;
        if (block.timestamp <= end) revert TooEarly(block.timestamp, end + 1);
        uint128 amount = voucher.remaining;
        if (amount == 0) revert ZeroAmount();
        voucher.remaining = 0;
        _credit(voucher.payer, amount);
        emit VoucherReclaimed(id, voucher.payer, amount);
    }

    /// @notice What a payer signs, and a voucher's id.
    function voucherDigest(Voucher calldata voucher) public view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    VOUCHER_TYPE,
                    voucher.payer,
                    voucher.pool,
                    voucher.sessionKey,
                    voucher.ceiling,
                    voucher.expiry,
                    voucher.salt
                )
            )
        );
    }

    /// @dev Takes a claim's money out of its voucher. Another entry can empty a voucher between the
    ///      signing of a settlement and its mining; a claim is then paid what is left, lest one
    ///      payer block the settlement of all the others.
    function _spend(uint256 index, SpendClaim calldata claim, Spender memory by) internal {
        bytes32 id = claim.voucher;
        OpenVoucher storage voucher = voucherOf[id];
        uint256 remaining = voucher.remaining;
        if (voucher.pool != by.pool) revert WrongPool(index, voucher.pool, by.pool);
        _ensureSessionSigned(index, claim, by, voucher.sessionKey);

        uint256 added = _raise(index, claim, by.entry);
        uint256 paid = added < remaining ? added : remaining;
        voucher.remaining = uint64(remaining - paid);
        by.claimed += added;
        by.paid += paid;
        emit Spent(id, by.entry, uint128(paid));
        if (paid != added) emit SpentInVain(id, by.entry, uint128(added - paid));
    }

    function _ensureSessionSigned(
        uint256 index,
        SpendClaim calldata claim,
        Spender memory by,
        address sessionKey
    ) private pure {
        if (claim.amount > claim.signed) {
            revert ClaimAboveSigned(index, claim.amount, claim.signed);
        }
        bytes32 spend = keccak256(abi.encode(SPEND_TYPE, claim.voucher, by.entry, claim.signed));
        bytes32 digest = MessageHashUtils.toTypedDataHash(by.domain, spend);
        address signer = _signer(digest, claim.r, claim.vs);
        if (signer != sessionKey) revert WrongSessionKey(index, signer, sessionKey);
    }

    /// @dev Claims are cumulative: what was claimed before is not claimed again.
    function _raise(uint256 index, SpendClaim calldata claim, address entry)
        private
        returns (uint256 added)
    {
        mapping(address => uint256) storage claims = claimedOf[claim.voucher];
        uint256 before = claims[entry];
        if (claim.amount <= before) revert NothingToClaim(index, claim.amount, before + 1);
        claims[entry] = claim.amount;
        return claim.amount - before;
    }

    function _voucherAt(bytes32 id) private view returns (OpenVoucher storage voucher) {
        voucher = voucherOf[id];
        if (voucher.payer == address(0)) revert UnknownVoucher(id);
    }

    /// @dev ECDSA first, whether or not the payer has code: an account of EIP-7702 has a key too.
    function _ensurePayerSigned(address payer, bytes32 digest, bytes calldata signature)
        private
        view
    {
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (signer == payer && signer != address(0)) return;
        if (SignatureChecker.isValidERC1271SignatureNow(payer, digest, signature)) return;
        revert WrongSigner(signer, payer);
    }
}
