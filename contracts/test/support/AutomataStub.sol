// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAutomataDcap} from "../../src/attestation/AutomataVerifier.sol";

/// Answers as Automata's contract of version 1.1 does, by its public description: packed output,
/// advisories behind the report only if there are any, a fee of which the rest is sent back. It
/// believes every quote.
contract AutomataStub is IAutomataDcap {
    bool public success = true;
    uint8 public status;
    uint16 public bodyTypeAdded;
    uint256 public fee;
    string[] private advisories;
    bytes private behind;
    bytes private instead;

    error InsufficientFunds();

    function set(bool success_, uint8 status_, uint16 bodyTypeAdded_) external {
        (success, status, bodyTypeAdded) = (success_, status_, bodyTypeAdded_);
    }

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    function setAdvisories(string[] memory advisories_) external {
        delete advisories;
        for (uint256 i = 0; i < advisories_.length; ++i) {
            advisories.push(advisories_[i]);
        }
    }

    function setOutput(bytes calldata instead_, bytes calldata behind_) external {
        (instead, behind) = (instead_, behind_);
    }

    function verifyAndAttestOnChain(bytes calldata quote)
        external
        payable
        returns (bool, bytes memory)
    {
        if (msg.value < fee) revert InsufficientFunds();
        if (msg.value > fee) {
            (bool sent,) = msg.sender.call{value: msg.value - fee}("");
            require(sent, "refund");
        }
        if (!success) return (false, "bad quote");
        if (instead.length > 0) return (true, instead);
        bool five = quote[0] == 0x05;
        uint256 body = five ? 54 : 48;
        uint256 bodyBytes = five && quote[48] == 0x03 ? 648 : 584;
        bytes memory output = abi.encodePacked(
            uint16(five ? 5 : 4),
            uint16((bodyBytes == 648 ? 3 : 2) + bodyTypeAdded),
            status,
            bytes6(0x00a06d080000),
            quote[body:body + bodyBytes]
        );
        if (advisories.length > 0) output = bytes.concat(output, abi.encode(advisories));
        return (true, bytes.concat(output, behind));
    }
}
