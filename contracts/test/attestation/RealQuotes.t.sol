// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Harness} from "../support/Harness.sol";
import {QuoteForge} from "../support/QuoteForge.sol";
import {RealQuotes} from "../support/RealQuotes.sol";

/// What quotes of real machines lead to is Intel's business: here the key of the certificate in the
/// quote must have signed the QE's report, and so down to the report data.
contract RealQuotesTest {
    Harness private harness = new Harness();

    function test_real_quotes_verify_from_the_pck_key_down() public {
        bytes[] memory quotes = RealQuotes.all();
        uint256 tdx = 0;
        for (uint256 i = 0; i < quotes.length; ++i) {
            if (!RealQuotes.isOfTdx(quotes[i])) {
                refuse(quotes[i]);
                continue;
            }
            ++tdx;
            check(quotes[i]);
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
