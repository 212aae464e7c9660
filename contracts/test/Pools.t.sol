// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../src/IAttestationVerifier.sol";
import {Limits} from "../src/Limits.sol";
import {Pools} from "../src/Pools.sol";
import "../src/Errors.sol";
import {World} from "./support/World.sol";
import {eq, vm} from "./support/Vm.sol";

contract PoolsTest is World {
    event PoolCreated(
        uint64 indexed pool,
        address indexed creator,
        bytes32 indexed modelRoot,
        string manifestURI,
        uint16[] slotLayers,
        uint16 feeBps,
        IAttestationVerifier verifier
    );

    function setUp() public {
        setUpWorld();
    }

    function test_a_pool_is_what_was_configured() public {
        Pools.PoolConfig memory made = config(verifier);
        vm.expectEmit();
        emit PoolCreated(
            2, creator, MODEL, made.manifestURI, made.slotLayers, made.feeBps, verifier
        );
        uint64 id = createPool(made);
        eq(id, 2);
        eq(teetee.poolCount(), 2);
        Pools.PoolView memory info = teetee.poolInfo(id);
        eq(info.creator, creator);
        eq(info.nextCreator, address(0));
        eq(info.modelRoot, MODEL);
        eq(info.policyHash, POLICY);
        eq(address(info.verifier), address(verifier));
        eq(info.prices.prompt, 2);
        eq(info.prices.completion, 3);
        eq(info.feeBps, 500);
        require(!info.closed);
        eq(info.slotLayers.length, 3);
        eq(info.slotLayers[1], 12);
        require(teetee.isAccepted(id, CODE));
        require(!teetee.isAccepted(id, keccak256("other")));
    }

    function test_refuses_unsound_configurations() public {
        Pools.PoolConfig memory made = config(verifier);
        made.modelRoot = 0;
        _refused(made, abi.encodeWithSelector(ZeroHash.selector));
        made = config(verifier);
        made.manifestURI = string(new bytes(513));
        _refused(made, abi.encodeWithSelector(WrongLength.selector, 513, 512));
        made = config(verifier);
        made.policyHash = 0;
        _refused(made, abi.encodeWithSelector(ZeroHash.selector));
        made = config(verifier);
        made.policyURI = string(new bytes(513));
        _refused(made, abi.encodeWithSelector(WrongLength.selector, 513, 512));
        made = config(verifier);
        made.slotLayers = new uint16[](0);
        _refused(made, abi.encodeWithSelector(WrongLength.selector, 0, 64));
        made.slotLayers = new uint16[](65);
        _refused(made, abi.encodeWithSelector(WrongLength.selector, 65, 64));
        made.slotLayers = new uint16[](2);
        made.slotLayers[0] = 1;
        _refused(made, abi.encodeWithSelector(Pools.EmptySlot.selector, 1));
        made = config(verifier);
        made.feeBps = 2001;
        _refused(made, abi.encodeWithSelector(Pools.FeeTooHigh.selector, 2001, 2000));
        made = config(IAttestationVerifier(address(0xDEAD)));
        _refused(made, abi.encodeWithSelector(Pools.NotAContract.selector, address(0xDEAD)));
        made = config(verifier);
        made.measurements = new bytes32[](33);
        _refused(made, abi.encodeWithSelector(WrongLength.selector, 33, 32));
        made.measurements = new bytes32[](1);
        _refused(made, abi.encodeWithSelector(ZeroHash.selector));
        made.measurements = new bytes32[](2);
        made.measurements[0] = made.measurements[1] = CODE;
        _refused(made, abi.encodeWithSelector(Pools.MeasurementKnown.selector, CODE));
        eq(teetee.poolCount(), 1);
    }

    function test_takes_what_is_at_the_limits() public {
        Pools.PoolConfig memory made = config(verifier);
        made.manifestURI = string(new bytes(512));
        made.slotLayers = new uint16[](64);
        for (uint256 i = 0; i < 64; ++i) {
            made.slotLayers[i] = type(uint16).max;
        }
        made.feeBps = 2000;
        made.measurements = new bytes32[](32);
        for (uint256 i = 0; i < 32; ++i) {
            made.measurements[i] = bytes32(i + 1);
        }
        eq(createPool(made), 2);
    }

    function test_only_the_creator_changes_a_pool(address other) public {
        // Nobody calls as zero, to whom no pool is offered.
        vm.assume(other != creator && other != address(0));
        bytes memory refusal = abi.encodeWithSelector(NotYours.selector, other, creator);
        vm.prank(other);
        vm.expectRevert(refusal);
        teetee.announcePrices(pool, Pools.Prices(1, 1));
        vm.prank(other);
        vm.expectRevert(refusal);
        teetee.announcePolicy(pool, POLICY, "");
        vm.prank(other);
        vm.expectRevert(refusal);
        teetee.acceptMeasurement(pool, bytes32(uint256(1)));
        vm.prank(other);
        vm.expectRevert(refusal);
        teetee.revokeMeasurement(pool, CODE);
        vm.prank(other);
        vm.expectRevert(refusal);
        teetee.offerPool(pool, other);
        vm.prank(other);
        vm.expectRevert(refusal);
        teetee.closePool(pool);
        vm.prank(other);
        vm.expectRevert(abi.encodeWithSelector(NotYours.selector, other, address(0)));
        teetee.takePool(pool);
    }

    function test_a_pool_that_is_not_there_is_unknown() public {
        bytes memory refusal = abi.encodeWithSelector(UnknownPool.selector, 7);
        vm.expectRevert(refusal);
        teetee.poolInfo(7);
        vm.expectRevert(refusal);
        teetee.closePool(7);
        vm.expectRevert(refusal);
        teetee.takePool(7);
    }

    function test_prices_come_into_force_after_the_delay() public {
        vm.warp(NOW + 10 days);
        _announce(20, 30);
        _pricesAre(2, 3);
        vm.warp(NOW + 10 days + 1 hours - 1);
        _pricesAre(2, 3);
        vm.warp(NOW + 10 days + 1 hours);
        _pricesAre(20, 30);
    }

    function test_prices_not_yet_in_force_are_replaced() public {
        _announce(20, 30);
        vm.warp(NOW + 30 minutes);
        _announce(21, 31);
        vm.warp(NOW + 1 hours);
        _pricesAre(2, 3);
        vm.warp(NOW + 90 minutes);
        _pricesAre(21, 31);
    }

    function test_prices_in_force_stay_for_a_day() public {
        _announce(20, 30);
        vm.warp(NOW + 1 hours);
        _tooEarly(NOW + 25 hours);
        vm.warp(NOW + 25 hours - 1);
        _tooEarly(NOW + 25 hours);
        vm.warp(NOW + 25 hours);
        _announce(22, 32);
        _pricesAre(20, 30);
        vm.warp(NOW + 26 hours);
        _pricesAre(22, 32);
    }

    function test_a_policy_comes_into_force_after_a_day() public {
        vm.prank(creator);
        teetee.announcePolicy(pool, keccak256("second"), "");
        vm.warp(NOW + 1 days - 1);
        eq(teetee.poolInfo(pool).policyHash, POLICY);
        vm.warp(NOW + 1 days);
        eq(teetee.poolInfo(pool).policyHash, keccak256("second"));
        vm.prank(creator);
        teetee.announcePolicy(pool, keccak256("third"), "");
        eq(teetee.poolInfo(pool).policyHash, keccak256("second"));
        vm.warp(NOW + 2 days);
        eq(teetee.poolInfo(pool).policyHash, keccak256("third"));
        vm.prank(creator);
        vm.expectRevert(ZeroHash.selector);
        teetee.announcePolicy(pool, 0, "");
    }

    function test_a_measurement_is_accepted_after_a_day_and_revoked_at_once() public {
        bytes32 fresh = keccak256("fresh");
        vm.prank(creator);
        teetee.acceptMeasurement(pool, fresh);
        vm.warp(NOW + 1 days - 1);
        require(!teetee.isAccepted(pool, fresh));
        vm.warp(NOW + 1 days);
        require(teetee.isAccepted(pool, fresh));
        vm.prank(creator);
        teetee.revokeMeasurement(pool, fresh);
        require(!teetee.isAccepted(pool, fresh));
        vm.prank(creator);
        vm.expectRevert(
            abi.encodeWithSelector(Pools.MeasurementIsRevoked.selector, fresh, NOW + 1 days)
        );
        teetee.revokeMeasurement(pool, fresh);
        vm.prank(creator);
        vm.expectRevert(abi.encodeWithSelector(Pools.MeasurementKnown.selector, fresh));
        teetee.acceptMeasurement(pool, fresh);
        vm.prank(creator);
        vm.expectRevert(
            abi.encodeWithSelector(Pools.MeasurementUnknown.selector, bytes32(uint256(5)))
        );
        teetee.revokeMeasurement(pool, bytes32(uint256(5)));
    }

    function test_a_pool_changes_hands_in_two_steps() public {
        address heir = address(0x11E);
        vm.prank(creator);
        teetee.offerPool(pool, heir);
        eq(teetee.poolInfo(pool).creator, creator);
        eq(teetee.poolInfo(pool).nextCreator, heir);
        vm.prank(heir);
        teetee.takePool(pool);
        eq(teetee.poolInfo(pool).creator, heir);
        eq(teetee.poolInfo(pool).nextCreator, address(0));
        vm.prank(creator);
        vm.expectRevert(abi.encodeWithSelector(NotYours.selector, creator, heir));
        teetee.closePool(pool);
    }

    function test_a_pool_is_closed_for_good() public {
        vm.prank(creator);
        teetee.closePool(pool);
        require(teetee.poolInfo(pool).closed);
        vm.prank(creator);
        vm.expectRevert(abi.encodeWithSelector(PoolIsClosed.selector, pool));
        teetee.closePool(pool);
    }

    function _announce(uint64 prompt, uint64 completion) private {
        vm.prank(creator);
        teetee.announcePrices(pool, Pools.Prices(prompt, completion));
    }

    function _tooEarly(uint256 need) private {
        vm.prank(creator);
        vm.expectRevert(abi.encodeWithSelector(TooEarly.selector, vm.getBlockTimestamp(), need));
        teetee.announcePrices(pool, Pools.Prices(1, 1));
    }

    function _pricesAre(uint64 prompt, uint64 completion) private view {
        Pools.Prices memory prices = teetee.poolInfo(pool).prices;
        eq(prices.prompt, prompt);
        eq(prices.completion, completion);
    }

    function _refused(Pools.PoolConfig memory made, bytes memory refusal) private {
        vm.prank(creator);
        vm.expectRevert(refusal);
        teetee.createPool(made);
    }
}
