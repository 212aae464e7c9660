// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier, NodeClaim} from "../src/IAttestationVerifier.sol";
import {Nodes} from "../src/Nodes.sol";
import {Pools} from "../src/Pools.sol";
import {DevVerifier} from "../src/verifiers/DevVerifier.sol";
import {Statement} from "../src/verifiers/Statement.sol";
import {World} from "./support/World.sol";
import {eq, vm} from "./support/Vm.sol";

contract VerifiersTest is World {
    address private constant HOST = address(0xA1);
    uint256 private constant KEY = 0xE1;
    DevVerifier private dev;
    NodeClaim private claim;

    function setUp() public {
        vm.chainId(31_337);
        setUpWorld();
        dev = new DevVerifier();
        Pools.PoolConfig memory made = config(dev);
        made.measurements[0] = keccak256(_registers(7));
        pool = createPool(made);
        claim.host = HOST;
        claim.pool = pool;
        claim.slot = 1;
        claim.modelRoot = MODEL;
        claim.firstLayer = 10;
        claim.endLayer = 22;
        claim.policyHash = POLICY;
        claim.receiptKey = vm.addr(KEY);
    }

    function test_a_node_registers_with_a_simulated_quote() public {
        bytes memory statement = _statement();
        Nodes.Registration memory made = registration(HOST, pool, 1, KEY);
        made.statementHash = sha256(statement);
        made.evidence = _evidence(statement, _quote(7));
        made.signature =
            sign(KEY, registrationDigest(HOST, pool, 1, made.statementHash, made.endpoint));
        vm.prank(HOST);
        uint64 id = teetee.registerNode(made);
        eq(teetee.nodeInfo(id).expiry, NOW + 1 days);
        eq(teetee.nodeInfo(id).measurement, keccak256(_registers(7)));
    }

    function test_it_reads_what_it_should() public {
        (bytes32 measurement, bytes32 evidenceHash, uint64 expiry) = _verify(_statement());
        eq(measurement, keccak256(_registers(7)));
        eq(evidenceHash, sha256(_quote(7)));
        eq(expiry, NOW + 1 days);
    }

    function test_the_dev_verifier_is_for_dev_chains_only(uint64 chain) public {
        vm.assume(chain != 31_337 && chain != 84_532 && chain != 0);
        bytes memory evidence = _evidence(_statement(), _quote(7));
        vm.chainId(chain);
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, chain));
        new DevVerifier();
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, chain));
        dev.verify(claim, evidence);
    }

    function test_the_dev_verifier_knows_the_real_base_sepolia() public {
        vm.chainId(84_532);
        DevVerifier local = new DevVerifier();
        bytes memory evidence = _evidence(_statement(), _quote(7));
        claim.statementHash = sha256(_statement());
        vm.prank(address(teetee));
        local.verify(claim, evidence);
        vm.etch(local.GAS_PRICE_ORACLE(), hex"00");
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, 84_532));
        local.verify(claim, evidence);
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NotADevChain.selector, 84_532));
        new DevVerifier();
    }

    function test_the_dev_verifier_takes_no_fee() public {
        vm.deal(address(this), 1);
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.NoFee.selector, 1));
        dev.verify{value: 1}(claim, "");
    }

    function test_short_evidence_is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(DevVerifier.EvidenceTooShort.selector, 3, 4));
        dev.verify(claim, hex"000000");
        bytes memory statement = _statement();
        bytes memory quote = new bytes(631);
        uint256 need = 4 + statement.length + 632;
        vm.expectRevert(
            abi.encodeWithSelector(DevVerifier.EvidenceTooShort.selector, need - 1, need)
        );
        dev.verify(claim, _evidence(statement, quote));
    }

    function test_a_statement_of_another_is_refused() public {
        bytes memory good = _statement();
        claim.statementHash = sha256("other");
        vm.expectRevert();
        dev.verify(claim, _evidence(good, _quote(7)));
        for (uint256 field = 0; field < 7; ++field) {
            NodeClaim memory kept = claim;
            if (field == 0) claim.pool += 1;
            if (field == 1) claim.modelRoot = keccak256("other");
            if (field == 2) claim.firstLayer += 1;
            if (field == 3) claim.endLayer += 1;
            if (field == 4) claim.policyHash = keccak256("other");
            if (field == 5) claim.receiptKey = HOST;
            if (field == 6) vm.chainId(84_532);
            _mismatch(good);
            claim = kept;
        }
        vm.chainId(31_337);
        claim.statementHash = sha256(good);
        vm.expectRevert();
        dev.verify(claim, _evidence(good, _quote(7)));
    }

    function test_a_statement_is_valid_in_its_time() public {
        bytes memory statement = _statement();
        vm.warp(NOW - 1);
        _mismatch(statement);
        vm.warp(NOW + 1 days);
        _mismatch(statement);
        vm.warp(NOW + 1 days - 1);
        _verify(statement);
    }

    /// @dev Whatever is cut off or changed in a statement, it is no longer one for this claim. What
    ///      may change freely: the software version, shard root, TLS key, HPKE key, and times.
    function test_a_statement_is_read_strictly(uint16 where, uint8 flip) public {
        bytes memory statement = _statement();
        bytes memory cut = new bytes(where % statement.length);
        for (uint256 i = 0; i < cut.length; ++i) {
            cut[i] = statement[i];
        }
        _badStatement(cut);
        _badStatement(bytes.concat(statement, hex"00"));
        uint256 place = where % 24;
        if (flip == 0) flip = 1;
        statement[place] = bytes1(uint8(statement[place]) ^ flip);
        _badStatement(statement);
    }

    function test_runs_within_a_statement_have_limits() public {
        _badStatement(_statementWith(new bytes(65), new bytes(91)));
        _badStatement(_statementWith(new bytes(3), new bytes(513)));
        _badStatement(bytes.concat(_statementWith("1.0", new bytes(512)), new bytes(2048)));
        _verify(_statementWith(new bytes(64), new bytes(512)));
        bytes memory statement = _statement();
        statement[23] = 0x02;
        _badStatement(statement);
    }

    function _verify(bytes memory statement) private returns (bytes32, bytes32, uint64) {
        claim.statementHash = sha256(statement);
        vm.prank(address(teetee));
        return dev.verify(claim, _evidence(statement, _quote(7)));
    }

    function _badStatement(bytes memory statement) private {
        claim.statementHash = sha256(statement);
        bytes memory evidence = _evidence(statement, _quote(7));
        vm.prank(address(teetee));
        vm.expectRevert();
        dev.verify(claim, evidence);
    }

    function _mismatch(bytes memory statement) private {
        claim.statementHash = sha256(statement);
        bytes memory evidence = _evidence(statement, _quote(7));
        vm.prank(address(teetee));
        try dev.verify(claim, evidence) {
            revert("verified");
        } catch (bytes memory reason) {
            eq(bytes32(bytes4(reason)), bytes32(Statement.StatementMismatch.selector));
        }
    }

    function _statement() private view returns (bytes memory) {
        return _statementWith("0.1.0", new bytes(91));
    }

    function _statementWith(bytes memory version, bytes memory spki)
        private
        view
        returns (bytes memory)
    {
        bytes memory head = abi.encodePacked(
            _little(19, 4),
            "teetee statement v2",
            uint8(1),
            _little(version.length, 4),
            version,
            _little(block.chainid, 8),
            address(teetee),
            _little(pool, 8),
            MODEL,
            keccak256("shard root")
        );
        bytes memory tail = abi.encodePacked(
            _little(10, 4),
            _little(22, 4),
            POLICY,
            _little(spki.length, 4),
            spki,
            keccak256("hpke"),
            vm.addr(KEY)
        );
        return bytes.concat(head, tail, _little(NOW, 8), _little(NOW + 1 days, 8));
    }

    function _little(uint256 value, uint256 length) private pure returns (bytes memory out) {
        out = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            out[i] = bytes1(uint8(value >> 8 * i));
        }
    }

    function _evidence(bytes memory statement, bytes memory quote)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint32(statement.length), statement, quote);
    }

    /// @dev MRTD, MRCONFIGID, RTMR 0 to 2.
    function _registers(uint8 seed) private pure returns (bytes memory out) {
        out = new bytes(240);
        for (uint256 i = 0; i < 240; ++i) {
            out[i] = bytes1(uint8(seed + i));
        }
    }

    function _quote(uint8 seed) private pure returns (bytes memory quote) {
        quote = new bytes(700);
        bytes memory registers = _registers(seed);
        for (uint256 i = 0; i < 96; ++i) {
            quote[184 + i] = registers[i];
        }
        for (uint256 i = 0; i < 144; ++i) {
            quote[376 + i] = registers[96 + i];
        }
    }
}
