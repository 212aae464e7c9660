// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "crypto/hash.hpp"
#include "crypto/hmac.hpp"
#include "model/packed_cache.hpp"
#include "model/test_blob_store.hpp"

/// Whatever the blob says: what is taken must hash to a digest that stands in it. An odd first byte
/// gives the rest the name and the HMAC it needs, so that the fuzzer gets past them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    if (size == 0) return 0;
    static tensor::ThreadPool pool(1);
    static const std::string name = [] {
        model::TestBlobStore store;
        model::PackedCache cache(store, {}, {});
        (void)cache.keep(pool);
        return store.blobs.begin()->first;
    }();
    constexpr size_t head_bytes = 56;
    Bytes blob(data + 1, data + size);
    if (data[0] % 2 == 1 && blob.size() >= head_bytes + 32) {
        const Bytes digest = from_hex(name).value();
        std::ranges::copy(digest, blob.begin() + 16);
        const size_t piece_count = std::min<size_t>(blob[48], (blob.size() - head_bytes - 32) / 32);
        const size_t index_bytes = head_bytes + 32 * piece_count;
        const Digest mac = crypto::hmac_sha256(Digest{}, ByteView(blob).first(index_bytes));
        std::ranges::copy(mac, blob.begin() + static_cast<std::ptrdiff_t>(index_bytes));
    }
    model::TestBlobStore store;
    store.blobs[name] = blob;
    model::PackedCache cache(store, {}, {});
    cache.open();
    Bytes memory[3] = {Bytes(64), Bytes(192), Bytes(64)};
    for (Bytes& matrix : memory) {
        if (!cache.take(matrix, pool)) continue;
        const Digest digest = crypto::sha256(matrix);
        TT_ASSERT(std::search(blob.begin(), blob.end(), digest.begin(), digest.end()) !=
                  blob.end());
    }
    TT_ASSERT(cache.keep(pool).has_value());
    return 0;
}
