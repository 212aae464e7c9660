// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What is needed of a PCK certificate: its key, and which platform it is for
/// @notice Believed only where somebody else has verified the certificate, or nothing is at stake.
library PckLeaf {
    error PckPem(bytes32 reason, uint256 position);
    error PckField(bytes32 field, uint256 occurrences, uint256 need);

    bytes private constant BEGIN = "-----BEGIN CERTIFICATE-----";
    /// The head of a SubjectPublicKeyInfo with an uncompressed point of P-256.
    bytes private constant KEY_HEAD = hex"3059301306072a8648ce3d020106082a8648ce3d03010703420004";
    /// 1.2.840.113741.1.13.1.1 and the head of an octet string of 16 bytes.
    bytes private constant PPID_HEAD = hex"060a2a864886f84d010d01010410";

    // Values of the characters 0 to 127 in base64, and what else they are: line ends and padding are
    // passed over, a dash ends the certificate.
    bytes private constant VALUES = hex"ffffffffffffffffffff80ffff80ffffffffffffffffffffffffffffffffffff"
        hex"ffffffffffffffffffffff3eff81ff3f3435363738393a3b3c3dffffff80ffff"
        hex"ff000102030405060708090a0b0c0d0e0f10111213141516171819ffffffffff"
        hex"ff1a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233ffffffffff";
    uint256 private constant SKIPPED = 0x80;
    uint256 private constant DASH = 0x81;

    /// @notice The first certificate of a PEM chain, in DER.
    function decode(bytes calldata chain) internal pure returns (bytes memory der) {
        uint256 head = BEGIN.length;
        if (chain.length < head || keccak256(chain[:head]) != keccak256(BEGIN)) {
            revert PckPem("no certificate", 0);
        }
        bytes memory values = VALUES;
        der = new bytes(chain.length);
        uint256 i = head;
        uint256 value = SKIPPED;
        assembly ("memory-safe") {
            let out := add(der, 32)
            let bits := 0
            let buffer := 0
            for {} lt(i, chain.length) { i := add(i, 1) } {
                let c := byte(0, calldataload(add(chain.offset, i)))
                value := or(byte(0, mload(add(values, add(32, and(c, 127))))), sub(0, shr(7, c)))
                if lt(value, 64) {
                    buffer := or(shl(6, buffer), value)
                    bits := add(bits, 6)
                    if gt(bits, 7) {
                        bits := sub(bits, 8)
                        mstore8(out, shr(bits, buffer))
                        out := add(out, 1)
                    }
                    continue
                }
                if iszero(eq(value, SKIPPED)) { break }
            }
            mstore(der, sub(out, add(der, 32)))
        }
        if (i == chain.length) revert PckPem("no end", i);
        if (value != DASH) revert PckPem("not base64", i);
    }

    function publicKey(bytes memory der) internal pure returns (bytes32 x, bytes32 y) {
        uint256 offset = _behind(der, KEY_HEAD, 64, "public key");
        assembly ("memory-safe") {
            x := mload(add(der, add(32, offset)))
            y := mload(add(der, add(64, offset)))
        }
    }

    /// @notice The platform's provisioning id: one for each machine, whatever its TCB.
    function ppid(bytes memory der) internal pure returns (bytes16 id) {
        uint256 offset = _behind(der, PPID_HEAD, 16, "PPID");
        assembly ("memory-safe") {
            id := and(mload(add(der, add(32, offset))), shl(128, not(0)))
        }
    }

    /// Where the only place ends at which `head` stands with `need` bytes behind it.
    function _behind(bytes memory der, bytes memory head, uint256 need, bytes32 field)
        private
        pure
        returns (uint256 offset)
    {
        uint256 found = 0;
        uint256 headBytes = head.length;
        if (der.length >= headBytes + need) {
            assembly ("memory-safe") {
                let spare := shl(3, sub(32, headBytes))
                let want := shr(spare, mload(add(head, 32)))
                let start := add(der, 32)
                let last := add(start, sub(mload(der), add(headBytes, need)))
                for { let i := start } iszero(gt(i, last)) { i := add(i, 1) } {
                    if eq(shr(spare, mload(i)), want) {
                        found := add(found, 1)
                        offset := add(sub(i, start), headBytes)
                    }
                }
            }
        }
        if (found != 1) revert PckField(field, found, 1);
    }
}
