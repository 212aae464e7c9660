// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IAttestationVerifier, NodeClaim} from "../IAttestationVerifier.sol";
import {Evidence} from "./Evidence.sol";
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
/// @notice About 4 million gas for a registration, but nobody's word is needed. The proof in
/// `Evidence` is the raw quote with its certificate chain. Value pays Automata's fee, and what that
/// leaves goes back to the claim's host; nothing is kept here.
/// @dev Output of version 1.1, big-endian and packed: u16 quote version, u16 body type, u8 TCB
/// status, 6 bytes FMSPC, the report, and behind it nothing or the ABI-encoded string[] of advisories.
contract AutomataVerifier is IAttestationVerifier, ReentrancyGuardTransient {
    /// @notice Automata's contract.
    IAutomataDcap public immutable attester;
    /// @notice The bits of the accepted statuses; see `TcbStatus`.
    uint256 public immutable acceptedStatuses;

    error NoContract(address have);
    error NotTheAttester(address have, address need);
    error QuoteRefused(bytes reason);
    /// The host's wallet takes no ETH; then the fee must be sent to the wei.
    error ChangeRefused(address host, uint256 amount);
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

    /// @notice What the attester sends back.
    receive() external payable {
        if (msg.sender != address(attester)) revert NotTheAttester(msg.sender, address(attester));
    }

    /// @inheritdoc IAttestationVerifier
    function verify(NodeClaim calldata claim, bytes calldata evidence)
        external
        payable
        nonReentrant
        returns (bytes32 measurement, bytes32 evidenceHash, uint64 expiry)
    {
        (bytes calldata statement, bytes calldata quote) = Evidence.split(evidence);
        expiry = Statement.check(statement, claim, msg.sender).notAfter;
        TdxQuote.Layout memory parts = TdxQuote.parse(quote);
        bytes memory report = TdxQuote.tdReport(quote, parts);
        measurement = TdReport.ensureOver(report, statement);
        evidenceHash = TdxQuote.evidenceHash(quote, parts);
        (bytes memory output, uint256 change) = _attest(quote);
        _checkOutput(output, parts.version, report);
        if (change != 0) _giveBack(claim.host, change);
    }

    /// What was here before, by force, is nobody's fee and stays.
    function _attest(bytes calldata quote) private returns (bytes memory, uint256 change) {
        uint256 others = address(this).balance - msg.value;
        (bool success, bytes memory output) =
            attester.verifyAndAttestOnChain{value: msg.value}(quote);
        if (!success) revert QuoteRefused(output);
        return (output, address(this).balance - others);
    }

    function _giveBack(address host, uint256 change) private {
        (bool taken,) = host.call{value: change}("");
        if (!taken) revert ChangeRefused(host, change);
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
