// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm, vm} from "./Vm.sol";

/// @dev Quotes of real machines, where the shared data lie beside the repository; where they do not,
///      the test is skipped and says so.
library RealQuotes {
    string private constant FOLDER = "../../shared/data/attestation/quotes";

    function all() internal returns (bytes[] memory out) {
        bool found = false;
        // Where the folder is missing, forge may not even say so: its permission resolves to nothing.
        try vm.exists(FOLDER) returns (bool exists) {
            found = exists;
        } catch {}
        if (!found) vm.skip(true, "no shared/data/attestation beside the repository");
        Vm.DirEntry[] memory entries = vm.readDir(FOLDER);
        out = new bytes[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            out[i] = vm.readFileBinary(entries[i].path);
        }
    }

    function isOfTdx(bytes memory quote) internal pure returns (bool) {
        return quote[4] == 0x81;
    }

    function ofTdx() internal returns (bytes[] memory out) {
        bytes[] memory every = all();
        out = new bytes[](every.length);
        uint256 count = 0;
        for (uint256 i = 0; i < every.length; ++i) {
            if (isOfTdx(every[i])) out[count++] = every[i];
        }
        assembly ("memory-safe") {
            mstore(out, count)
        }
    }
}
