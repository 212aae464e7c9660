// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

// Errors that more than one part raises. Where there is something to compare, they carry what the
// caller has and what is needed.

/// A list or a text is longer (or shorter) than it may be.
error WrongLength(uint256 have, uint256 most);
error ZeroAmount();
error ZeroAddress();
error ZeroHash();
/// The caller is not who may do this.
error NotYours(address have, address need);
error UnknownPool(uint64 pool);
error PoolIsClosed(uint64 pool);
error UnknownNode(uint64 node);
/// A signature is malformed or somebody else's; `have` is zero if nobody's.
error WrongSigner(address have, address need);
/// ETH sent, in wei.
error WrongPayment(uint256 have, uint256 need);
/// Credits.
error InsufficientCredits(uint256 have, uint256 need);
error TooEarly(uint256 have, uint256 need);
error TooLate(uint256 have, uint256 most);
