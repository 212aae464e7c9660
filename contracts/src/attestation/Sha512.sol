// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title SHA-512 (FIPS 180-4)
/// @notice The hash under which a TEE's quote binds its statement. About 32,000 gas for each 128
/// bytes, with the IR pipeline 45,000.
/// @dev Words of 64 bits lie in slots of 128 bits, so that one 256-bit operation works on two of
/// them: `mul(x, TWICE)` puts a copy of each word above itself, and a shift then is a rotation
/// whose low 64 bits are right. What gathers above them is masked off where a word is kept.
library Sha512 {
    // Offsets in scratch memory behind the free memory pointer: the message schedule, the round
    // constants exactly behind it (a round adds the two at one distance), hash state, last blocks.
    uint256 private constant CONSTANTS = 1280;
    uint256 private constant STATE = 2560;
    uint256 private constant TAIL = 2816;

    uint256 private constant TWICE = 0x10000000000000001;
    uint256 private constant MASK = 0xffffffffffffffff;
    /// The words of two slots; what a rotation leaves above them must not carry into the next.
    uint256 private constant PAIR_MASK = 0xffffffffffffffff0000000000000000ffffffffffffffff;

    /// @return high The first 32 bytes of the digest.
    /// @return low The last 32 bytes of the digest.
    function hash(bytes memory message) internal pure returns (bytes32 high, bytes32 low) {
        uint256 scratch;
        assembly ("memory-safe") {
            scratch := mload(0x40)
        }
        _loadConstants(scratch);
        uint256 whole = message.length & ~uint256(127);
        uint256 start;
        assembly ("memory-safe") {
            start := add(message, 32)
        }
        _compress(scratch, start, start + whole);
        uint256 tailBytes = _pad(scratch, start + whole, message.length);
        _compress(scratch, scratch + TAIL, scratch + TAIL + tailBytes);
        assembly ("memory-safe") {
            let state := add(scratch, STATE)
            high := or(
                or(shl(192, mload(state)), shl(128, mload(add(state, 32)))),
                or(shl(64, mload(add(state, 64))), mload(add(state, 96)))
            )
            low := or(
                or(shl(192, mload(add(state, 128))), shl(128, mload(add(state, 160)))),
                or(shl(64, mload(add(state, 192))), mload(add(state, 224)))
            )
        }
    }

    /// The rest of the message, 0x80, zeros and the length in bits: one block or two.
    function _pad(uint256 scratch, uint256 rest, uint256 length)
        private
        pure
        returns (uint256 tailBytes)
    {
        uint256 restBytes = length & 127;
        // 16 bytes for the length and one for 0x80.
        tailBytes = restBytes < 112 ? 128 : 256;
        assembly ("memory-safe") {
            let tail := add(scratch, TAIL)
            // Fresh memory need not be zero: somebody may have written there without keeping it.
            for { let i := 0 } lt(i, 256) { i := add(i, 32) } { mstore(add(tail, i), 0) }
            mcopy(tail, rest, restBytes)
            mstore8(add(tail, restBytes), 0x80)
            mstore(
                add(tail, sub(tailBytes, 32)),
                or(mload(add(tail, sub(tailBytes, 32))), shl(3, length))
            )
        }
    }

    function _compress(uint256 scratch, uint256 from, uint256 to) private pure {
        for (uint256 block_ = from; block_ < to; block_ += 128) {
            _schedule(scratch, block_);
            _rounds(scratch);
        }
    }

    /// The 16 words of a block, and the 64 made of them, two at once.
    function _schedule(uint256 scratch, uint256 block_) private pure {
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, 128) { i := add(i, 32) } {
                let words := mload(add(block_, i))
                let slot := add(scratch, shl(1, i))
                mstore(slot, or(shl(128, shr(192, words)), and(shr(128, words), MASK)))
                mstore(add(slot, 32), or(shl(128, and(shr(64, words), MASK)), and(words, MASK)))
            }
            let end := add(scratch, CONSTANTS)
            for { let slot := add(scratch, 256) } lt(slot, end) { slot := add(slot, 32) } {
                let x := mload(sub(slot, 240))
                let y := mul(x, TWICE)
                let sum := and(xor(xor(shr(1, y), shr(8, y)), shr(7, x)), PAIR_MASK)
                x := mload(sub(slot, 32))
                y := mul(x, TWICE)
                sum := add(
                    add(sum, and(xor(xor(shr(19, y), shr(61, y)), shr(6, x)), PAIR_MASK)),
                    add(mload(sub(slot, 256)), mload(sub(slot, 112)))
                )
                mstore(slot, and(sum, PAIR_MASK))
            }
        }
    }

    /// Eighty rounds, two in one turn: a pair of the schedule is one word. More of them in one turn
    /// would save the exchange of names, but make the IR pipeline compute them over and over for
    /// want of stack slots.
    function _rounds(uint256 scratch) private pure {
        assembly ("memory-safe") {
            let a := mload(add(scratch, STATE))
            let b := mload(add(scratch, 2592))
            let c := mload(add(scratch, 2624))
            let d := mload(add(scratch, 2656))
            let e := mload(add(scratch, 2688))
            let f := mload(add(scratch, 2720))
            let g := mload(add(scratch, 2752))
            let h := mload(add(scratch, 2784))
            let end := add(scratch, CONSTANTS)
            for {} lt(scratch, end) {} {
                {
                    let y := mul(e, TWICE)
                    h := add(
                        add(h, shr(128, add(mload(scratch), mload(add(scratch, CONSTANTS))))),
                        xor(xor(shr(14, y), shr(18, y)), shr(41, y))
                    )
                    h := add(h, xor(g, and(e, xor(f, g))))
                    d := and(add(d, h), MASK)
                    y := mul(a, TWICE)
                    h := add(h, or(and(a, b), and(c, or(a, b))))
                    h := and(add(h, xor(xor(shr(28, y), shr(34, y)), shr(39, y))), MASK)
                }
                scratch := add(scratch, 32)
                {
                    let y := mul(d, TWICE)
                    g := add(
                        add(g, add(mload(sub(scratch, 32)), mload(add(scratch, 1248)))),
                        xor(xor(shr(14, y), shr(18, y)), shr(41, y))
                    )
                    g := add(g, xor(f, and(d, xor(e, f))))
                    c := and(add(c, g), MASK)
                    y := mul(h, TWICE)
                    g := add(g, or(and(h, a), and(b, or(h, a))))
                    g := and(add(g, xor(xor(shr(28, y), shr(34, y)), shr(39, y))), MASK)
                }
                {
                    let t := h
                    h := f
                    f := d
                    d := b
                    b := t
                    t := g
                    g := e
                    e := c
                    c := a
                    a := t
                }
            }
            scratch := add(end, CONSTANTS)
            mstore(scratch, and(add(mload(scratch), a), MASK))
            mstore(add(scratch, 32), and(add(mload(add(scratch, 32)), b), MASK))
            mstore(add(scratch, 64), and(add(mload(add(scratch, 64)), c), MASK))
            mstore(add(scratch, 96), and(add(mload(add(scratch, 96)), d), MASK))
            mstore(add(scratch, 128), and(add(mload(add(scratch, 128)), e), MASK))
            mstore(add(scratch, 160), and(add(mload(add(scratch, 160)), f), MASK))
            mstore(add(scratch, 192), and(add(mload(add(scratch, 192)), g), MASK))
            mstore(add(scratch, 224), and(add(mload(add(scratch, 224)), h), MASK))
        }
    }

    function _loadConstants(uint256 scratch) private pure {
        assembly ("memory-safe") {
            let k := add(scratch, CONSTANTS)
            mstore(k, 0x428a2f98d728ae2200000000000000007137449123ef65cd)
            mstore(add(k, 32), 0xb5c0fbcfec4d3b2f0000000000000000e9b5dba58189dbbc)
            mstore(add(k, 64), 0x3956c25bf348b538000000000000000059f111f1b605d019)
            mstore(add(k, 96), 0x923f82a4af194f9b0000000000000000ab1c5ed5da6d8118)
            mstore(add(k, 128), 0xd807aa98a3030242000000000000000012835b0145706fbe)
            mstore(add(k, 160), 0x243185be4ee4b28c0000000000000000550c7dc3d5ffb4e2)
            mstore(add(k, 192), 0x72be5d74f27b896f000000000000000080deb1fe3b1696b1)
            mstore(add(k, 224), 0x9bdc06a725c712350000000000000000c19bf174cf692694)
            mstore(add(k, 256), 0xe49b69c19ef14ad20000000000000000efbe4786384f25e3)
            mstore(add(k, 288), 0x0fc19dc68b8cd5b50000000000000000240ca1cc77ac9c65)
            mstore(add(k, 320), 0x2de92c6f592b027500000000000000004a7484aa6ea6e483)
            mstore(add(k, 352), 0x5cb0a9dcbd41fbd4000000000000000076f988da831153b5)
            mstore(add(k, 384), 0x983e5152ee66dfab0000000000000000a831c66d2db43210)
            mstore(add(k, 416), 0xb00327c898fb213f0000000000000000bf597fc7beef0ee4)
            mstore(add(k, 448), 0xc6e00bf33da88fc20000000000000000d5a79147930aa725)
            mstore(add(k, 480), 0x06ca6351e003826f0000000000000000142929670a0e6e70)
            mstore(add(k, 512), 0x27b70a8546d22ffc00000000000000002e1b21385c26c926)
            mstore(add(k, 544), 0x4d2c6dfc5ac42aed000000000000000053380d139d95b3df)
            mstore(add(k, 576), 0x650a73548baf63de0000000000000000766a0abb3c77b2a8)
            mstore(add(k, 608), 0x81c2c92e47edaee6000000000000000092722c851482353b)
            mstore(add(k, 640), 0xa2bfe8a14cf103640000000000000000a81a664bbc423001)
            mstore(add(k, 672), 0xc24b8b70d0f897910000000000000000c76c51a30654be30)
            mstore(add(k, 704), 0xd192e819d6ef52180000000000000000d69906245565a910)
            mstore(add(k, 736), 0xf40e35855771202a0000000000000000106aa07032bbd1b8)
            mstore(add(k, 768), 0x19a4c116b8d2d0c800000000000000001e376c085141ab53)
            mstore(add(k, 800), 0x2748774cdf8eeb99000000000000000034b0bcb5e19b48a8)
            mstore(add(k, 832), 0x391c0cb3c5c95a6300000000000000004ed8aa4ae3418acb)
            mstore(add(k, 864), 0x5b9cca4f7763e3730000000000000000682e6ff3d6b2b8a3)
            mstore(add(k, 896), 0x748f82ee5defb2fc000000000000000078a5636f43172f60)
            mstore(add(k, 928), 0x84c87814a1f0ab7200000000000000008cc702081a6439ec)
            mstore(add(k, 960), 0x90befffa23631e280000000000000000a4506cebde82bde9)
            mstore(add(k, 992), 0xbef9a3f7b2c679150000000000000000c67178f2e372532b)
            mstore(add(k, 1024), 0xca273eceea26619c0000000000000000d186b8c721c0c207)
            mstore(add(k, 1056), 0xeada7dd6cde0eb1e0000000000000000f57d4f7fee6ed178)
            mstore(add(k, 1088), 0x06f067aa72176fba00000000000000000a637dc5a2c898a6)
            mstore(add(k, 1120), 0x113f9804bef90dae00000000000000001b710b35131c471b)
            mstore(add(k, 1152), 0x28db77f523047d84000000000000000032caab7b40c72493)
            mstore(add(k, 1184), 0x3c9ebe0a15c9bebc0000000000000000431d67c49c100d4c)
            mstore(add(k, 1216), 0x4cc5d4becb3e42b60000000000000000597f299cfc657e2a)
            mstore(add(k, 1248), 0x5fcb6fab3ad6faec00000000000000006c44198c4a475817)
            let state := add(scratch, STATE)
            mstore(state, 0x6a09e667f3bcc908)
            mstore(add(state, 32), 0xbb67ae8584caa73b)
            mstore(add(state, 64), 0x3c6ef372fe94f82b)
            mstore(add(state, 96), 0xa54ff53a5f1d36f1)
            mstore(add(state, 128), 0x510e527fade682d1)
            mstore(add(state, 160), 0x9b05688c2b3e6c1f)
            mstore(add(state, 192), 0x1f83d9abfb41bd6b)
            mstore(add(state, 224), 0x5be0cd19137e2179)
        }
    }
}
