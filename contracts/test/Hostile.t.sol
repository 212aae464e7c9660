// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier, NodeClaim} from "../src/IAttestationVerifier.sol";
import {Nodes} from "../src/Nodes.sol";
import {Pools} from "../src/Pools.sol";
import {Settlement} from "../src/Settlement.sol";
import {TeeTee} from "../src/TeeTee.sol";
import {Vouchers} from "../src/Vouchers.sol";
import "../src/Errors.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Network} from "./support/Network.sol";
import {eq, vm} from "./support/Vm.sol";

/// @dev Calls back with what it was told to when it is paid or asked, and remembers how that ended.
contract Caller is IAttestationVerifier {
    TeeTee internal immutable TEETEE;
    bytes public call;
    bytes public answer;
    uint256 public calls;
    bool public refuses;

    constructor(TeeTee teetee) {
        TEETEE = teetee;
    }

    function tell(bytes calldata what) external {
        call = what;
    }

    function refuse(bool on) external {
        refuses = on;
    }

    function act(bytes calldata what) external payable returns (bool done) {
        (done,) = address(TEETEE).call{value: msg.value}(what);
    }

    function verify(NodeClaim calldata, bytes calldata evidence)
        external
        payable
        returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry)
    {
        _callBack();
        (measurement, expiry) = abi.decode(evidence, (bytes32, uint64));
        evidenceHash = 0;
    }

    receive() external payable {
        require(!refuses, "no");
        _callBack();
    }

    function _callBack() private {
        if (call.length == 0) return;
        ++calls;
        bool done;
        (done, answer) = address(TEETEE).call(call);
        require(!done, "it let me in");
    }
}

/// @dev Forces ETH upon an account.
contract Forcer {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}

