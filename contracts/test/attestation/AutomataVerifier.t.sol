// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {NodeClaim} from "../../src/IAttestationVerifier.sol";
import {AutomataVerifier, IAutomataDcap} from "../../src/attestation/AutomataVerifier.sol";
import {Statement} from "../../src/attestation/Statement.sol";
import {TcbStatus} from "../../src/attestation/TcbStatus.sol";
import {TdReport} from "../../src/attestation/TdReport.sol";
import {vm} from "../support/Vm.sol";
import {AutomataStub} from "../support/AutomataStub.sol";
import {QuoteForge} from "../support/QuoteForge.sol";
import {QuorumFixture} from "../support/QuorumFixture.sol";

/// A host that, when it is paid, asks for its evidence to be verified again.
contract Returning {
    AutomataVerifier private immutable AUTOMATA;
    NodeClaim private claim;
    bytes private evidence;
    bytes4 public reason;

    constructor(AutomataVerifier automata) {
        AUTOMATA = automata;
    }

    function prepare(NodeClaim memory claim_, bytes memory evidence_) external {
        (claim, evidence) = (claim_, evidence_);
    }

    receive() external payable {
        try AUTOMATA.verify{value: 1}(claim, evidence) {
            reason = 0;
        } catch (bytes memory data) {
            reason = bytes4(data);
        }
    }
}

