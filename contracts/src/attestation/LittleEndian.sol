// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Integers as Intel's structures and TeeTee's documents write them
library LittleEndian {
    function u16(bytes2 raw) internal pure returns (uint256) {
        return (uint256(uint8(raw[1])) << 8) | uint8(raw[0]);
    }

    function u32(bytes4 raw) internal pure returns (uint256) {
        return _swap64(uint256(uint32(raw))) >> 32;
    }

    function u64(bytes8 raw) internal pure returns (uint256) {
        return _swap64(uint256(uint64(raw)));
    }

    /// The four bytes of a length prefix.
    function prefix(uint256 length) internal pure returns (bytes4) {
        return bytes4(uint32(_swap64(length) >> 32));
    }

    function _swap64(uint256 x) private pure returns (uint256) {
        x = ((x & 0x00ff00ff00ff00ff) << 8) | ((x >> 8) & 0x00ff00ff00ff00ff);
        x = ((x & 0x0000ffff0000ffff) << 16) | ((x >> 16) & 0x0000ffff0000ffff);
        return ((x & 0xffffffff) << 32) | (x >> 32);
    }
}
