// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Nodes} from "../../src/Nodes.sol";
import {Pools} from "../../src/Pools.sol";
import {Queries} from "../../src/Queries.sol";
import {Settlement} from "../../src/Settlement.sol";
import {TeeTee} from "../../src/TeeTee.sol";
import {Vouchers} from "../../src/Vouchers.sol";
import {Network} from "./Network.sol";
import {vm} from "./Vm.sol";

/// @dev What everybody may do in any order, and what an intruder tries. It keeps books of its own.
contract Handler is Network {
    struct Kept {
        bytes32 id;
        uint256 ceiling;
        uint256 paid;
        uint256 reclaimed;
        /// What the session signed for, of each entry.
        uint128[2] signed;
    }

    uint256 private constant RIVAL_KEY = 0xE4;
    address private constant RIVAL = address(0x41);
    address private constant INTRUDER = address(0xBAD);

    address[] public accounts;
    Kept[] public vouchers;
    uint64[] public queries;
    uint256 public intrusions;
    uint256 public settledTwice;
    uint256 public unevenSplits;
    uint256 public settlements;
    uint256 public refusedSettlements;
    bytes private _lastSettlement;

    constructor() {
        setUpNetwork();
        nodes.push(register(RIVAL, 0, RIVAL_KEY));
        keys.push(RIVAL_KEY);
        accounts = [payer, address(0x1111), alice, bob, carol, RIVAL, creator, INTRUDER];
    }

    function contractAt() external view returns (TeeTee) {
        return teetee;
    }

    function accountCount() external view returns (uint256) {
        return accounts.length;
    }

    function voucherCount() external view returns (uint256) {
        return vouchers.length;
    }

    function queryCount() external view returns (uint256) {
        return queries.length;
    }

    function worth() external pure returns (uint256) {
        return WEI;
    }

    function buyCredits(uint256 who, uint64 amount) external {
        buy(_account(who), uint128(amount) + 1);
    }

    function requestRefund(uint256 who, uint128 amount) external {
        address account = _account(who);
        uint128 balance = teetee.balanceOf(account);
        if (balance == 0) return;
        vm.prank(account);
        teetee.requestRefund(amount % balance + 1);
    }

    function endRefund(uint256 who, bool cancel) external {
        address account = _account(who);
        (uint128 amount, uint64 readyAt) = teetee.refundOf(account);
        if (amount == 0) return;
        if (!cancel && readyAt > vm.getBlockTimestamp()) vm.warp(readyAt);
        vm.prank(account);
        if (cancel) teetee.cancelRefund();
        else teetee.withdrawRefund(payable(account));
    }

    function openVoucher(uint128 ceiling, uint64 life) external {
        uint128 balance = teetee.balanceOf(payer);
        if (balance > type(uint64).max) balance = type(uint64).max;
        if (balance == 0 || vouchers.length == 12) return;
        ceiling = ceiling % balance + 1;
        Vouchers.Voucher memory voucher = voucherOf(payer, session, ceiling, vouchers.length);
        voucher.expiry = uint64(vm.getBlockTimestamp() + life % 30 days + 1);
        bytes32 id = teetee.openVoucher(voucher, sign(PAYER_KEY, voucherDigest(voucher)));
        uint128[2] memory none;
        vouchers.push(Kept(id, ceiling, 0, 0, none));
    }

    function endVoucher(uint256 which) external {
        if (vouchers.length == 0) return;
        bytes32 id = vouchers[which % vouchers.length].id;
        (,,,, uint48 expiry) = teetee.voucherOf(id);
        if (vm.getBlockTimestamp() >= expiry) return;
        vm.prank(payer);
        teetee.endVoucher(id);
    }

    function reclaimVoucher(uint256 which) external {
        if (vouchers.length == 0) return;
        Kept storage kept = vouchers[which % vouchers.length];
        (, uint64 remaining,,, uint48 expiry) = teetee.voucherOf(kept.id);
        if (remaining == 0 || vm.getBlockTimestamp() <= expiry + 7 days) return;
        teetee.reclaimVoucher(kept.id);
        kept.reclaimed += remaining;
    }

    function payAQuery(bool own) external {
        if (queries.length == 12) return;
        vm.deal(payer, 1000 * WEI);
        vm.prank(payer);
        queries.push(
            teetee.payQuery{value: 1000 * WEI}(
                pool,
                vm.addr(own ? RIVAL_KEY : ENTRY_KEY),
                keccak256("request"),
                200,
                200,
                uint64(vm.getBlockTimestamp() + 1 hours)
            )
        );
    }

    function reclaimQuery(uint256 which) external {
        if (queries.length == 0) return;
        uint64 id = queries[which % queries.length];
        (address from,,, uint48 deadline) = teetee.queryOf(id);
        if (from == address(0) || vm.getBlockTimestamp() <= deadline + 1 days) return;
        teetee.reclaimQuery(id);
    }

    /// @dev One entry claims something of one voucher, and of a query of its own if there is one.
    function settle(bool rival, uint256 which, uint128 more, uint128 price, uint64 share) external {
        Settlement.Batch memory batch = _work(rival, share % 1_000_001);
        uint256 entry = rival ? 1 : 0;
        if (vouchers.length != 0) {
            Kept storage kept = vouchers[which % vouchers.length];
            // Sessions may sign for more than the ceiling; nobody is paid above it. The batch's tokens
            // are worth 5e18.
            uint256 most = 2 * kept.ceiling < 4e18 ? 2 * kept.ceiling : 4e18;
            uint128 added = uint128(more % most) + 1;
            kept.signed[entry] += added;
            batch.spends = new Vouchers.SpendClaim[](1);
            batch.spends[0] = spend(
                kept.id, rival ? RIVAL_KEY : ENTRY_KEY, kept.signed[entry], kept.signed[entry]
            );
            batch.total += added;
        }
        _addQuery(batch, rival, price);
        _sign(batch, rival);
        _settle(batch, which);
    }

    function settleAgain() external {
        if (_lastSettlement.length == 0) return;
        (bool done,) = address(teetee).call(_lastSettlement);
        if (done) ++settledTwice;
    }

    function withdraw(uint256 who, bool elsewhere) external {
        address account = _account(who);
        if (teetee.earningsOf(account) == 0) return;
        vm.prank(account);
        if (elsewhere) teetee.withdrawTo(payable(address(0x70)));
        else teetee.withdraw();
    }

    function announcePrices(uint64 prompt, uint64 completion) external {
        vm.prank(creator);
        try teetee.announcePrices(pool, Pools.Prices(prompt, completion)) {} catch {}
        // Back to what the others reckon with.
        vm.warp(vm.getBlockTimestamp() + 25 hours);
        _renewAll();
        vm.prank(creator);
        try teetee.announcePrices(pool, Pools.Prices(2, 3)) {} catch {}
        vm.warp(vm.getBlockTimestamp() + 25 hours);
        _renewAll();
    }

    function waitFor(uint32 time) external {
        vm.warp(vm.getBlockTimestamp() + time % 3 days);
        _renewAll();
    }

    /// @dev Everything that somebody with no rights may try on what is others'.
    function intrude(uint256 which, uint64 query) external {
        Pools.Prices memory prices = Pools.Prices(1, 1);
        Nodes.Renewal memory again = renewal(alice, nodes[0], ENTRY_KEY);
        _try(abi.encodeCall(teetee.announcePrices, (pool, prices)));
        _try(abi.encodeCall(teetee.announcePolicy, (pool, POLICY, "")));
        _try(abi.encodeCall(teetee.acceptMeasurement, (pool, bytes32(which))));
        _try(abi.encodeCall(teetee.revokeMeasurement, (pool, CODE)));
        _try(abi.encodeCall(teetee.offerPool, (pool, INTRUDER)));
        _try(abi.encodeCall(teetee.takePool, (pool)));
        _try(abi.encodeCall(teetee.closePool, (pool)));
        _try(abi.encodeCall(teetee.leaveNode, (nodes[which % nodes.length])));
        _try(abi.encodeCall(teetee.renewNode, (nodes[0], again)));
        if (vouchers.length != 0) {
            _try(abi.encodeCall(teetee.endVoucher, (vouchers[which % vouchers.length].id)));
        }
        (address from,,, uint48 deadline) = teetee.queryOf(query);
        if (from != address(0) && vm.getBlockTimestamp() <= deadline + 1 days) {
            _try(abi.encodeCall(teetee.reclaimQuery, (query)));
        }
    }

    function _try(bytes memory what) private {
        vm.prank(INTRUDER);
        (bool done,) = address(teetee).call(what);
        if (done) ++intrusions;
    }

    function _account(uint256 who) private view returns (address) {
        return accounts[who % accounts.length];
    }

    function _work(bool rival, uint64 share) private returns (Settlement.Batch memory batch) {
        batch = batchOf(rival ? nodes[3] : nodes[0], 1e18, 1e18);
        workOf(batch, nodes);
        batch.work[0].tokens = uint64(share) * 1e12;
        batch.work[3].tokens = 2e18 - batch.work[0].tokens;
    }

    function _addQuery(Settlement.Batch memory batch, bool rival, uint128 price) private view {
        address entry = vm.addr(rival ? RIVAL_KEY : ENTRY_KEY);
        for (uint256 i = 0; i < queries.length; ++i) {
            (address from,, address of_, uint48 deadline) = teetee.queryOf(queries[i]);
            if (from == address(0) || of_ != entry || vm.getBlockTimestamp() > deadline + 1 days) {
                continue;
            }
            batch.queries = new Queries.QueryClaim[](1);
            batch.queries[0] = Queries.QueryClaim(queries[i], price % 1001);
            batch.total += price % 1001;
            return;
        }
    }

    function _sign(Settlement.Batch memory batch, bool rival) private {
        // Now and then a stage is absent.
        if (batch.total % 5 == 4) {
            bytes32 digest = settlementDigest(batch);
            teetee.announceSettlement(digest);
            vm.warp(vm.getBlockTimestamp() + 1 days);
            _renewAll();
            uint256[] memory entryOnly = new uint256[](4);
            entryOnly[rival ? 3 : 0] = keys[rival ? 3 : 0];
            signWork(batch, entryOnly);
            return;
        }
        signWork(batch, keys);
    }

    function _settle(Settlement.Batch memory batch, uint256 which) private {
        uint256 earned = _earned();
        bytes32 id = batch.spends.length == 0 ? bytes32(0) : batch.spends[0].voucher;
        (, uint64 before,,,) = teetee.voucherOf(id);
        bytes memory call = abi.encodeCall(teetee.settle, (batch));
        (bool done, bytes memory reason) = address(teetee).call(call);
        if (!done) {
            // The day of an absent stage outlived the query.
            if (bytes4(reason) != Queries.QueryEndedBefore.selector) ++refusedSettlements;
            if (batch.spends.length != 0) _unsign(batch, which);
            return;
        }
        _lastSettlement = call;
        ++settlements;
        (, uint64 left,,,) = teetee.voucherOf(id);
        uint256 paid = before - left;
        if (batch.spends.length != 0) vouchers[which % vouchers.length].paid += paid;
        if (batch.queries.length != 0) paid += batch.queries[0].amount;
        if (_earned() - earned != paid) ++unevenSplits;
    }

    /// @dev A claim that came too late is not repeated.
    function _unsign(Settlement.Batch memory batch, uint256 which) private {
        Kept storage kept = vouchers[which % vouchers.length];
        for (uint256 entry = 0; entry < 2; ++entry) {
            kept.signed[entry] = uint128(
                teetee.claimedOf(
                    batch.spends[0].voucher, vm.addr(entry == 1 ? RIVAL_KEY : ENTRY_KEY)
                )
            );
        }
    }

    function _earned() private view returns (uint256 sum) {
        for (uint256 i = 0; i < accounts.length; ++i) {
            sum += teetee.earningsOf(accounts[i]);
        }
    }

    function _renewAll() private {
        for (uint256 i = 0; i < nodes.length; ++i) {
            address host = teetee.nodeInfo(nodes[i]).host;
            Nodes.Renewal memory again = renewal(host, nodes[i], keys[i]);
            vm.prank(host);
            teetee.renewNode(nodes[i], again);
        }
    }
}
