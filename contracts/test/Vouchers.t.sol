// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TeeTee} from "../src/TeeTee.sol";
import {Vouchers} from "../src/Vouchers.sol";
import "../src/Errors.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {World} from "./support/World.sol";
import {eq, vm} from "./support/Vm.sol";

/// @dev A wallet that is a contract; it says yes to one digest.
contract ContractWallet {
    bytes32 private immutable SIGNED;

    constructor(bytes32 signed) {
        SIGNED = signed;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == SIGNED ? this.isValidSignature.selector : bytes4(0);
    }
}

contract VouchersTest is World {
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

    function setUp() public {
        setUpWorld();
        buy(payer, 1000);
    }

    function test_anybody_opens_what_the_payer_signed(address opener) public {
        Vouchers.Voucher memory voucher = voucherOf(payer, session, 600, 1);
        bytes32 id = voucherDigest(voucher);
        eq(teetee.voucherDigest(voucher), id);
        bytes memory signature = sign(PAYER_KEY, id);
        vm.expectEmit();
        emit VoucherOpened(id, payer, pool, session, 600, uint64(NOW + 1 days));
        vm.prank(opener);
        eq(teetee.openVoucher(voucher, signature), id);
        eq(teetee.balanceOf(payer), 400);
        (address key, uint64 remaining, uint32 inPool, address from, uint48 expiry) =
            teetee.voucherOf(id);
        eq(key, session);
        eq(remaining, 600);
        eq(from, payer);
        eq(expiry, NOW + 1 days);
        eq(inPool, pool);
    }

    function test_opening_again_changes_nothing() public {
        Vouchers.Voucher memory voucher = voucherOf(payer, session, 300, 1);
        bytes32 id = teetee.openVoucher(voucher, sign(PAYER_KEY, voucherDigest(voucher)));
        eq(teetee.openVoucher(voucher, ""), id);
        eq(teetee.balanceOf(payer), 700);
        vm.warp(NOW + 8 days + 1);
        teetee.reclaimVoucher(id);
        eq(teetee.openVoucher(voucher, sign(PAYER_KEY, id)), id);
        eq(teetee.balanceOf(payer), 1000);
    }

    function test_every_field_is_signed() public {
        Vouchers.Voucher memory voucher = voucherOf(payer, session, 600, 1);
        bytes memory signature = sign(PAYER_KEY, voucherDigest(voucher));
        voucher.payer = address(0xB0);
        _wrongSigner(voucher, signature);
        voucher = voucherOf(payer, address(0xBAD), 600, 1);
        _wrongSigner(voucher, signature);
        voucher = voucherOf(payer, session, 601, 1);
        _wrongSigner(voucher, signature);
        voucher = voucherOf(payer, session, 600, 2);
        _wrongSigner(voucher, signature);
        voucher = voucherOf(payer, session, 600, 1);
        voucher.expiry += 1;
        _wrongSigner(voucher, signature);
        voucher = voucherOf(payer, session, 600, 1);
        voucher.pool = createPool(config(verifier));
        _wrongSigner(voucher, signature);
        voucher = voucherOf(payer, session, 600, 1);
        TeeTee first = teetee;
        teetee = deploy();
        createPool(config(verifier));
        _wrongSigner(voucher, signature);
        teetee = first;
        vm.chainId(8453);
        _wrongSigner(voucher, signature);
        voucher.payer = address(0);
        _wrongSigner(voucher, "");
    }

    function test_refuses_unsound_vouchers() public {
        Vouchers.Voucher memory voucher = voucherOf(payer, address(0), 600, 1);
        _refused(voucher, abi.encodeWithSelector(ZeroAddress.selector));
        voucher = voucherOf(payer, session, 0, 1);
        _refused(voucher, abi.encodeWithSelector(ZeroAmount.selector));
        voucher = voucherOf(payer, session, 1001, 1);
        _refused(voucher, abi.encodeWithSelector(InsufficientCredits.selector, 1000, 1001));
        voucher = voucherOf(payer, session, type(uint128).max, 1);
        _refused(
            voucher, abi.encodeWithSelector(InsufficientCredits.selector, 1000, type(uint128).max)
        );
        voucher = voucherOf(payer, session, 600, 1);
        voucher.expiry = uint64(NOW);
        _refused(voucher, abi.encodeWithSelector(TooLate.selector, NOW, NOW));
        voucher.expiry = uint64(NOW + 30 days + 1);
        _refused(
            voucher, abi.encodeWithSelector(TooLate.selector, NOW + 30 days + 1, NOW + 30 days)
        );
        voucher.expiry = uint64(NOW + 30 days);
        voucher.pool = 9;
        _refused(voucher, abi.encodeWithSelector(UnknownPool.selector, 9));
        vm.prank(creator);
        teetee.closePool(pool);
        voucher.pool = pool;
        _refused(voucher, abi.encodeWithSelector(PoolIsClosed.selector, pool));
    }

    function test_a_ceiling_fits_what_is_kept_of_it() public {
        buy(payer, type(uint64).max);
        Vouchers.Voucher memory voucher = voucherOf(payer, session, type(uint64).max, 1);
        teetee.openVoucher(voucher, sign(PAYER_KEY, voucherDigest(voucher)));
        buy(payer, type(uint64).max);
        voucher = voucherOf(payer, session, uint128(type(uint64).max) + 1, 1);
        _refused(
            voucher,
            abi.encodeWithSelector(
                SafeCast.SafeCastOverflowedUintDowncast.selector, 64, voucher.ceiling
            )
        );
    }

    function test_a_contract_wallet_signs_by_erc1271() public {
        address wallet = address(0xC0DE);
        Vouchers.Voucher memory voucher = voucherOf(wallet, session, 10, 1);
        vm.etch(wallet, address(new ContractWallet(voucherDigest(voucher))).code);
        buy(wallet, 10);
        teetee.openVoucher(voucher, "");
        eq(teetee.balanceOf(wallet), 0);
        voucher.salt = 0;
        _wrongSigner(voucher, "");
    }

    function test_an_account_with_code_and_a_key_signs_with_the_key() public {
        vm.etch(payer, hex"ef01000000000000000000000000000000000000000001");
        Vouchers.Voucher memory voucher = voucherOf(payer, session, 10, 1);
        teetee.openVoucher(voucher, sign(PAYER_KEY, voucherDigest(voucher)));
        eq(teetee.balanceOf(payer), 990);
    }

    function test_what_nobody_claimed_returns_a_week_after_the_end(address caller) public {
        bytes32 id = openVoucher(600, 1);
        bytes memory refusal =
            abi.encodeWithSelector(TooEarly.selector, NOW + 8 days, NOW + 8 days + 1);
        vm.warp(NOW + 8 days);
        vm.expectRevert(refusal);
        teetee.reclaimVoucher(id);
        vm.warp(NOW + 8 days + 1);
        vm.expectEmit();
        emit VoucherReclaimed(id, payer, 600);
        vm.prank(caller);
        teetee.reclaimVoucher(id);
        eq(teetee.balanceOf(payer), 1600);
        vm.expectRevert(ZeroAmount.selector);
        teetee.reclaimVoucher(id);
    }

    function test_the_payer_ends_a_voucher_early() public {
        bytes32 id = openVoucher(600, 1);
        vm.expectRevert(abi.encodeWithSelector(NotYours.selector, address(this), payer));
        teetee.endVoucher(id);
        vm.warp(NOW + 1 hours);
        vm.expectEmit();
        emit VoucherEnded(id, uint64(NOW + 1 hours));
        vm.prank(payer);
        teetee.endVoucher(id);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, NOW + 1 hours, NOW + 1 hours));
        teetee.endVoucher(id);
        vm.warp(NOW + 1 hours + 7 days);
        vm.expectRevert(
            abi.encodeWithSelector(
                TooEarly.selector, NOW + 1 hours + 7 days, NOW + 1 hours + 7 days + 1
            )
        );
        teetee.reclaimVoucher(id);
        vm.warp(NOW + 1 hours + 7 days + 1);
        teetee.reclaimVoucher(id);
        eq(teetee.balanceOf(payer), 1600);
    }

    function test_a_voucher_that_is_not_open_is_unknown() public {
        bytes32 id = keccak256("none");
        vm.expectRevert(abi.encodeWithSelector(Vouchers.UnknownVoucher.selector, id));
        teetee.reclaimVoucher(id);
        vm.expectRevert(abi.encodeWithSelector(Vouchers.UnknownVoucher.selector, id));
        teetee.endVoucher(id);
    }

    function _refused(Vouchers.Voucher memory voucher, bytes memory refusal) private {
        bytes memory signature = sign(PAYER_KEY, voucherDigest(voucher));
        vm.expectRevert(refusal);
        teetee.openVoucher(voucher, signature);
    }

    function _wrongSigner(Vouchers.Voucher memory voucher, bytes memory signature) private {
        try teetee.openVoucher(voucher, signature) {
            revert("opened");
        } catch (bytes memory reason) {
            eq(bytes32(bytes4(reason)), bytes32(WrongSigner.selector));
        }
    }
}
