// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Limits} from "../src/Limits.sol";
import {Nodes} from "../src/Nodes.sol";
import {Pools} from "../src/Pools.sol";
import {TeeTee} from "../src/TeeTee.sol";
import "../src/Errors.sol";
import {World} from "./support/World.sol";
import {eq, vm} from "./support/Vm.sol";

contract NodesTest is World {
    event NodeRegistered(
        uint64 indexed pool,
        uint64 indexed node,
        address indexed host,
        uint16 slot,
        address receiptKey,
        bytes32 statementHash,
        bytes32 evidenceHash,
        bytes32 measurement,
        uint64 expiry,
        string endpoint
    );
    event NodeRenewed(
        uint64 indexed pool,
        uint64 indexed node,
        bytes32 statementHash,
        bytes32 evidenceHash,
        uint64 expiry,
        string endpoint
    );
    event NodeLeft(uint64 indexed pool, uint64 indexed node);

    address private constant HOST = address(0xA1);
    address private constant OTHER = address(0xB0);
    uint256 private constant KEY = 0xE1;

    function setUp() public {
        setUpWorld();
    }

    function test_a_node_is_registered() public {
        Nodes.Registration memory made = registration(HOST, pool, 1, KEY);
        vm.expectEmit();
        emit NodeRegistered(
            pool,
            1,
            HOST,
            1,
            made.receiptKey,
            made.statementHash,
            keccak256(made.evidence),
            CODE,
            uint64(NOW + 10 days),
            made.endpoint
        );
        vm.prank(HOST);
        eq(teetee.registerNode(made), 1);
        Nodes.Node memory node = teetee.nodeInfo(1);
        eq(node.host, HOST);
        eq(node.receiptKey, vm.addr(KEY));
        eq(node.slot, 1);
        eq(node.pool, pool);
        eq(node.expiry, NOW + 10 days);
        eq(node.measurement, CODE);
        require(!node.left);
        eq(teetee.nodeCount(), 1);
        eq(teetee.nodeOfKey(vm.addr(KEY)), 1);
        require(teetee.isLive(1));
        require(teetee.isHost(pool, HOST));
        require(!teetee.isHost(pool, OTHER));
        eq(teetee.hostNodes(pool, HOST)[0], 1);
    }

    function test_the_verifier_is_told_what_to_check() public {
        Nodes.Registration memory made = registration(HOST, pool, 1, KEY);
        vm.deal(HOST, 5);
        vm.prank(HOST);
        teetee.registerNode{value: 5}(made);
        _wasTold(made.statementHash);
        eq(verifier.fee(), 5);
        eq(address(teetee).balance, 0);
        eq(address(verifier).balance, 5);
        Nodes.Renewal memory again = renewal(HOST, 1, KEY);
        vm.deal(HOST, 7);
        vm.prank(HOST);
        teetee.renewNode{value: 7}(1, again);
        _wasTold(again.statementHash);
        eq(verifier.fee(), 7);
        eq(address(teetee).balance, 0);
    }

    function _wasTold(bytes32 need) private view {
        (
            address host,
            uint64 inPool,
            uint16 slot,
            bytes32 root,
            uint32 first,
            uint32 end,
            bytes32 policy,
            bytes32 statement,
            address key
        ) = verifier.last();
        eq(host, HOST);
        eq(inPool, pool);
        eq(slot, 1);
        eq(root, MODEL);
        eq(first, 10);
        eq(end, 22);
        eq(policy, POLICY);
        eq(statement, need);
        eq(key, vm.addr(KEY));
    }

    function test_a_registration_cannot_be_taken_by_another_wallet(address thief) public {
        vm.assume(thief != HOST);
        Nodes.Registration memory made = registration(HOST, pool, 1, KEY);
        vm.prank(thief);
        vm.expectRevert();
        teetee.registerNode(made);
        eq(teetee.nodeCount(), 0);
    }

    function test_every_signed_field_counts() public {
        Nodes.Registration memory made = registration(HOST, pool, 1, KEY);
        made.slot = 2;
        _wrongSigner(made);
        made = registration(HOST, pool, 1, KEY);
        made.pool = createPool(config(verifier));
        _wrongSigner(made);
        made = registration(HOST, pool, 1, KEY);
        made.statementHash = keccak256("another");
        _wrongSigner(made);
        made = registration(HOST, pool, 1, KEY);
        made.endpoint = "tls://evil.example:1";
        _wrongSigner(made);
        made = registration(HOST, pool, 1, KEY);
        made.receiptKey = OTHER;
        _wrongSigner(made);
        made = registration(HOST, pool, 1, KEY);
        TeeTee second = deploy();
        TeeTee first = teetee;
        vm.prank(creator);
        second.createPool(config(verifier));
        teetee = second;
        _wrongSigner(made);
        teetee = first;
        vm.chainId(8453);
        _wrongSigner(made);
    }

    function test_a_signature_has_one_form() public {
        Nodes.Registration memory made = registration(HOST, pool, 1, KEY);
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(KEY, registrationDigest(HOST, pool, 1, made.statementHash, made.endpoint));
        uint256 n = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        made.signature = abi.encodePacked(r, n - uint256(s), v == 27 ? uint8(28) : uint8(27));
        _refused(made, abi.encodeWithSelector(WrongSigner.selector, address(0), made.receiptKey));
        made.signature = abi.encodePacked(r, s);
        _refused(made, abi.encodeWithSelector(WrongSigner.selector, address(0), made.receiptKey));
        made.signature = abi.encodePacked(r, s, v, v);
        _refused(made, abi.encodeWithSelector(WrongSigner.selector, address(0), made.receiptKey));
        made.receiptKey = address(0);
        _refused(made, abi.encodeWithSelector(ZeroAddress.selector));
    }

    function test_refuses_unsound_registrations() public {
        Nodes.Registration memory made = registration(HOST, 9, 0, KEY);
        _refused(made, abi.encodeWithSelector(UnknownPool.selector, 9));
        made = registration(HOST, pool, 3, KEY);
        _refused(made, abi.encodeWithSelector(Nodes.UnknownSlot.selector, 3, 3));
        made = registration(HOST, pool, 0, KEY);
        made.endpoint = "";
        _refused(made, abi.encodeWithSelector(WrongLength.selector, 0, 256));
        made.endpoint = string(new bytes(257));
        _refused(made, abi.encodeWithSelector(WrongLength.selector, 257, 256));
        made = registration(HOST, pool, 0, KEY);
        made.statementHash = 0;
        _refused(made, abi.encodeWithSelector(ZeroHash.selector));
        made = registration(HOST, pool, 0, KEY);
        made.evidence = new bytes(32 * 1024 + 1);
        _refused(made, abi.encodeWithSelector(WrongLength.selector, 32_769, 32_768));
        made.evidence = abi.encode(keccak256("unknown code"), uint64(NOW + 1));
        _refused(
            made,
            abi.encodeWithSelector(Pools.MeasurementUnknown.selector, keccak256("unknown code"))
        );
        made.evidence = abi.encode(CODE, uint64(NOW));
        _refused(made, abi.encodeWithSelector(TooLate.selector, NOW, NOW));
        made.evidence = hex"00";
        vm.prank(HOST);
        vm.expectRevert();
        teetee.registerNode(made);
        vm.prank(creator);
        teetee.closePool(pool);
        _refused(
            registration(HOST, pool, 0, KEY), abi.encodeWithSelector(PoolIsClosed.selector, pool)
        );
    }

    function test_code_registers_from_when_it_is_accepted_until_it_is_revoked() public {
        bytes32 fresh = keccak256("fresh");
        vm.prank(creator);
        teetee.acceptMeasurement(pool, fresh);
        Nodes.Registration memory made = registration(HOST, pool, 0, KEY);
        made.evidence = abi.encode(fresh, uint64(NOW + 10 days));
        _refused(made, abi.encodeWithSelector(TooEarly.selector, NOW, NOW + 1 days));
        vm.warp(NOW + 1 days);
        vm.prank(HOST);
        teetee.registerNode(made);
        vm.prank(creator);
        teetee.revokeMeasurement(pool, fresh);
        made = registration(HOST, pool, 0, KEY + 1);
        made.evidence = abi.encode(fresh, uint64(NOW + 10 days));
        _refused(
            made, abi.encodeWithSelector(Pools.MeasurementIsRevoked.selector, fresh, NOW + 1 days)
        );
    }

    function test_a_key_belongs_to_one_node_for_ever() public {
        uint64 id = register(HOST, 0, KEY);
        bytes memory refusal = abi.encodeWithSelector(Nodes.KeyInUse.selector, vm.addr(KEY), id);
        _refused(registration(HOST, pool, 1, KEY), refusal);
        vm.prank(HOST);
        teetee.leaveNode(id);
        _refused(registration(HOST, pool, 0, KEY), refusal);
    }

    function test_evidence_holds_a_month_at_most() public {
        Nodes.Registration memory made = registration(HOST, pool, 0, KEY);
        made.evidence = abi.encode(CODE, type(uint64).max);
        vm.prank(HOST);
        eq(teetee.nodeInfo(teetee.registerNode(made)).expiry, NOW + 30 days);
    }

    function test_a_node_expires_and_is_renewed() public {
        uint64 id = register(HOST, 0, KEY);
        vm.warp(NOW + 10 days - 1);
        require(teetee.isLive(id) && teetee.isHost(pool, HOST));
        vm.warp(NOW + 10 days);
        require(!teetee.isLive(id) && !teetee.isHost(pool, HOST));
        vm.warp(NOW + 17 days);
        Nodes.Renewal memory again = renewal(HOST, id, KEY);
        vm.expectEmit();
        emit NodeRenewed(
            pool,
            id,
            again.statementHash,
            keccak256(again.evidence),
            uint64(NOW + 27 days),
            again.endpoint
        );
        vm.prank(HOST);
        teetee.renewNode(id, again);
        eq(teetee.nodeInfo(id).expiry, NOW + 27 days);
        require(teetee.isLive(id) && teetee.isHost(pool, HOST));
    }

    function test_renewal_is_the_hosts_with_the_same_key_and_code() public {
        uint64 id = register(HOST, 0, KEY);
        Nodes.Renewal memory again = renewal(HOST, id, KEY);
        vm.prank(OTHER);
        vm.expectRevert(abi.encodeWithSelector(NotYours.selector, OTHER, HOST));
        teetee.renewNode(id, again);
        again = renewal(HOST, id, KEY + 1);
        vm.prank(HOST);
        vm.expectRevert(
            abi.encodeWithSelector(WrongSigner.selector, vm.addr(KEY + 1), vm.addr(KEY))
        );
        teetee.renewNode(id, again);
        vm.prank(creator);
        teetee.acceptMeasurement(pool, keccak256("fresh"));
        vm.warp(NOW + 2 days);
        again = renewal(HOST, id, KEY);
        again.evidence = abi.encode(keccak256("fresh"), uint64(NOW + 20 days));
        vm.prank(HOST);
        vm.expectRevert(
            abi.encodeWithSelector(Nodes.MeasurementChanged.selector, keccak256("fresh"), CODE)
        );
        teetee.renewNode(id, again);
        vm.prank(creator);
        teetee.revokeMeasurement(pool, CODE);
        again = renewal(HOST, id, KEY);
        vm.prank(HOST);
        vm.expectRevert(
            abi.encodeWithSelector(Pools.MeasurementIsRevoked.selector, CODE, NOW + 2 days)
        );
        teetee.renewNode(id, again);
    }

    function test_too_late_to_renew() public {
        uint64 id = register(HOST, 0, KEY);
        vm.warp(NOW + 17 days + 1);
        Nodes.Renewal memory again = renewal(HOST, id, KEY);
        vm.prank(HOST);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, NOW + 17 days + 1, NOW + 17 days));
        teetee.renewNode(id, again);
    }

    function test_nodes_of_a_closed_pool_may_renew() public {
        uint64 id = register(HOST, 0, KEY);
        vm.prank(creator);
        teetee.closePool(pool);
        vm.warp(NOW + 1 days);
        Nodes.Renewal memory again = renewal(HOST, id, KEY);
        vm.prank(HOST);
        teetee.renewNode(id, again);
        eq(teetee.nodeInfo(id).expiry, NOW + 11 days);
    }

    function test_a_host_leaves_for_good() public {
        uint64 id = register(HOST, 0, KEY);
        uint64 second = register(HOST, 1, KEY + 1);
        vm.prank(OTHER);
        vm.expectRevert(abi.encodeWithSelector(NotYours.selector, OTHER, HOST));
        teetee.leaveNode(id);
        vm.expectEmit();
        emit NodeLeft(pool, id);
        vm.prank(HOST);
        teetee.leaveNode(id);
        require(!teetee.isLive(id) && teetee.isHost(pool, HOST));
        eq(teetee.nodeInfo(id).expiry, NOW);
        eq(teetee.hostNodes(pool, HOST).length, 1);
        eq(teetee.hostNodes(pool, HOST)[0], second);
        Nodes.Renewal memory again = renewal(HOST, id, KEY);
        vm.prank(HOST);
        vm.expectRevert(abi.encodeWithSelector(Nodes.NodeHasLeft.selector, id));
        teetee.renewNode(id, again);
        vm.prank(HOST);
        vm.expectRevert(abi.encodeWithSelector(Nodes.NodeHasLeft.selector, id));
        teetee.leaveNode(id);
        vm.warp(NOW + 10 days + 1);
        vm.prank(HOST);
        teetee.leaveNode(second);
        eq(teetee.nodeInfo(second).expiry, NOW + 10 days);
        require(!teetee.isHost(pool, HOST));
    }

    function test_a_node_that_is_not_there_is_unknown() public {
        bytes memory refusal = abi.encodeWithSelector(UnknownNode.selector, 5);
        vm.expectRevert(refusal);
        teetee.nodeInfo(5);
        vm.expectRevert(refusal);
        teetee.leaveNode(5);
        require(!teetee.isLive(5) && !teetee.isLive(0));
    }

    function test_a_revoked_measurement_takes_its_nodes_out() public {
        uint64 id = register(HOST, 0, KEY);
        vm.prank(creator);
        teetee.revokeMeasurement(pool, CODE);
        require(!teetee.isLive(id) && !teetee.isHost(pool, HOST));
    }

    function test_a_host_has_so_many_nodes_until_one_is_gone() public {
        for (uint256 i = 0; i < 32; ++i) {
            register(HOST, 0, KEY + i);
        }
        Nodes.Registration memory made = registration(HOST, pool, 0, KEY + 32);
        bytes memory refusal = abi.encodeWithSelector(Nodes.TooManyNodes.selector, 33, 32);
        _refused(made, refusal);
        vm.warp(NOW + 17 days);
        _refused(registration(HOST, pool, 0, KEY + 32), refusal);
        Nodes.Renewal memory again = renewal(HOST, 1, KEY);
        vm.prank(HOST);
        teetee.renewNode(1, again);
        vm.warp(NOW + 17 days + 1);
        eq(register(HOST, 0, KEY + 32), 33);
        uint64[] memory ids = teetee.hostNodes(pool, HOST);
        eq(ids.length, 32);
        eq(ids[0], 1);
        eq(ids[1], 33);
        require(teetee.isHost(pool, HOST));
    }

    function test_revoked_nodes_make_room() public {
        for (uint256 i = 0; i < 32; ++i) {
            register(HOST, 0, KEY + i);
        }
        vm.prank(creator);
        teetee.acceptMeasurement(pool, keccak256("fresh"));
        vm.warp(NOW + 1 days);
        vm.prank(creator);
        teetee.revokeMeasurement(pool, CODE);
        Nodes.Registration memory made = registration(HOST, pool, 0, KEY + 32);
        made.evidence = abi.encode(keccak256("fresh"), uint64(NOW + 10 days));
        vm.prank(HOST);
        teetee.registerNode(made);
        eq(teetee.hostNodes(pool, HOST)[0], 33);
        require(teetee.isHost(pool, HOST));
    }

    function _wrongSigner(Nodes.Registration memory made) private {
        vm.prank(HOST);
        try teetee.registerNode(made) {
            revert("registered");
        } catch (bytes memory reason) {
            eq(bytes32(bytes4(reason)), bytes32(WrongSigner.selector));
        }
    }

    function _refused(Nodes.Registration memory made, bytes memory refusal) private {
        vm.prank(HOST);
        vm.expectRevert(refusal);
        teetee.registerNode(made);
    }
}
