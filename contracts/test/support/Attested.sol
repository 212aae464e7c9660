// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestationVerifier} from "../../src/IAttestationVerifier.sol";
import {Nodes} from "../../src/Nodes.sol";
import {Pools} from "../../src/Pools.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {AutomataStub} from "./AutomataStub.sol";
import {QuorumFixture} from "./QuorumFixture.sol";
import {QuoteForge} from "./QuoteForge.sol";
import {vm} from "./Vm.sol";
import {World} from "./World.sol";

/// @dev A deployment with a pool for each verifier, and what a host hands in for slot 1 of them.
abstract contract Attested is World, QuorumFixture {
    uint256 internal constant RECEIPT_KEY = 0xE1;
    uint16 internal constant SLOT = 1;

    AutomataStub internal stub;
    uint64 internal devPool;
    uint64 internal quotePool;
    uint64 internal automataPool;

    function setUp() public virtual override {
        super.setUp();
        vm.chainId(31_337);
        setUpWorld();
        stub = new AutomataStub();
        devPool = poolWith(newDevVerifier());
        quotePool = poolWith(quotes);
        automataPool = poolWith(newAutomataVerifier(stub, ONLY_UP_TO_DATE));
    }

    function poolWith(IAttestationVerifier with) internal returns (uint64) {
        Pools.PoolConfig memory made = config(with);
        made.measurements[0] = harness.measurement(QuoteForge.report(0, 0));
        return createPool(made);
    }

    /// @dev What the node's statement has to say.
    function fieldsIn(uint64 inPool) internal view returns (Statement.Fields memory f) {
        f = nodeFields();
        f.registry = address(teetee);
        f.pool = inPool;
        (f.layersBegin, f.layersEnd) = (10, 22);
        f.receiptKey = vm.addr(RECEIPT_KEY);
    }

    /// @dev What stands behind the statement in the evidence for the pool's verifier.
    function proofFor(uint64 inPool, bytes memory quote) internal view returns (bytes memory) {
        return inPool == quotePool ? proofOf(quote) : quote;
    }

    function registrationOf(uint64 inPool, bytes memory statement, bytes memory proof)
        internal
        view
        returns (Nodes.Registration memory made)
    {
        made.pool = inPool;
        made.slot = SLOT;
        made.receiptKey = vm.addr(RECEIPT_KEY);
        made.statementHash = sha256(statement);
        made.endpoint = "tls://node.example:7000";
        made.evidence = abi.encode(statement, proof);
        made.signature = sign(
            RECEIPT_KEY, registrationDigest(HOST, inPool, SLOT, made.statementHash, made.endpoint)
        );
    }
}
