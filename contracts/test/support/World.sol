// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../src/IAttestationVerifier.sol";
import {Nodes} from "../../src/Nodes.sol";
import {Pools} from "../../src/Pools.sol";
import {Queries} from "../../src/Queries.sol";
import {Settlement} from "../../src/Settlement.sol";
import {TeeTee} from "../../src/TeeTee.sol";
import {Vouchers} from "../../src/Vouchers.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {Moment} from "./Moment.sol";
import {artifactOf, vm} from "./Vm.sol";

/// @dev A deployment with helpers that sign as the parties would. Types and domain are written out
///      again here, so that a changed type string in the contract does not go unnoticed.
abstract contract World is Moment {
    uint256 internal constant WEI = 1e6;
    bytes32 internal constant CODE = keccak256("measurement");

    address internal creator = address(0xC0FFEE);
    uint256 internal constant PAYER_KEY = 0xA11CE;
    uint256 internal constant SESSION_KEY = 0x5E55;
    address internal payer = vm.addr(PAYER_KEY);
    address internal session = vm.addr(SESSION_KEY);

    TeeTee internal teetee;
    MockVerifier internal verifier;
    uint64 internal pool;
    uint256 private _roots;

    function setUpWorld() internal {
        vm.warp(NOW);
        teetee = deploy();
        verifier = new MockVerifier();
        pool = createPool(config(verifier));
    }

    /// @dev As compiled with these tests, or as TEETEE_ARTIFACTS has it.
    function deploy() internal returns (TeeTee) {
        string memory artifact = artifactOf("TeeTee");
        if (bytes(artifact).length == 0) return new TeeTee(WEI);
        return TeeTee(vm.deployCode(artifact, abi.encode(WEI)));
    }

    function config(IAttestationVerifier with)
        internal
        pure
        returns (Pools.PoolConfig memory made)
    {
        made.modelRoot = MODEL;
        made.manifestURI = "https://models.example/m";
        made.slotLayers = new uint16[](3);
        (made.slotLayers[0], made.slotLayers[1], made.slotLayers[2]) = (10, 12, 8);
        made.prices = Pools.Prices(2, 3);
        made.feeBps = 500;
        made.policyHash = POLICY;
        made.policyURI = "https://models.example/p";
        made.verifier = with;
        made.measurements = new bytes32[](1);
        made.measurements[0] = CODE;
    }

    function createPool(Pools.PoolConfig memory made) internal returns (uint64) {
        vm.prank(creator);
        return teetee.createPool(made);
    }

    function domain() internal view returns (bytes32) {
        return domainOf(address(teetee), block.chainid);
    }

    function domainOf(address contractAt, uint256 chain) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("TeeTee"),
                keccak256("1"),
                chain,
                contractAt
            )
        );
    }

    function typed(bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", domain(), structHash));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function signCompact(uint256 key, bytes32 digest) internal pure returns (bytes32, bytes32) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return (r, bytes32(uint256(s) | (uint256(v) - 27) << 255));
    }

    function registrationDigest(
        address host,
        uint64 inPool,
        uint16 slot,
        bytes32 statementHash,
        string memory endpoint
    ) internal view returns (bytes32) {
        return typed(
            keccak256(
                abi.encode(
                    keccak256(
                        "Registration(address host,uint64 pool,uint16 slot,bytes32 statementHash,string endpoint)"
                    ),
                    host,
                    inPool,
                    slot,
                    statementHash,
                    keccak256(bytes(endpoint))
                )
            )
        );
    }

    function registration(address host, uint64 inPool, uint16 slot, uint256 key)
        internal
        view
        returns (Nodes.Registration memory made)
    {
        made.pool = inPool;
        made.slot = slot;
        made.receiptKey = vm.addr(key);
        made.statementHash = keccak256(abi.encode("statement", key));
        made.endpoint = "tls://node.example:7000";
        made.evidence = abi.encode(CODE, uint64(vm.getBlockTimestamp() + 10 days));
        made.signature =
            sign(key, registrationDigest(host, inPool, slot, made.statementHash, made.endpoint));
    }

    function register(address host, uint16 slot, uint256 key) internal returns (uint64) {
        Nodes.Registration memory made = registration(host, pool, slot, key);
        vm.prank(host);
        return teetee.registerNode(made);
    }

    function renewal(address host, uint64 id, uint256 key)
        internal
        view
        returns (Nodes.Renewal memory made)
    {
        Nodes.Node memory node = teetee.nodeInfo(id);
        made.statementHash = keccak256(abi.encode("statement again", key));
        made.endpoint = "tls://node.example:7001";
        made.evidence = abi.encode(CODE, uint64(vm.getBlockTimestamp() + 10 days));
        made.signature = sign(
            key, registrationDigest(host, node.pool, node.slot, made.statementHash, made.endpoint)
        );
    }

    function buy(address account, uint128 credits) internal {
        vm.deal(address(this), credits * WEI);
        teetee.buyFor{value: credits * WEI}(account);
    }

    function voucherOf(address from, address by, uint128 ceiling, uint256 salt)
        internal
        view
        returns (Vouchers.Voucher memory)
    {
        return Vouchers.Voucher(
            from, pool, by, ceiling, uint64(vm.getBlockTimestamp() + 1 days), bytes32(salt)
        );
    }

    function voucherDigest(Vouchers.Voucher memory voucher) internal view returns (bytes32) {
        return typed(
            keccak256(
                abi.encode(
                    keccak256(
                        "Voucher(address payer,uint64 pool,address sessionKey,uint128 ceiling,uint64 expiry,bytes32 salt)"
                    ),
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

    /// @dev Bought, signed and opened.
    function openVoucher(uint128 ceiling, uint256 salt) internal returns (bytes32) {
        buy(payer, ceiling);
        Vouchers.Voucher memory voucher = voucherOf(payer, session, ceiling, salt);
        return teetee.openVoucher(voucher, sign(PAYER_KEY, voucherDigest(voucher)));
    }

    function spendDigest(bytes32 voucher, address entry, uint128 amount)
        internal
        view
        returns (bytes32)
    {
        return typed(
            keccak256(
                abi.encode(
                    keccak256("Spend(bytes32 voucher,address entry,uint128 amount)"),
                    voucher,
                    entry,
                    amount
                )
            )
        );
    }

    function spend(bytes32 voucher, uint256 entryKey, uint128 amount, uint128 signed)
        internal
        view
        returns (Vouchers.SpendClaim memory claim)
    {
        claim.voucher = voucher;
        claim.amount = amount;
        claim.signed = signed;
        (claim.r, claim.vs) =
            signCompact(SESSION_KEY, spendDigest(voucher, vm.addr(entryKey), signed));
    }

    /// @dev A batch of the entry, whose tokens all went through the nodes given, one of each slot.
    function batchOf(uint64 entryNode, uint64 promptTokens, uint64 completionTokens)
        internal
        returns (Settlement.Batch memory batch)
    {
        batch.pool = pool;
        batch.entryNode = entryNode;
        batch.promptTokens = promptTokens;
        batch.completionTokens = completionTokens;
        batch.receiptsRoot = keccak256(abi.encode("receipts", ++_roots));
    }

    function workOf(Settlement.Batch memory batch, uint64[] memory nodes) internal pure {
        batch.work = new Settlement.Work[](nodes.length);
        for (uint256 i = 0; i < nodes.length; ++i) {
            batch.work[i].node = nodes[i];
            batch.work[i].tokens = batch.promptTokens + batch.completionTokens;
        }
    }

    function settlementDigest(Settlement.Batch memory batch) internal view returns (bytes32) {
        bytes32[] memory spends = new bytes32[](batch.spends.length);
        for (uint256 i = 0; i < spends.length; ++i) {
            spends[i] = keccak256(
                abi.encode(
                    keccak256("Spent(bytes32 voucher,uint128 amount)"),
                    batch.spends[i].voucher,
                    batch.spends[i].amount
                )
            );
        }
        bytes32[] memory queries = new bytes32[](batch.queries.length);
        for (uint256 i = 0; i < queries.length; ++i) {
            queries[i] = keccak256(
                abi.encode(
                    keccak256("Served(uint64 query,uint128 amount)"),
                    batch.queries[i].query,
                    batch.queries[i].amount
                )
            );
        }
        bytes32[] memory work = new bytes32[](batch.work.length);
        for (uint256 i = 0; i < work.length; ++i) {
            work[i] = keccak256(
                abi.encode(
                    keccak256("Worked(uint64 node,uint64 tokens)"),
                    batch.work[i].node,
                    batch.work[i].tokens
                )
            );
        }
        return typed(_settlementHash(batch, spends, queries, work));
    }

    function _settlementHash(
        Settlement.Batch memory batch,
        bytes32[] memory spends,
        bytes32[] memory queries,
        bytes32[] memory work
    ) private pure returns (bytes32) {
        bytes32 settlementType = keccak256(
            "Settlement(uint64 pool,uint64 entryNode,uint64 promptTokens,uint64 completionTokens,uint128 total,bytes32 receiptsRoot,Spent[] spends,Served[] queries,Worked[] work)Served(uint64 query,uint128 amount)Spent(bytes32 voucher,uint128 amount)Worked(uint64 node,uint64 tokens)"
        );
        return keccak256(
            abi.encode(
                settlementType,
                batch.pool,
                batch.entryNode,
                batch.promptTokens,
                batch.completionTokens,
                batch.total,
                batch.receiptsRoot,
                keccak256(abi.encodePacked(spends)),
                keccak256(abi.encodePacked(queries)),
                keccak256(abi.encodePacked(work))
            )
        );
    }

    /// @dev Signs a batch by the receipt keys of its work; zero for a node that is absent.
    function signWork(Settlement.Batch memory batch, uint256[] memory keys) internal view {
        bytes32 digest = settlementDigest(batch);
        for (uint256 i = 0; i < keys.length; ++i) {
            if (keys[i] == 0) continue;
            (batch.work[i].r, batch.work[i].vs) = signCompact(keys[i], digest);
        }
    }
}
