// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WrongPayment} from "../../src/Errors.sol";
import {Nodes} from "../../src/Nodes.sol";
import {PlatformVerdict} from "../../src/attestation/IPlatformVerdicts.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {TdReport} from "../../src/attestation/TdReport.sol";
import {Attested} from "../support/Attested.sol";
import {QuoteForge} from "../support/QuoteForge.sol";
import {RealQuotes} from "../support/RealQuotes.sol";
import {eq, vm} from "../support/Vm.sol";

/// @dev Nodes register with the registry as it is deployed, through each of the verifiers.
contract RegistrationTest is Attested {
    function test_a_node_registers_with_the_quote_of_a_dev_tee() public {
        registers(devPool, 0);
    }

    function test_a_node_registers_on_the_word_of_a_quorum() public {
        registers(quotePool, 0);
    }

    function test_a_node_registers_through_automata() public {
        stub.setFee(3);
        registers(automataPool, 10);
        eq(HOST.balance, 7);
        eq(address(stub).balance, 3);
    }

    function test_verifiers_without_a_fee_take_no_value() public {
        uint64[2] memory pools = [devPool, quotePool];
        for (uint256 i = 0; i < pools.length; ++i) {
            Nodes.Registration memory made = goodIn(pools[i]);
            vm.deal(HOST, 1);
            vm.prank(HOST);
            vm.expectRevert(abi.encodeWithSelector(WrongPayment.selector, 1, 0));
            teetee.registerNode{value: 1}(made);
        }
    }

    function test_a_node_renews_with_a_later_statement() public {
        uint64 id = registers(devPool, 0);
        Statement.Fields memory f = fieldsIn(devPool);
        (f.notBefore, f.notAfter) = (uint64(NOW + 20 hours), uint64(NOW + 2 days));
        bytes memory statement = QuoteForge.encode(f);
        Nodes.Registration memory later =
            registrationOf(devPool, statement, QuoteForge.quote(reportOf(statement)));
        Nodes.Renewal memory renewal = Nodes.Renewal({
            statementHash: later.statementHash,
            endpoint: later.endpoint,
            evidence: later.evidence,
            signature: later.signature
        });
        vm.warp(NOW + 20 hours);
        vm.prank(HOST);
        teetee.renewNode(id, renewal);
        eq(teetee.nodeInfo(id).expiry, NOW + 2 days);
    }

    function test_a_statement_about_anything_else_is_refused() public {
        uint64[3] memory pools = [devPool, quotePool, automataPool];
        for (uint256 i = 0; i < pools.length; ++i) {
            refusesEveryOtherField(pools[i]);
        }
    }

    function test_a_statement_of_another_hash_is_refused() public {
        uint64[3] memory pools = [devPool, quotePool, automataPool];
        for (uint256 i = 0; i < pools.length; ++i) {
            Nodes.Registration memory made = goodIn(pools[i]);
            bytes32 have = made.statementHash;
            made.statementHash = keccak256("another");
            made.signature = sign(
                RECEIPT_KEY,
                registrationDigest(HOST, pools[i], SLOT, made.statementHash, made.endpoint)
            );
            refuses(
                made,
                abi.encodeWithSelector(Statement.StatementHash.selector, have, made.statementHash)
            );
        }
    }

    /// @dev The same evidence does not do for the slot beside, whose layers are others.
    function test_a_statement_about_another_slot_is_refused() public {
        Nodes.Registration memory made = goodIn(devPool);
        made.slot = 2;
        made.signature = sign(
            RECEIPT_KEY, registrationDigest(HOST, devPool, 2, made.statementHash, made.endpoint)
        );
        refuses(made, abi.encodeWithSelector(Statement.StatementLayers.selector, 10, 22, 22, 30));
    }

    /// @dev Genuine quotes of real machines, with statements of this node and even with a quorum that
    ///      vouches for their platforms: their report data is not the statement's.
    function test_a_real_quote_about_something_else_is_refused() public {
        bytes[] memory real = RealQuotes.ofTdx();
        uint256 unbound = 0;
        for (uint256 i = 0; i < real.length; ++i) {
            bytes memory statement = QuoteForge.encode(fieldsIn(quotePool));
            bytes memory proof = proofOfReal(real[i]);
            Nodes.Registration memory made = registrationOf(quotePool, statement, proof);
            if (reasonOf(made) == Statement.ReportDataMismatch.selector) ++unbound;
            statement = QuoteForge.encode(fieldsIn(devPool));
            made = registrationOf(devPool, statement, real[i]);
            if (reasonOf(made) == Statement.ReportDataMismatch.selector) ++unbound;
        }
        // All but a few that fail already for their TD's attributes.
        require(unbound >= 2 * real.length * 3 / 4, "reasons");
    }

    function proofOfReal(bytes memory quote) private view returns (bytes memory) {
        PlatformVerdict memory verdict = verdictOn(quote);
        bytes16 ppid;
        (verdict.pckX, verdict.pckY, ppid) = harness.leafOf(quote);
        verdict.platform = keccak256(bytes.concat(ppid));
        bytes memory report = harness.tdReport(quote);
        verdict.teeTcbSvn = bytes16(QuoteForge.slice(report, 0, 16));
        if (report.length == TdReport.BYTES_15) {
            verdict.teeTcbSvn2 = bytes16(QuoteForge.slice(report, 584, 600));
        }
        return proofOf(verdict, signaturesOn(verdict), quote);
    }

    function goodIn(uint64 inPool) private view returns (Nodes.Registration memory) {
        return withFields(inPool, fieldsIn(inPool));
    }

    function withFields(uint64 inPool, Statement.Fields memory f)
        private
        view
        returns (Nodes.Registration memory)
    {
        bytes memory statement = QuoteForge.encode(f);
        bytes memory quote = QuoteForge.quote(reportOf(statement));
        return registrationOf(inPool, statement, proofFor(inPool, quote));
    }

    function registers(uint64 inPool, uint256 value) private returns (uint64 id) {
        Nodes.Registration memory made = goodIn(inPool);
        vm.deal(HOST, value);
        vm.prank(HOST);
        id = teetee.registerNode{value: value}(made);
        eq(teetee.nodeInfo(id).expiry, NOW + 1 days);
        eq(teetee.nodeInfo(id).measurement, harness.measurement(QuoteForge.report(0, 0)));
        eq(teetee.nodeOfKey(vm.addr(RECEIPT_KEY)), id);
        require(teetee.isHost(inPool, HOST), "host");
    }

    function refusesEveryOtherField(uint64 inPool) private {
        Statement.Fields memory f = fieldsIn(inPool);
        f.chainId = 84_532;
        refusesFields(inPool, f, "StatementChain(uint256,uint256)", 84_532, 31_337);
        f = fieldsIn(inPool);
        f.registry = address(this);
        refuses(
            withFields(inPool, f),
            abi.encodeWithSelector(
                Statement.StatementRegistry.selector, address(this), address(teetee)
            )
        );
        f = fieldsIn(inPool);
        f.pool += 1;
        refusesFields(inPool, f, "StatementPool(uint256,uint256)", inPool + 1, inPool);
        f = fieldsIn(inPool);
        f.modelRoot = bytes32(uint256(1));
        refusesFields(inPool, f, "StatementModelRoot(bytes32,bytes32)", 1, uint256(MODEL));
        refusesOtherLayers(inPool);
        f = fieldsIn(inPool);
        f.policyHash = bytes32(uint256(2));
        refusesFields(inPool, f, "StatementPolicy(bytes32,bytes32)", 2, uint256(POLICY));
        f = fieldsIn(inPool);
        f.receiptKey = HOST;
        refuses(
            withFields(inPool, f),
            abi.encodeWithSelector(
                Statement.StatementReceiptKey.selector, HOST, vm.addr(RECEIPT_KEY)
            )
        );
    }

    function refusesOtherLayers(uint64 inPool) private {
        uint32[2][3] memory layers = [[uint32(9), 22], [uint32(10), 21], [uint32(0), 10]];
        for (uint256 i = 0; i < layers.length; ++i) {
            Statement.Fields memory f = fieldsIn(inPool);
            (f.layersBegin, f.layersEnd) = (layers[i][0], layers[i][1]);
            refuses(
                withFields(inPool, f),
                abi.encodeWithSelector(
                    Statement.StatementLayers.selector, layers[i][0], layers[i][1], 10, 22
                )
            );
        }
    }

    function refusesFields(
        uint64 inPool,
        Statement.Fields memory f,
        string memory reason,
        uint256 have,
        uint256 need
    ) private {
        refuses(withFields(inPool, f), abi.encodeWithSignature(reason, have, need));
    }

    function refuses(Nodes.Registration memory made, bytes memory reason) private {
        vm.prank(HOST);
        vm.expectRevert(reason);
        teetee.registerNode(made);
    }

    function reasonOf(Nodes.Registration memory made) private returns (bytes4) {
        vm.prank(HOST);
        try teetee.registerNode(made) {
            revert("registered");
        } catch (bytes memory reason) {
            return bytes4(reason);
        }
    }
}
