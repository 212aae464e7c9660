// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/request.hpp"

struct evp_md_ctx_st;

namespace teetee::crypto {

// SHA-2 (FIPS 180-4) of the whole input at once.
Digest sha256(ByteView bytes);
ByteArray<48> sha384(ByteView bytes);
ByteArray<64> sha512(ByteView bytes);

/// Keccak-256 as Ethereum uses it (the padding of before FIPS 202, so not SHA3-256).
Digest keccak256(ByteView bytes);

/// SHA-1 (FIPS 180-4) over input that comes in pieces; collisions are known: only for formats that
/// name things by it, as git does.
class Sha1 {
  public:
    Sha1();

    void update(ByteView bytes);
    /// As Sha256::finish.
    ByteArray<20> finish();

  private:
    struct FreeContext {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

/// SHA-256 over input that comes in pieces.
class Sha256 {
  public:
    Sha256();

    void update(ByteView bytes);
    /// The digest of everything since construction or the last finish(); then starts over.
    Digest finish();

  private:
    struct FreeContext {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

}  // namespace teetee::crypto
