// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Nodes} from "../src/Nodes.sol";
import {Pools} from "../src/Pools.sol";
import {Queries} from "../src/Queries.sol";
import {Settlement} from "../src/Settlement.sol";
import {Vouchers} from "../src/Vouchers.sol";
import {Network} from "../test/support/Network.sol";
import {StaticVerifier} from "../test/support/MockVerifier.sol";
import {vm} from "../test/support/Vm.sol";
import {Spending} from "./Spending.sol";

/// @dev The registry, settlement and credits, with a verifier that costs as good as nothing.
contract GasTest is Network, Spending {
    uint256 private constant PAYERS = 50;
    bytes32[] private vouchers;
    uint64 private query;

    function setUp() public {
        setUpWorld();
        pool = createPool(config(new StaticVerifier()));
        keys = [ENTRY_KEY, MIDDLE_KEY, TAIL_KEY];
        nodes.push(register(alice, 0, ENTRY_KEY));
        nodes.push(register(bob, 1, MIDDLE_KEY));
        nodes.push(register(carol, 2, TAIL_KEY));
        for (uint256 i = 0; i < PAYERS; ++i) {
            uint256 key = 0x900000 + i;
            address from = vm.addr(key);
            buy(from, 1_000_000);
            Vouchers.Voucher memory voucher =
                Vouchers.Voucher(from, pool, session, 900_000, uint64(NOW + 1 days), bytes32(i));
            vouchers.push(teetee.openVoucher(voucher, sign(key, voucherDigest(voucher))));
        }
        teetee.settle(_batch(PAYERS, 1000, 1000));
        query = payQuery();
        vm.prank(vm.addr(0x900000));
        teetee.requestRefund(5);
        vm.warp(NOW + 1 days);
    }

    function test_registration_without_verification() public {
        Nodes.Registration memory made = registration(address(0xDD), pool, 1, 0xE9);
        uint256 first = _spent(
            "register, first node of a host",
            address(0xDD),
            0,
            abi.encodeCall(teetee.registerNode, (made))
        );
        require(first <= 250_000, "bar: registration");
        made = registration(alice, pool, 1, 0xEA);
        uint256 next = _spent(
            "register, host with nodes", alice, 0, abi.encodeCall(teetee.registerNode, (made))
        );
        require(next <= 250_000, "bar: registration");
    }

    function test_renewal() public {
        Nodes.Renewal memory again = renewal(alice, nodes[0], ENTRY_KEY);
        _spent("renew", alice, 0, abi.encodeCall(teetee.renewNode, (nodes[0], again)));
    }

    function test_leaving() public {
        _spent("leave", alice, 0, abi.encodeCall(teetee.leaveNode, (nodes[0])));
    }

    function test_settlement_of_fifty() public {
        uint256 spent = _spent(
            "settle, 50 returning payers, 3 nodes",
            alice,
            0,
            abi.encodeCall(teetee.settle, (_batch(PAYERS, 2000, 1000)))
        );
        emit log_named_uint("bar", 80_000 + 22_000 * PAYERS);
        require(spent <= 80_000 + 22_000 * PAYERS, "bar: settlement");
    }

    function test_settlement_of_one() public {
        _spent(
            "settle, 1 returning payer, 3 nodes",
            alice,
            0,
            abi.encodeCall(teetee.settle, (_batch(1, 2000, 1000)))
        );
    }

    function test_settlement_of_new_payers() public {
        // Another entry, of which nobody has claims yet.
        nodes[0] = register(alice, 0, 0xE9);
        keys[0] = 0xE9;
        (nodes[0], nodes[1], nodes[2]) = (nodes[1], nodes[2], nodes[0]);
        (keys[0], keys[1], keys[2]) = (MIDDLE_KEY, TAIL_KEY, 0xE9);
        Settlement.Batch memory batch = _batchOf(nodes[2], 0xE9, PAYERS, 1000, 1000);
        _spent("settle, 50 new payers, 3 nodes", alice, 0, abi.encodeCall(teetee.settle, (batch)));
    }

    function test_settlement_of_a_query() public {
        Settlement.Batch memory batch = queryBatch(query, 300);
        _spent("settle, 1 query, 3 nodes", alice, 0, abi.encodeCall(teetee.settle, (batch)));
    }

    function test_paying() public {
        _spent("buy, first", bob, 5 * WEI, abi.encodeCall(teetee.buy, ()));
        vm.deal(bob, 500 * WEI);
        _spent(
            "payQuery",
            bob,
            500 * WEI,
            abi.encodeCall(
                teetee.payQuery,
                (pool, entryAddress, keccak256("request"), 100, 100, uint64(NOW + 1 days + 1 hours))
            )
        );
        buy(payer, 100);
        Vouchers.Voucher memory voucher =
            Vouchers.Voucher(payer, pool, session, 50, uint64(NOW + 2 days), bytes32(uint256(99)));
        bytes memory signature = sign(PAYER_KEY, voucherDigest(voucher));
        _spent("openVoucher", bob, 0, abi.encodeCall(teetee.openVoucher, (voucher, signature)));
    }

    function test_taking_back() public {
        address from = vm.addr(0x900000);
        _spent("withdrawRefund", from, 0, abi.encodeCall(teetee.withdrawRefund, (payable(from))));
        _spent("requestRefund", vm.addr(0x900001), 0, abi.encodeCall(teetee.requestRefund, (10)));
        _spent("withdraw", bob, 0, abi.encodeCall(teetee.withdraw, ()));
    }

    function test_pools() public {
        Pools.PoolConfig memory made = config(verifier);
        _spent("createPool, 3 slots", creator, 0, abi.encodeCall(teetee.createPool, (made)));
        _spent(
            "announcePrices", creator, 0, abi.encodeCall(teetee.announcePrices, (pool, made.prices))
        );
        _spent(
            "revokeMeasurement", creator, 0, abi.encodeCall(teetee.revokeMeasurement, (pool, CODE))
        );
    }

    function test_deployment() public {
        spentOn("TeeTee", abi.encode(WEI));
    }

    /// @dev Each payer's claim rises to `amount` by `added`.
    function _batch(uint256 payers, uint128 amount, uint128 added)
        private
        returns (Settlement.Batch memory)
    {
        return _batchOf(nodes[0], ENTRY_KEY, payers, amount, added);
    }

    function _batchOf(uint64 entry, uint256 entryKey, uint256 payers, uint128 amount, uint128 added)
        private
        returns (Settlement.Batch memory batch)
    {
        batch = batchOf(entry, 12_345, 23_456);
        workOf(batch, nodes);
        batch.spends = new Vouchers.SpendClaim[](payers);
        for (uint256 i = 0; i < payers; ++i) {
            batch.spends[i] = spend(vouchers[i], entryKey, amount, amount + 77);
        }
        batch.total = uint128(payers) * added;
        signWork(batch, keys);
    }

    function _spent(string memory what, address from, uint256 value, bytes memory call)
        private
        returns (uint256)
    {
        vm.cool(address(teetee));
        return spentBy(what, from, address(teetee), value, call);
    }
}
