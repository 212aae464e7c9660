// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Intel's judgement of a platform, as a number
/// @notice 0 UpToDate, 1 SWHardeningNeeded, 2 ConfigurationAndSWHardeningNeeded, 3
/// ConfigurationNeeded, 4 OutOfDate, 5 OutOfDateConfigurationNeeded, 6 Revoked, 7 unrecognised, 8
/// TDRelaunchAdvised, 9 TDRelaunchAdvisedConfigurationNeeded: the numbers of Automata's verifier,
/// which are not those of src/attest.
library TcbStatus {
    error TcbStatusSet(uint256 have, uint256 possible);
    error TcbStatusRefused(uint256 have, uint256 acceptedSet);

    uint8 internal constant UP_TO_DATE = 0;
    uint8 internal constant REVOKED = 6;
    uint8 internal constant UNRECOGNISED = 7;
    uint8 internal constant LAST = 9;

    /// @notice Every status that a verifier may be made to accept, as bits: not 6 and not 7.
    uint256 internal constant ACCEPTABLE = (1 << 10) - 1 - (1 << 6) - (1 << 7);

    /// @notice Reverts unless `accepted` is a set, not empty, of acceptable statuses.
    function ensureSet(uint256 accepted) internal pure {
        if (accepted == 0 || accepted & ~ACCEPTABLE != 0) {
            revert TcbStatusSet(accepted, ACCEPTABLE);
        }
    }

    function ensureAccepted(uint8 status, uint256 accepted) internal pure {
        if ((accepted >> status) & 1 == 0) revert TcbStatusRefused(status, accepted);
    }
}