contract HostileTest is Network {
    Caller private caller;

    function setUp() public {
        setUpNetwork();
        caller = new Caller(teetee);
    }

    function test_no_function_is_entered_again_from_a_withdrawal() public {
        bytes[] memory all = _calls();
        for (uint256 i = 0; i < all.length; ++i) {
            uint256 before = vm.snapshotState();
            _earn(address(caller));
            caller.tell(all[i]);
            require(caller.act(abi.encodeCall(teetee.withdraw, ())), "not paid");
            _enteredInVain();
            eq(address(caller).balance, 95 * WEI);
            eq(teetee.earningsOf(address(caller)), 0);
            vm.revertToState(before);
        }
    }

    function test_a_refund_is_not_taken_twice() public {
        buy(address(caller), 10);
        buy(payer, 10);
        require(caller.act(abi.encodeCall(teetee.requestRefund, (10))));
        vm.warp(NOW + 1 days);
        caller.tell(abi.encodeCall(teetee.withdrawRefund, (payable(address(caller)))));
        require(caller.act(abi.encodeCall(teetee.withdrawRefund, (payable(address(caller))))));
        _enteredInVain();
        eq(address(caller).balance, 10 * WEI);
        eq(address(teetee).balance, 10 * WEI);
    }

    function test_a_hostile_verifier_enters_nothing() public {
        pool = createPool(config(IAttestationVerifier(address(caller))));
        bytes[] memory all = _calls();
        for (uint256 i = 0; i < all.length; ++i) {
            caller.tell(all[i]);
            uint64 id = register(alice, 0, 0xD000 + i);
            require(teetee.isLive(id));
            _enteredInVain();
        }
        eq(caller.calls(), all.length);
    }

    function test_a_payee_that_takes_no_money_stops_nobody_and_is_paid_elsewhere() public {
        caller.refuse(true);
        _earn(address(caller));
        require(!caller.act(abi.encodeCall(teetee.withdraw, ())), "paid");
        eq(teetee.earningsOf(address(caller)), 95);
        vm.prank(creator);
        teetee.withdraw();
        eq(creator.balance, 5 * WEI);
        require(caller.act(abi.encodeCall(teetee.withdrawTo, (payable(carol)))));
        eq(carol.balance, 95 * WEI);
        require(!caller.act(abi.encodeCall(teetee.withdrawTo, (payable(carol)))), "twice");
    }

    function test_nobody_withdraws_what_another_earned(address thief) public {
        vm.assume(thief != alice && thief != bob && thief != carol && thief != creator);
        settleSpend(openVoucher(100, 1), 100, 100);
        vm.prank(thief);
        vm.expectRevert(ZeroAmount.selector);
        teetee.withdrawTo(payable(thief));
        vm.prank(alice);
        vm.expectRevert(ZeroAddress.selector);
        teetee.withdrawTo(payable(address(0)));
    }

    function test_a_drained_voucher_does_not_block_the_others() public {
        bytes32 drained = openVoucher(100, 1);
        bytes32 sound = openVoucher(100, 2);
        // The payer's own entry takes most of it first.
        uint64 own = register(payer, 0, 0xE9);
        Settlement.Batch memory batch = plainBatch();
        batch.spends = new Vouchers.SpendClaim[](2);
        batch.spends[0] = spend(drained, ENTRY_KEY, 80, 80);
        batch.spends[1] = spend(sound, ENTRY_KEY, 60, 60);
        batch.total = 140;
        signWork(batch, keys);
        _settleFor(own, 0xE9, drained, 70);
        uint256 before = _earned();
        teetee.settle(batch);
        eq(_earned() - before, 30 + 60);
        (, uint64 remaining,,,) = teetee.voucherOf(drained);
        eq(remaining, 0);
        eq(teetee.claimedOf(drained, entryAddress), 80);
        // What was claimed in vain is claimed: later sums go on from there.
        settleSpend(drained, 85, 5);
        eq(_earned() - before, 90);
        vm.warp(NOW + 9 days);
        vm.expectRevert(ZeroAmount.selector);
        teetee.reclaimVoucher(drained);
    }

    function test_another_entry_cannot_anchor_our_receipts() public {
        uint64 rival = register(payer, 0, 0xE9);
        Settlement.Batch memory ours = spendBatch(openVoucher(100, 1), 100, 100);
        Settlement.Batch memory theirs = _rivalBatch(rival, 0xE9);
        theirs.receiptsRoot = ours.receiptsRoot;
        _signRival(theirs, 0xE9);
        teetee.settle(theirs);
        teetee.settle(ours);
        eq(teetee.anchoredAt(nodes[0], ours.receiptsRoot), NOW);
    }

    function test_forced_eth_belongs_to_nobody_and_harms_nobody() public {
        vm.deal(address(this), 7 ether);
        new Forcer{value: 7 ether}(payable(address(teetee)));
        settleSpend(openVoucher(100, 1), 100, 100);
        address[4] memory all = [alice, bob, carol, creator];
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(all[i]);
            teetee.withdraw();
        }
        eq(address(teetee).balance, 7 ether);
    }

    function test_a_refund_does_not_take_a_vouchers_money_away() public {
        bytes32 voucher = openVoucher(100, 1);
        vm.prank(payer);
        vm.expectRevert(abi.encodeWithSelector(InsufficientCredits.selector, 0, 1));
        teetee.requestRefund(1);
        settleSpend(voucher, 100, 100);
        eq(_earned(), 100);
    }

    /// @dev Every function that changes anything.
    function _calls() private returns (bytes[] memory all) {
        Pools.PoolConfig memory made = config(verifier);
        Nodes.Registration memory registering = registration(bob, pool, 0, 0x99);
        Nodes.Renewal memory renewing;
        Vouchers.Voucher memory voucher = voucherOf(payer, session, 10, 4);
        Settlement.Batch memory batch = plainBatch();
        all = new bytes[](25);
        all[0] = abi.encodeCall(teetee.withdraw, ());
        all[1] = abi.encodeCall(teetee.withdrawTo, (payable(bob)));
        all[2] = abi.encodeCall(teetee.withdrawRefund, (payable(bob)));
        all[3] = abi.encodeCall(teetee.requestRefund, (1));
        all[4] = abi.encodeCall(teetee.cancelRefund, ());
        all[5] = abi.encodeCall(teetee.buy, ());
        all[6] = abi.encodeCall(teetee.buyFor, (bob));
        all[7] = abi.encodeCall(teetee.openVoucher, (voucher, ""));
        all[8] = abi.encodeCall(teetee.endVoucher, (bytes32(0)));
        all[9] = abi.encodeCall(teetee.reclaimVoucher, (bytes32(0)));
        all[10] = abi.encodeCall(teetee.payQuery, (pool, entryAddress, 0, 1, 1, 1));
        all[11] = abi.encodeCall(teetee.reclaimQuery, (1));
        all[12] = abi.encodeCall(teetee.settle, (batch));
        all[13] = abi.encodeCall(teetee.announceSettlement, (bytes32(uint256(1))));
        all[14] = abi.encodeCall(teetee.createPool, (made));
        all[15] = abi.encodeCall(teetee.registerNode, (registering));
        all[16] = abi.encodeCall(teetee.renewNode, (1, renewing));
        all[17] = abi.encodeCall(teetee.leaveNode, (1));
        all[18] = abi.encodeCall(teetee.announcePrices, (pool, made.prices));
        all[19] = abi.encodeCall(teetee.announcePolicy, (pool, POLICY, ""));
        all[20] = abi.encodeCall(teetee.offerPool, (pool, bob));
        all[21] = abi.encodeCall(teetee.takePool, (pool));
        all[22] = abi.encodeCall(teetee.closePool, (pool));
        all[23] = abi.encodeCall(teetee.acceptMeasurement, (pool, POLICY));
        all[24] = abi.encodeCall(teetee.revokeMeasurement, (pool, CODE));
    }

    function _enteredInVain() private view {
        require(caller.calls() > 0, "not called");
        eq(
            bytes32(bytes4(caller.answer())),
            bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
    }

    /// @dev 95 credits for the host, 5 for the creator.
    function _earn(address host) private {
        uint64 firstPool = pool;
        Pools.PoolConfig memory made = config(verifier);
        made.slotLayers = new uint16[](1);
        made.slotLayers[0] = 1;
        pool = createPool(made);
        uint64 id = register(host, 0, 0xC1);
        Settlement.Batch memory batch = batchOf(id, 100, 100);
        uint64[] memory one = new uint64[](1);
        one[0] = id;
        workOf(batch, one);
        batch.spends = new Vouchers.SpendClaim[](1);
        batch.spends[0] = spend(openVoucher(100, 8), 0xC1, 100, 100);
        batch.total = 100;
        uint256[] memory by = new uint256[](1);
        by[0] = 0xC1;
        signWork(batch, by);
        teetee.settle(batch);
        pool = firstPool;
    }

    function _rivalBatch(uint64 entry, uint256 key)
        private
        returns (Settlement.Batch memory batch)
    {
        batch = batchOf(entry, 100, 100);
        uint64[] memory order = new uint64[](3);
        (order[0], order[1], order[2]) = (nodes[1], nodes[2], entry);
        workOf(batch, order);
        _signRival(batch, key);
    }

    function _signRival(Settlement.Batch memory batch, uint256 key) private view {
        uint256[] memory by = new uint256[](3);
        (by[0], by[1], by[2]) = (MIDDLE_KEY, TAIL_KEY, key);
        signWork(batch, by);
    }

    function _settleFor(uint64 entry, uint256 key, bytes32 voucher, uint128 amount) private {
        Settlement.Batch memory batch = _rivalBatch(entry, key);
        batch.spends = new Vouchers.SpendClaim[](1);
        batch.spends[0] = spend(voucher, key, amount, amount);
        batch.total = amount;
        _signRival(batch, key);
        teetee.settle(batch);
    }

    function _earned() private view returns (uint256) {
        return uint256(teetee.earningsOf(alice)) + teetee.earningsOf(bob) + teetee.earningsOf(carol)
            + teetee.earningsOf(creator) + teetee.earningsOf(payer);
    }
}