contract AutomataVerifierTest is QuorumFixture {
    AutomataStub private stub = new AutomataStub();
    AutomataVerifier private automata;
    bytes private statement;
    bytes private quote;

    function setUp() public override {
        super.setUp();
        automata = newAutomataVerifier(stub, ONLY_UP_TO_DATE);
        statement = QuoteForge.encode(nodeFields());
        quote = QuoteForge.quote(reportOf(statement));
    }

    function test_accepts_what_automata_verified() public {
        (bytes32 measurement, bytes32 hash, uint64 expiry) = ask(automata, statement, quote);
        require(measurement == harness.measurement(reportOf(statement)), "measurement");
        require(hash == keccak256(QuoteForge.cut(quote)), "evidence hash");
        require(expiry == NOW + 1 days, "expiry");
    }

    function test_accepts_version_5_of_both_sizes() public {
        (bytes32 high, bytes32 low) = harness.reportData(statement);
        ask(automata, statement, quoteOf5(QuoteForge.report(high, low)));
        ask(automata, statement, quoteOf5(QuoteForge.report15(high, low)));
    }

    function test_accepts_advisories_behind_the_report() public {
        string[] memory advisories = new string[](2);
        advisories[0] = "INTEL-SA-00001";
        advisories[1] = "an advisory with a name that is longer than one word of the machine";
        stub.setAdvisories(advisories);
        ask(automata, statement, quote);
        stub.setOutput("", new bytes(32));
        refuse(AutomataVerifier.OutputAdvisories.selector);
    }

    function test_refuses_anything_else_behind_the_report() public {
        stub.setOutput("", hex"00");
        NodeClaim memory claim = claimOf(statement);
        bytes memory evidence = abi.encode(statement, quote);
        vm.expectRevert();
        automata.verify(claim, evidence);
    }

    function test_refuses_what_automata_refuses() public {
        stub.set(false, 0, 0);
        NodeClaim memory claim = claimOf(statement);
        bytes memory evidence = abi.encode(statement, quote);
        vm.expectRevert(
            abi.encodeWithSelector(AutomataVerifier.QuoteRefused.selector, bytes("bad quote"))
        );
        automata.verify(claim, evidence);
    }

    function test_accepts_its_statuses_only() public {
        for (uint8 status = 1; status < 12; ++status) {
            stub.set(true, status, 0);
            refuse(TcbStatus.TcbStatusRefused.selector);
        }
        automata = newAutomataVerifier(stub, (1 << 0) | (1 << 1));
        stub.set(true, 1, 0);
        ask(automata, statement, quote);
    }

    function test_refuses_output_of_another_kind() public {
        stub.set(true, 0, 1);
        refuse(AutomataVerifier.OutputField.selector);
        stub.set(true, 0, 0);
        bytes memory output = bytes.concat(hex"0004000200", bytes6(0), reportOf(statement));
        stub.setOutput(QuoteForge.slice(output, 0, output.length - 1), "");
        refuse(AutomataVerifier.OutputTooShort.selector);
        stub.setOutput(output, "");
        ask(automata, statement, quote);
        // Of version 1.0, which had the TEE type (4 bytes) there.
        stub.setOutput(bytes.concat(hex"00048100000000", bytes6(0), reportOf(statement)), "");
        refuse(AutomataVerifier.OutputField.selector);
        output[1] = 0x05;
        stub.setOutput(output, "");
        refuse(AutomataVerifier.OutputField.selector);
    }

    function testFuzz_refuses_output_about_another_report(uint256 place, uint8 difference) public {
        vm.assume(difference != 0);
        bytes memory report = reportOf(statement);
        report[place % report.length] ^= bytes1(difference);
        stub.setOutput(bytes.concat(hex"0004000200", bytes6(0), report), "");
        refuse(AutomataVerifier.OutputForOtherQuote.selector);
    }

    function test_refuses_the_same_as_the_others() public {
        bytes memory report = reportOf(statement);
        report[120] = 0x01;
        bytes memory evidence = abi.encode(statement, QuoteForge.quote(report));
        NodeClaim memory claim = claimOf(statement);
        expectRefusal(automata, TdReport.TdAttributeOn.selector, claim, evidence);
        evidence = abi.encode(statement, quote);
        claim.policyHash = keccak256("another");
        expectRefusal(automata, Statement.StatementPolicy.selector, claim, evidence);
        claim = claimOf(statement);
        claim.receiptKey = address(0xdead);
        expectRefusal(automata, Statement.StatementReceiptKey.selector, claim, evidence);
        claim = claimOf(statement);
        vm.prank(address(0xdead));
        expectRefusal(automata, Statement.StatementRegistry.selector, claim, evidence);
        Statement.Fields memory f = nodeFields();
        f.hpkeKey = keccak256("another");
        bytes memory other = QuoteForge.encode(f);
        evidence = abi.encode(other, quote);
        expectRefusal(automata, Statement.ReportDataMismatch.selector, claimOf(other), evidence);
    }

    function test_pays_the_fee_and_gives_the_host_the_rest() public {
        stub.setFee(3);
        refuse(AutomataStub.InsufficientFunds.selector);
        vm.deal(address(this), 100);
        pay(claimOf(statement), 10);
        require(HOST.balance == 7 && address(stub).balance == 3, "change");
        pay(claimOf(statement), 3);
        require(HOST.balance == 7 && address(stub).balance == 6, "to the wei");
        // What somebody forced in is not paid out.
        vm.deal(address(automata), 50);
        pay(claimOf(statement), 5);
        require(HOST.balance == 9 && address(automata).balance == 50, "forced");
        stub.setFee(0);
        pay(claimOf(statement), 4);
        require(HOST.balance == 13 && address(automata).balance == 50, "no fee");
    }

    function test_keeps_no_change_that_the_host_refuses() public {
        NodeClaim memory claim = claimOf(statement);
        bytes memory evidence = abi.encode(statement, quote);
        claim.host = address(harness);
        vm.deal(address(this), 9);
        vm.expectRevert(
            abi.encodeWithSelector(AutomataVerifier.ChangeRefused.selector, claim.host, 9)
        );
        automata.verify{value: 9}(claim, evidence);
        stub.setFee(9);
        pay(claim, 9);
    }

    function test_cannot_be_called_back_into() public {
        Returning host = new Returning(automata);
        NodeClaim memory claim = claimOf(statement);
        claim.host = address(host);
        host.prepare(claim, abi.encode(statement, quote));
        vm.deal(address(this), 9);
        pay(claim, 9);
        require(
            host.reason() == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector,
            "reason"
        );
        require(address(host).balance == 9 && address(automata).balance == 0, "change");
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

    function pay(NodeClaim memory claim, uint256 value) private {
        automata.verify{value: value}(claim, abi.encode(statement, quote));
    }

    function refuse(bytes4 selector) private {
        expectRefusal(automata, selector, claimOf(statement), abi.encode(statement, quote));
    }
}
