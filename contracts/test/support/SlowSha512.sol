// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// SHA-512 as FIPS 180-4 writes it down, word for word and slow: what the fast one is held against.
/// It takes its constants from where they come from, the roots of the primes.
library SlowSha512 {
    function hash(bytes memory message, uint64[80] memory k, uint64[8] memory state)
        internal
        pure
        returns (bytes memory digest)
    {
        bytes memory padded = pad(message);
        for (uint256 start = 0; start < padded.length; start += 128) {
            compress(k, state, padded, start);
        }
        for (uint256 i = 0; i < 8; ++i) {
            digest = bytes.concat(digest, bytes8(state[i]));
        }
    }

    function pad(bytes memory message) private pure returns (bytes memory padded) {
        padded = bytes.concat(message, hex"80");
        while (padded.length % 128 != 112) {
            padded = bytes.concat(padded, hex"00");
        }
        padded = bytes.concat(padded, bytes16(uint128(message.length * 8)));
    }

    function compress(
        uint64[80] memory k,
        uint64[8] memory state,
        bytes memory padded,
        uint256 start
    ) private pure {
        uint64[80] memory w;
        for (uint256 t = 0; t < 16; ++t) {
            for (uint256 i = 0; i < 8; ++i) {
                w[t] = (w[t] << 8) | uint8(padded[start + 8 * t + i]);
            }
        }
        unchecked {
            for (uint256 t = 16; t < 80; ++t) {
                uint64 s0 = rotr(w[t - 15], 1) ^ rotr(w[t - 15], 8) ^ (w[t - 15] >> 7);
                uint64 s1 = rotr(w[t - 2], 19) ^ rotr(w[t - 2], 61) ^ (w[t - 2] >> 6);
                w[t] = w[t - 16] + s0 + w[t - 7] + s1;
            }
            uint64[8] memory v;
            for (uint256 i = 0; i < 8; ++i) {
                v[i] = state[i];
            }
            for (uint256 t = 0; t < 80; ++t) {
                uint64 t1 = v[7] + (rotr(v[4], 14) ^ rotr(v[4], 18) ^ rotr(v[4], 41))
                    + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[t] + w[t];
                uint64 t2 = (rotr(v[0], 28) ^ rotr(v[0], 34) ^ rotr(v[0], 39))
                    + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
                for (uint256 i = 7; i > 0; --i) {
                    v[i] = v[i - 1];
                }
                v[4] += t1;
                v[0] = t1 + t2;
            }
            for (uint256 i = 0; i < 8; ++i) {
                state[i] += v[i];
            }
        }
    }

    function rotr(uint64 x, uint64 by) private pure returns (uint64) {
        return (x >> by) | (x << (64 - by));
    }

    /// The first 64 bits behind the point of the primes' cube roots and square roots.
    function constants() internal pure returns (uint64[80] memory k, uint64[8] memory state) {
        uint256 count = 0;
        for (uint256 p = 2; count < 80; ++p) {
            if (!isPrime(p)) continue;
            k[count] = uint64(cubeRoot(p));
            if (count < 8) state[count] = uint64(squareRoot(p));
            ++count;
        }
    }

    function isPrime(uint256 p) private pure returns (bool) {
        for (uint256 d = 2; d * d <= p; ++d) {
            if (p % d == 0) return false;
        }
        return true;
    }

    /// floor(p^(1/3) * 2^64): the largest r with r^3 <= p * 2^192.
    function cubeRoot(uint256 p) private pure returns (uint256 r) {
        for (uint256 bit = 1 << 67; bit > 0; bit >>= 1) {
            uint256 next = r | bit;
            if (next * next * next <= p << 192) r = next;
        }
    }

    /// floor(p^(1/2) * 2^64).
    function squareRoot(uint256 p) private pure returns (uint256 r) {
        for (uint256 bit = 1 << 67; bit > 0; bit >>= 1) {
            uint256 next = r | bit;
            if (next * next <= p << 128) r = next;
        }
    }
}
