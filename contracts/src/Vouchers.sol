// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
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

    /// @dev Two words, as a settlement reads them.
    struct OpenVoucher {
        address sessionKey;
        /// Credits of the ceiling that nobody has been paid yet.
        uint96 remaining;
        address payer;
        uint48 expiry;
        uint48 pool;
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
    /// `missing` is what the entry claimed in vain: other entries had been paid it before.
    event Spent(bytes32 indexed voucher, address indexed entry, uint128 paid, uint128 missing);

    error UnknownVoucher(bytes32 voucher);
    /// `claim` is the place of the claim in the settlement.
    error WrongPool(uint256 claim, uint64 have, uint64 need);
    error VoucherEndedBefore(uint256 claim, uint256 have, uint256 most);
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
            remaining: uint256(voucher.ceiling).toUint96(),
            payer: voucher.payer,
            expiry: uint256(voucher.expiry).toUint48(),
            pool: uint256(voucher.pool).toUint48()
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
    ///         Anybody may call.
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
    /// @return claimed What this claim adds to those before.
    /// @return paid What of it was there.
    function _spend(uint256 index, SpendClaim calldata claim, uint64 pool, address entry)
        internal
        returns (uint256 claimed, uint256 paid)
    {
        OpenVoucher storage voucher = voucherOf[claim.voucher];
        address sessionKey = voucher.sessionKey;
        uint256 remaining = voucher.remaining;
        if (voucher.pool != pool) revert WrongPool(index, voucher.pool, pool);
        uint256 most = voucher.expiry + Limits.SETTLE_GRACE;
        if (block.timestamp > most) revert VoucherEndedBefore(index, block.timestamp, most);
        if (claim.amount > claim.signed) {
            revert ClaimAboveSigned(index, claim.amount, claim.signed);
        }
        bytes32 digest =
            _hashTypedDataV4(keccak256(abi.encode(SPEND_TYPE, claim.voucher, entry, claim.signed)));
        address signer = _signer(digest, claim.r, claim.vs);
        if (signer != sessionKey) revert WrongSessionKey(index, signer, sessionKey);

        uint256 before = claimedOf[claim.voucher][entry];
        if (claim.amount <= before) revert NothingToClaim(index, claim.amount, before + 1);
        claimedOf[claim.voucher][entry] = claim.amount;
        claimed = claim.amount - before;
        paid = claimed < remaining ? claimed : remaining;
        voucher.remaining = (remaining - paid).toUint96();
        emit Spent(claim.voucher, entry, paid.toUint128(), (claimed - paid).toUint128());
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
