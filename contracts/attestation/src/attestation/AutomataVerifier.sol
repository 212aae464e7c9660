// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IAttestationVerifier} from "./IAttestationVerifier.sol";
import {Statement} from "./Statement.sol";
import {TcbStatus} from "./TcbStatus.sol";
import {TdReport} from "./TdReport.sol";
import {TdxQuote} from "./TdxQuote.sol";

/// @notice The part of Automata's deployed DCAP attestation that is used.
interface IAutomataDcap {
    /// @notice Verifies a quote against the collateral that is on chain. Takes a fee out of the value
    /// and sends the rest back.
    /// @return success Whether the quote was verified.
    /// @return output See `AutomataVerifier`; the reason where it was not.
    function verifyAndAttestOnChain(bytes calldata rawQuote)
        external
        payable
        returns (bool success, bytes memory output);
}

/// @title Quotes verified on chain down from Intel's root, by Automata's contracts
/// @notice About 4 million gas for a registration, but nobody's word is needed. The evidence is the
/// raw quote with its certificate chain.
/// @dev Output of version 1.1, big-endian and packed: u16 quote version, u16 body type, u8 TCB
/// status, 6 bytes FMSPC, the report, and behind it nothing or the ABI-encoded string[] of advisories.
contract AutomataVerifier is IAttestationVerifier {
    /// @notice Automata's contract.
    IAutomataDcap public immutable attester;
    /// @notice The bits of the accepted statuses; see `TcbStatus`.
    uint256 public immutable acceptedStatuses;

    /// @notice What may be spent on fees for the evidence of a receipt key.
    mapping(address receiptKey => uint256) public prepaid;

    event Prepaid(address indexed receiptKey, uint256 amount);

    error NoContract(address have);
    error NotTheAttester(address have, address need);
    error QuoteRefused(bytes reason);
    error OutputTooShort(uint256 have, uint256 need);
    error OutputField(bytes32 field, uint256 have, uint256 need);
    error OutputForOtherQuote(bytes32 have, bytes32 need);
    error OutputAdvisories(bytes32 have, bytes32 need);

    uint256 private constant OUTPUT_HEAD_BYTES = 11;

    constructor(IAutomataDcap attester_, uint256 acceptedStatuses_) {
        if (address(attester_).code.length == 0) revert NoContract(address(attester_));
        TcbStatus.ensureSet(acceptedStatuses_);
        attester = attester_;
        acceptedStatuses = acceptedStatuses_;
    }

    /// @notice Pays Automata's fee, if there is one, for a key's registrations to come. What they do
    /// not use stays for the next; it cannot be withdrawn. Only a registry that the key's TEE has
    /// named in its statement can have it spent.
    function prepay(address receiptKey) external payable {
        prepaid[receiptKey] += msg.value;
        emit Prepaid(receiptKey, msg.value);
    }

    /// @notice What the attester sends back.
    receive() external payable {
        if (msg.sender != address(attester)) revert NotTheAttester(msg.sender, address(attester));
    }

    /// @inheritdoc IAttestationVerifier
    function verify(
        bytes32 policyHash,
        bytes calldata statement,
        address receiptKey,
        bytes calldata evidence
    ) external returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry) {
        expiry = Statement.check(statement, msg.sender, policyHash, receiptKey).notAfter;
        TdxQuote.Layout memory parts = TdxQuote.parse(evidence);
        bytes memory report = TdxQuote.tdReport(evidence, parts);
        TdReport.ensureConfidential(report);
        (bytes32 high, bytes32 low) = TdReport.reportData(report);
        Statement.ensureBound(statement, high, low);
        _checkOutput(_attest(receiptKey, evidence), parts.version, report);
        return (TdReport.measurement(report), TdxQuote.evidenceHash(evidence, parts), expiry);
    }

    /// Pays out of what was prepaid and puts back what came back.
    function _attest(address receiptKey, bytes calldata quote) private returns (bytes memory) {
        uint256 fee = prepaid[receiptKey];
        prepaid[receiptKey] = 0;
        uint256 others = address(this).balance - fee;
        (bool success, bytes memory output) = attester.verifyAndAttestOnChain{value: fee}(quote);
        if (!success) revert QuoteRefused(output);
        prepaid[receiptKey] = address(this).balance - others;
        return output;
    }

    function _checkOutput(bytes memory output, uint256 version, bytes memory report) private view {
        uint256 need = OUTPUT_HEAD_BYTES + report.length;
        if (output.length < need) revert OutputTooShort(output.length, need);
        uint256 head = uint256(bytes32(output)) >> (256 - 8 * OUTPUT_HEAD_BYTES);
        _ensureField("quote version", head >> 72, version);
        _ensureField("body type", (head >> 56) & 0xffff, report.length == TdReport.BYTES_15 ? 3 : 2);
        TcbStatus.ensureAccepted(uint8(head >> 48), acceptedStatuses);
        bytes32 have;
        assembly ("memory-safe") {
            have := keccak256(add(output, add(32, OUTPUT_HEAD_BYTES)), mload(report))
        }
        if (have != keccak256(report)) revert OutputForOtherQuote(have, keccak256(report));
        _checkAdvisories(output, need);
    }

    /// Well-formed, or of another version than what this was written for.
    function _checkAdvisories(bytes memory output, uint256 offset) private pure {
        uint256 rest = output.length - offset;
        if (rest == 0) return;
        bytes memory tail = new bytes(rest);
        assembly ("memory-safe") {
            mcopy(add(tail, 32), add(output, add(32, offset)), rest)
        }
        bytes32 need = keccak256(abi.encode(abi.decode(tail, (string[]))));
        if (keccak256(tail) != need) revert OutputAdvisories(keccak256(tail), need);
    }

    function _ensureField(bytes32 field, uint256 have, uint256 need) private pure {
        if (have != need) revert OutputField(field, have, need);
    }
}
