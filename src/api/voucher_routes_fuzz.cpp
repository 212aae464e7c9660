// SPDX-License-Identifier: Apache-2.0
#include <boost/json/serialize.hpp>

#include "api/limits.hpp"
#include "api/voucher_routes.hpp"
#include "base/assert.hpp"
#include "base/bytes.hpp"

/// Whoever has a voucher opened says one thing by it: written anew, it is the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    const auto read = api::parse_signed_voucher(as_text({data, size}));
    if (!read) return 0;
    const auto& voucher = read->voucher;
    const auto ceiling = voucher.ceiling.to_u64();
    TT_ASSERT(ceiling && *ceiling > 0);
    TT_ASSERT(read->signature.size() == api::payer_signature_bytes);
    const boost::json::object body = {{"payer", chain::to_checksum_text(voucher.payer)},
                                      {"pool", voucher.pool},
                                      {"session_key", chain::to_checksum_text(voucher.session_key)},
                                      {"ceiling", std::to_string(*ceiling)},
                                      {"expiry", voucher.expiry},
                                      {"salt", "0x" + to_hex(voucher.salt)},
                                      {"signature", "0x" + to_hex(read->signature)}};
    const auto again = api::parse_signed_voucher(boost::json::serialize(body));
    TT_ASSERT(again && again->voucher == voucher && again->signature == read->signature);
    return 0;
}
