// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AutomataVerifier, IAutomataDcap} from "../../src/attestation/AutomataVerifier.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {TdReport} from "../../src/attestation/TdReport.sol";
import {vm} from "../Vm.sol";
import {AutomataStub} from "./AutomataStub.sol";
import {QuoteForge} from "./QuoteForge.sol";
import {QuorumFixture} from "./QuorumFixture.sol";

contract AutomataVerifierTest is QuorumFixture {
    AutomataStub private stub = new AutomataStub();
    AutomataVerifier private automata;
    bytes private statement;
    bytes private quote;

    function setUp() public override {
        super.setUp();
        automata = new AutomataVerifier(stub, ONLY_UP_TO_DATE);
        statement = QuoteForge.encode(nodeFields());
        quote = QuoteForge.quote(reportOf(statement));
    }

    function test_accepts_what_automata_verified() public {
        (bytes32 measurement, bytes32 hash, uint64 expiry) =
            automata.verify(POLICY, statement, NODE, quote);
        require(measurement == harness.measurement(reportOf(statement)), "measurement");
        require(hash == keccak256(QuoteForge.cut(quote)), "evidence hash");
        require(expiry == NOW + 1 days, "expiry");
    }

    function test_accepts_version_5_of_both_sizes() public {
        (bytes32 high, bytes32 low) = harness.reportData(statement);
        automata.verify(POLICY, statement, NODE, quoteOf5(QuoteForge.report(high, low)));
        automata.verify(POLICY, statement, NODE, quoteOf5(QuoteForge.report15(high, low)));
    }

    function test_accepts_advisories_behind_the_report() public {
        string[] memory advisories = new string[](2);
        advisories[0] = "INTEL-SA-00001";
        advisories[1] = "an advisory with a name that is longer than one word of the machine";
        stub.setAdvisories(advisories);
        automata.verify(POLICY, statement, NODE, quote);
        stub.setOutput("", new bytes(32));
        vm.expectPartialRevert(AutomataVerifier.OutputAdvisories.selector);
        automata.verify(POLICY, statement, NODE, quote);
    }

    function test_refuses_anything_else_behind_the_report() public {
        stub.setOutput("", hex"00");
        vm.expectRevert();
        automata.verify(POLICY, statement, NODE, quote);
    }

    function test_refuses_what_automata_refuses() public {
        stub.set(false, 0, 0);
        vm.expectRevert(
            abi.encodeWithSelector(AutomataVerifier.QuoteRefused.selector, bytes("bad quote"))
        );
        automata.verify(POLICY, statement, NODE, quote);
    }

    function test_accepts_its_statuses_only() public {
        for (uint8 status = 1; status < 12; ++status) {
            stub.set(true, status, 0);
            vm.expectPartialRevert(TcbStatus.TcbStatusRefused.selector);
            automata.verify(POLICY, statement, NODE, quote);
        }
        automata = new AutomataVerifier(stub, (1 << 0) | (1 << 1));
        stub.set(true, 1, 0);
        automata.verify(POLICY, statement, NODE, quote);
    }

    function test_refuses_output_of_another_kind() public {
        stub.set(true, 0, 1);
        vm.expectPartialRevert(AutomataVerifier.OutputField.selector);
        automata.verify(POLICY, statement, NODE, quote);
        stub.set(true, 0, 0);
        bytes memory output = bytes.concat(hex"0004000200", bytes6(0), reportOf(statement));
        stub.setOutput(QuoteForge.slice(output, 0, output.length - 1), "");
        vm.expectPartialRevert(AutomataVerifier.OutputTooShort.selector);
        automata.verify(POLICY, statement, NODE, quote);
        stub.setOutput(output, "");
        automata.verify(POLICY, statement, NODE, quote);
        // Of version 1.0, which had the TEE type (4 bytes) there.
        stub.setOutput(bytes.concat(hex"00048100000000", bytes6(0), reportOf(statement)), "");
        vm.expectPartialRevert(AutomataVerifier.OutputField.selector);
        automata.verify(POLICY, statement, NODE, quote);
        output[1] = 0x05;
        stub.setOutput(output, "");
        vm.expectPartialRevert(AutomataVerifier.OutputField.selector);
        automata.verify(POLICY, statement, NODE, quote);
    }

    function testFuzz_refuses_output_about_another_report(uint256 place, uint8 difference) public {
        vm.assume(difference != 0);
        bytes memory report = reportOf(statement);
        report[place % report.length] ^= bytes1(difference);
        stub.setOutput(bytes.concat(hex"0004000200", bytes6(0), report), "");
        vm.expectPartialRevert(AutomataVerifier.OutputForOtherQuote.selector);
        automata.verify(POLICY, statement, NODE, quote);
    }

    function test_refuses_the_same_as_the_others() public {
        bytes memory report = reportOf(statement);
        report[120] = 0x01;
        bytes memory changed = QuoteForge.quote(report);
        vm.expectPartialRevert(TdReport.TdAttributeOn.selector);
        automata.verify(POLICY, statement, NODE, changed);
        vm.expectPartialRevert(Statement.StatementPolicy.selector);
        automata.verify(keccak256("another"), statement, NODE, quote);
        vm.expectPartialRevert(Statement.StatementReceiptKey.selector);
        automata.verify(POLICY, statement, address(0xdead), quote);
        vm.prank(address(0xdead));
        vm.expectPartialRevert(Statement.StatementRegistry.selector);
        automata.verify(POLICY, statement, NODE, quote);
        Statement.Fields memory f = nodeFields();
        f.pool += 1;
        changed = QuoteForge.encode(f);
        vm.expectPartialRevert(Statement.ReportDataMismatch.selector);
        automata.verify(POLICY, changed, NODE, quote);
    }

    function test_pays_the_fee_out_of_what_was_prepaid() public {
        stub.setFee(3);
        vm.expectRevert(AutomataStub.InsufficientFunds.selector);
        automata.verify(POLICY, statement, NODE, quote);
        vm.deal(address(this), 20);
        automata.prepay{value: 10}(NODE);
        automata.prepay{value: 10}(address(0xcafe));
        automata.verify(POLICY, statement, NODE, quote);
        require(automata.prepaid(NODE) == 7 && address(stub).balance == 3, "first");
        automata.verify(POLICY, statement, NODE, quote);
        automata.verify(POLICY, statement, NODE, quote);
        require(automata.prepaid(NODE) == 1, "third");
        vm.expectRevert(AutomataStub.InsufficientFunds.selector);
        automata.verify(POLICY, statement, NODE, quote);
        require(automata.prepaid(address(0xcafe)) == 10, "not another's");
        require(address(automata).balance == 11, "balance");
    }

    function test_takes_money_from_the_attester_only() public {
        vm.deal(address(this), 1);
        (bool sent,) = address(automata).call{value: 1}("");
        require(!sent, "sent");
        vm.deal(address(stub), 1);
        vm.prank(address(stub));
        (sent,) = address(automata).call{value: 1}("");
        require(sent, "refused");
    }

    function test_refuses_deployments_that_cannot_be_meant() public {
        vm.expectPartialRevert(AutomataVerifier.NoContract.selector);
        new AutomataVerifier(IAutomataDcap(address(0xdead)), 1);
        vm.expectPartialRevert(TcbStatus.TcbStatusSet.selector);
        new AutomataVerifier(stub, 1 << 6);
    }

    function quoteOf5(bytes memory report) private pure returns (bytes memory) {
        bytes memory auth = QuoteForge.AUTH_DATA;
        return QuoteForge.quote(
            QuoteForge.signedPart(5, report), QuoteForge.qeReport(auth), auth, "chain"
        );
    }
}
