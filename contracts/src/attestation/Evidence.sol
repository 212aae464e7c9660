// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a host hands in with a registration
/// @notice abi.encode(bytes statement, bytes proof): the statement that the quote is over, and what
/// proves it, in the form that each verifier documents.
/// @dev Only the canonical encoding is taken: parts in order, without gaps, padded with zeros to
/// words, nothing behind.
library Evidence {
    error EvidenceMalformed(uint256 offset);

    uint256 private constant HEAD_BYTES = 64;

    function split(bytes calldata evidence)
        internal
        pure
        returns (bytes calldata statement, bytes calldata proof)
    {
        if (evidence.length < HEAD_BYTES) revert EvidenceMalformed(evidence.length);
        if (_word(evidence, 0) != HEAD_BYTES) revert EvidenceMalformed(0);
        uint256 next;
        (statement, next) = _run(evidence, HEAD_BYTES);
        if (_word(evidence, 32) != next) revert EvidenceMalformed(32);
        (proof, next) = _run(evidence, next);
        if (evidence.length != next) revert EvidenceMalformed(next);
    }

    /// A length in a word, and that many bytes, padded.
    function _run(bytes calldata evidence, uint256 offset)
        private
        pure
        returns (bytes calldata run, uint256 next)
    {
        uint256 begin = offset + 32;
        if (evidence.length < begin) revert EvidenceMalformed(offset);
        uint256 length = _word(evidence, offset);
        if (length > evidence.length - begin) revert EvidenceMalformed(offset);
        uint256 end = begin + length;
        next = begin + ((length + 31) & ~uint256(31));
        if (evidence.length < next) revert EvidenceMalformed(end);
        if (next != end && _word(evidence, next - 32) << 8 * (32 - (next - end)) != 0) {
            revert EvidenceMalformed(end);
        }
        run = evidence[begin:end];
    }

    function _word(bytes calldata evidence, uint256 offset) private pure returns (uint256) {
        return uint256(bytes32(evidence[offset:offset + 32]));
    }
}
