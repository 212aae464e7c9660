// SPDX-License-Identifier: Apache-2.0
#include "billing/payment_header.hpp"

#include <charconv>

#include "base/bytes.hpp"

namespace teetee::billing {
namespace {

Error malformed(std::string_view text) {
    return fail(ErrorCode::payment_malformed,
                "TeeTee-Payment: have " + quote_foreign(text) +
                    ", need 'voucher id=0x.., amount=.., signature=0x..', 'query id=..' or "
                    "'host token=..'");
}

/// Takes members off a text, one by one.
class Members {
  public:
    Members(std::string_view whole, std::string_view rest) : whole_(whole), rest_(rest) {}

    Result<std::string_view> take(std::string_view name) {
        if (taken_++ > 0 && !skip(", ")) return malformed(whole_);
        if (!skip(name) || !skip("=")) return malformed(whole_);
        const std::string_view value = rest_.substr(0, rest_.find(','));
        rest_.remove_prefix(value.size());
        return value;
    }

    Result<uint64_t> number(std::string_view name) {
        TT_TRY(const auto text, take(name));
        uint64_t value = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool is_number = failed == std::errc() && end == text.data() + text.size();
        if (!is_number || (text.size() > 1 && text[0] == '0')) return malformed(whole_);
        return value;
    }

    template <size_t n>
    Result<ByteArray<n>> hex(std::string_view name, std::string_view prefix) {
        TT_TRY(std::string_view text, take(name));
        if (!text.starts_with(prefix) || text.size() != prefix.size() + 2 * n)
            return malformed(whole_);
        auto bytes = array_from_hex<n>(text.substr(prefix.size()));
        if (!bytes) return malformed(whole_);
        return bytes;
    }

    bool is_read() const { return rest_.empty(); }
    Result<void> ensure_read() const {
        return is_read() ? Result<void>() : Result<void>(malformed(whole_));
    }

  private:
    bool skip(std::string_view what) {
        if (!rest_.starts_with(what)) return false;
        rest_.remove_prefix(what.size());
        return true;
    }

    std::string_view whole_;
    std::string_view rest_;
    int taken_ = 0;
};

Result<PaymentClaim> read_voucher(Members members) {
    VoucherPayment out;
    TT_TRY(out.spend.voucher, members.hex<32>("id", "0x"));
    TT_TRY(out.spend.amount, members.number("amount"));
    TT_TRY(out.spend.signature, members.hex<65>("signature", "0x"));
    if (!members.is_read()) {
        RequestProof proof;
        TT_TRY(proof.time_ms, members.number("time"));
        TT_TRY(proof.signature, members.hex<65>("request", "0x"));
        out.proof = proof;
    }
    TT_CHECK(members.ensure_read());
    return PaymentClaim(out);
}

Result<PaymentClaim> read_query(Members members) {
    QueryPayment out;
    TT_TRY(out.query, members.number("id"));
    TT_CHECK(members.ensure_read());
    return PaymentClaim(out);
}

Result<PaymentClaim> read_host(Members members) {
    HostToken out;
    TT_TRY(out.token, members.hex<32>("token", ""));
    TT_CHECK(members.ensure_read());
    return PaymentClaim(out);
}

}  // namespace

Result<PaymentClaim> parse_payment(std::string_view text) {
    const size_t space = text.find(' ');
    if (space == std::string_view::npos) return malformed(text);
    const std::string_view word = text.substr(0, space);
    const Members members(text, text.substr(space + 1));
    if (word == "voucher") return read_voucher(members);
    if (word == "query") return read_query(members);
    if (word == "host") return read_host(members);
    return malformed(text);
}

std::string encode_payment(const PaymentClaim& claim) {
    if (const auto* voucher = std::get_if<VoucherPayment>(&claim)) {
        const SignedSpend& spend = voucher->spend;
        std::string out = "voucher id=0x" + to_hex(spend.voucher) +
                          ", amount=" + std::to_string(spend.amount) + ", signature=0x" +
                          to_hex(spend.signature);
        if (voucher->proof) {
            out += ", time=" + std::to_string(voucher->proof->time_ms) + ", request=0x" +
                   to_hex(voucher->proof->signature);
        }
        return out;
    }
    if (const auto* query = std::get_if<QueryPayment>(&claim))
        return "query id=" + std::to_string(query->query);
    return "host token=" + to_hex(std::get<HostToken>(claim).token);
}

}  // namespace teetee::billing
