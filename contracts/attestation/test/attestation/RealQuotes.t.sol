// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Vm, vm} from "../Vm.sol";
import {Harness} from "./Harness.sol";
import {QuoteForge} from "./QuoteForge.sol";

/// Quotes of real machines, where the shared data are beside the repository; skipped, and said so,
/// where they are not. What they lead to is Intel's business: here the key of the certificate in
/// the quote must have signed the QE's report, and so down to the report data.
contract RealQuotesTest {
    string private constant FOLDER = "../../../shared/data/attestation/quotes";

    Harness private harness = new Harness();

    function quotes() private returns (Vm.DirEntry[] memory entries) {
        bool found = false;
        // Where the folder is missing, forge may not even say so: its permission resolves to nothing.
        try vm.exists(FOLDER) returns (bool exists) {
            found = exists;
        } catch {}
        if (!found) vm.skip(true, "no shared/data/attestation beside the repository");
        entries = vm.readDir(FOLDER);
    }

    function test_real_quotes_verify_from_the_pck_key_down() public {
        Vm.DirEntry[] memory entries = quotes();
        uint256 tdx = 0;
        for (uint256 i = 0; i < entries.length; ++i) {
            bytes memory quote = vm.readFileBinary(entries[i].path);
            if (quote[4] != 0x81) {
                refuse(quote);
                continue;
            }
            ++tdx;
            check(quote);
        }
        require(tdx >= 20, "quotes of TDX");
    }

    function check(bytes memory quote) private view {
        (bytes32 x, bytes32 y,) = harness.leafOf(quote);
        harness.ensureSigned(quote, x, y);
        bytes memory short = QuoteForge.cut(quote);
        harness.ensureSigned(short, x, y);
        require(harness.evidenceHash(quote) == keccak256(short), "evidence hash");
        // One bit in each region.
        uint256 signature = harness.parse(quote).signature;
        uint256[8] memory places = [
            uint256(30),
            signature - 70,
            signature + 1,
            signature + 65,
            signature + 200,
            signature + 519,
            signature + 585,
            signature - 1
        ];
        for (uint256 i = 0; i < places.length; ++i) {
            short[places[i]] ^= 0x04;
            try harness.ensureSigned(short, x, y) {
                revert("accepted");
            } catch {}
            short[places[i]] ^= 0x04;
        }
    }

    function refuse(bytes memory quote) private view {
        try harness.parse(quote) {
            revert("accepted");
        } catch {}
    }
}
