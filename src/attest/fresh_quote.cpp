// SPDX-License-Identifier: Apache-2.0
#include "attest/fresh_quote.hpp"

#include "attest/quote.hpp"

namespace teetee::attest {

Result<Bytes> take_fresh_quote(Bytes quote, const ByteArray<64>& report_data) {
    const auto parsed = parse_quote(quote);
    if (!parsed) {
        return fail(ErrorCode::evidence_unavailable, "no TDX quote: " + parsed.error().detail);
    }
    const auto* report = std::get_if<TdReport>(&parsed->report);
    if (report == nullptr) {
        return fail(ErrorCode::evidence_unavailable, "have an SGX quote, need a TDX one");
    }
    if (report->report_data != report_data) {
        return fail(ErrorCode::evidence_unavailable, "report data of the quote: have " +
                                                         to_hex(report->report_data) + ", need " +
                                                         to_hex(report_data) + " as asked for");
    }
    quote.resize(parsed->size_bytes);
    return quote;
}

}  // namespace teetee::attest
