// SPDX-License-Identifier: Apache-2.0
#include "attest/quote.hpp"

#include <algorithm>

#include "attest/intel.hpp"
#include "attest/limits.hpp"

namespace teetee::attest {
namespace {

constexpr size_t header_bytes = 48;
constexpr size_t td_report_10_bytes = 584;
constexpr size_t td_report_15_bytes = 648;
constexpr size_t sgx_report_bytes = 384;
// Body type u16 and body size u32, which version 5 puts between header and body.
constexpr size_t body_descriptor_bytes = 6;

constexpr uint16_t key_type_ecdsa_p256 = 2;
constexpr uint16_t body_type_sgx_report = 1;
constexpr uint16_t body_type_td_report_10 = 2;
constexpr uint16_t body_type_td_report_15 = 3;
constexpr uint16_t certification_pck_chain = 5;
constexpr uint16_t certification_qe_report = 6;

Error wrong(ErrorCode code, std::string_view component, uint64_t have, std::string_view need) {
    return fail(code, std::string(component) + ": have " + std::to_string(have) + ", need " +
                          std::string(need));
}

// The next bytes of the quote, or an error that says which component they should have been.
Result<ByteView> take(ByteReader& reader, size_t byte_count, std::string_view component) {
    auto bytes = reader.read_bytes(byte_count);
    if (!bytes) {
        return fail(ErrorCode::quote_malformed,
                    std::string(component) + ": " + bytes.error().detail);
    }
    return bytes;
}

// Fields at fixed places of a part whose size has been checked.
template <size_t N>
ByteArray<N> array_at(ByteView part, size_t offset) {
    ByteArray<N> out;
    std::copy_n(part.begin() + static_cast<std::ptrdiff_t>(offset), N, out.begin());
    return out;
}

template <class T>
T integer_at(ByteView part, size_t offset) {
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) value |= uint64_t{part[offset + i]} << (8 * i);
    return static_cast<T>(value);
}

Result<QuoteHeader> parse_header(ByteReader& reader) {
    TT_TRY(const ByteView part, take(reader, header_bytes, "header"));
    QuoteHeader header;
    header.version = integer_at<uint16_t>(part, 0);
    header.attestation_key_type = integer_at<uint16_t>(part, 2);
    const auto tee_type = integer_at<uint32_t>(part, 4);
    header.tee_type = TeeType{tee_type};
    header.qe_svn = integer_at<uint16_t>(part, 8);
    header.pce_svn = integer_at<uint16_t>(part, 10);
    header.qe_vendor_id = array_at<16>(part, 12);
    header.user_data = array_at<20>(part, 28);

    if (header.version < 3 || header.version > 5) {
        return wrong(ErrorCode::quote_unsupported, "header.version", header.version, "3, 4 or 5");
    }
    const bool sgx = header.tee_type == TeeType::sgx;
    if (!sgx && (header.version == 3 || header.tee_type != TeeType::tdx)) {
        return wrong(ErrorCode::quote_unsupported, "header.tee_type", tee_type,
                     header.version == 3 ? "0 (SGX)" : "0 (SGX) or 129 (TDX)");
    }
    if (header.attestation_key_type != key_type_ecdsa_p256) {
        return wrong(ErrorCode::quote_unsupported, "header.attestation_key_type",
                     header.attestation_key_type, "2");
    }
    if (header.qe_vendor_id != intel_qe_vendor_id) {
        return fail(ErrorCode::quote_unsupported, "header.qe_vendor_id: have " +
                                                      to_hex(header.qe_vendor_id) + ", need " +
                                                      to_hex(intel_qe_vendor_id));
    }
    return header;
}

// Until version 4 the TEE says which report follows; version 5 names its type and size.
Result<size_t> parse_body_size(ByteReader& reader, const QuoteHeader& header) {
    const bool sgx = header.tee_type == TeeType::sgx;
    if (header.version < 5) return sgx ? sgx_report_bytes : td_report_10_bytes;
    TT_TRY(const ByteView part, take(reader, body_descriptor_bytes, "body descriptor"));
    const auto type = integer_at<uint16_t>(part, 0);
    const auto body_bytes = integer_at<uint32_t>(part, 2);
    const bool of_tee = sgx ? type == body_type_sgx_report
                            : type == body_type_td_report_10 || type == body_type_td_report_15;
    if (!of_tee) {
        return wrong(ErrorCode::quote_unsupported, "body.type", type,
                     sgx ? "1 of an SGX quote" : "2 or 3 of a TDX quote");
    }
    const size_t need = sgx                              ? sgx_report_bytes
                        : type == body_type_td_report_10 ? td_report_10_bytes
                                                         : td_report_15_bytes;
    if (body_bytes != need) {
        return wrong(ErrorCode::quote_malformed, "body.size", body_bytes, std::to_string(need));
    }
    return need;
}

TdReport decode_td_report(ByteView part) {
    TdReport report;
    report.tee_tcb_svn = array_at<16>(part, 0);
    report.mrseam = array_at<48>(part, 16);
    report.mrsignerseam = array_at<48>(part, 64);
    report.seamattributes = integer_at<uint64_t>(part, 112);
    report.tdattributes = integer_at<uint64_t>(part, 120);
    report.xfam = integer_at<uint64_t>(part, 128);
    report.mrtd = array_at<48>(part, 136);
    report.mrconfigid = array_at<48>(part, 184);
    report.mrowner = array_at<48>(part, 232);
    report.mrownerconfig = array_at<48>(part, 280);
    for (size_t i = 0; i < 4; ++i) report.rtmr[i] = array_at<48>(part, 328 + 48 * i);
    report.report_data = array_at<64>(part, 520);
    if (part.size() == td_report_15_bytes) {
        report.since_15 = TdReportSince15{.tee_tcb_svn_2 = array_at<16>(part, 584),
                                          .mrservicetd = array_at<48>(part, 600)};
    }
    return report;
}

SgxReport decode_sgx_report(ByteView part) {
    SgxReport report;
    report.cpusvn = array_at<16>(part, 0);
    report.miscselect = integer_at<uint32_t>(part, 16);
    report.attributes = array_at<16>(part, 48);
    report.mrenclave = array_at<32>(part, 64);
    report.mrsigner = array_at<32>(part, 128);
    report.isvprodid = integer_at<uint16_t>(part, 256);
    report.isvsvn = integer_at<uint16_t>(part, 258);
    report.report_data = array_at<64>(part, 320);
    return report;
}

// Type, size, bytes; it is always the last thing in what encloses it.
Result<ByteView> parse_certification_data(ByteView part, uint16_t type_needed) {
    ByteReader reader(part);
    TT_TRY(const ByteView head, take(reader, 6, "certification data"));
    const auto type = integer_at<uint16_t>(head, 0);
    const auto data_bytes = integer_at<uint32_t>(head, 2);
    if (type != type_needed) {
        return wrong(ErrorCode::quote_unsupported, "certification data type", type,
                     std::to_string(type_needed));
    }
    if (data_bytes != reader.remaining()) {
        return wrong(ErrorCode::quote_malformed, "certification data size", data_bytes,
                     std::to_string(reader.remaining()));
    }
    return part.subspan(reader.position());
}

// QE report, its signature, auth data and PCK chain, up to the end.
Result<void> parse_qe_certification(ByteView part, QuoteSignature& out) {
    ByteReader reader(part);
    TT_TRY(const ByteView report, take(reader, sgx_report_bytes, "QE report"));
    out.qe_report = decode_sgx_report(report);
    out.qe_report_bytes = array_at<sgx_report_bytes>(report, 0);
    TT_TRY(const ByteView signature, take(reader, 64, "QE report signature"));
    out.qe_report_signature = array_at<64>(signature, 0);

    TT_TRY(const ByteView auth_size, take(reader, 2, "QE auth data size"));
    const auto auth_bytes = integer_at<uint16_t>(auth_size, 0);
    if (auth_bytes > qe_auth_data_bytes_max) {
        return wrong(ErrorCode::quote_malformed, "QE auth data size", auth_bytes,
                     "at most " + std::to_string(qe_auth_data_bytes_max));
    }
    TT_TRY(const ByteView auth, take(reader, auth_bytes, "QE auth data"));
    out.qe_auth_data.assign(auth.begin(), auth.end());

    TT_TRY(const ByteView chain,
           parse_certification_data(part.subspan(reader.position()), certification_pck_chain));
    if (chain.size() > pck_chain_bytes_max) {
        return wrong(ErrorCode::quote_malformed, "PCK chain size", chain.size(),
                     "at most " + std::to_string(pck_chain_bytes_max));
    }
    out.pck_chain.assign(chain.begin(), chain.end());
    return {};
}

Result<QuoteSignature> parse_signature(ByteView part, uint16_t version) {
    QuoteSignature out;
    ByteReader reader(part);
    TT_TRY(const ByteView keys, take(reader, 128, "signature and attestation key"));
    out.signature = array_at<64>(keys, 0);
    out.attestation_key = array_at<64>(keys, 64);
    ByteView certification = part.subspan(reader.position());
    // Since version 4 it lies in an envelope of its own.
    if (version > 3) {
        TT_TRY(certification, parse_certification_data(certification, certification_qe_report));
    }
    TT_CHECK(parse_qe_certification(certification, out));
    return out;
}

}  // namespace

std::string_view to_string(TeeType tee) {
    return tee == TeeType::sgx ? "SGX" : "TDX";
}

Result<Quote> parse_quote(ByteView bytes) {
    if (bytes.size() > quote_bytes_max) {
        return wrong(ErrorCode::quote_malformed, "quote size", bytes.size(),
                     "at most " + std::to_string(quote_bytes_max));
    }
    Quote quote;
    ByteReader reader(bytes);
    TT_TRY(quote.header, parse_header(reader));
    TT_TRY(const size_t body_bytes, parse_body_size(reader, quote.header));
    TT_TRY(const ByteView body, take(reader, body_bytes, "report"));
    if (quote.header.tee_type == TeeType::sgx) {
        quote.report = decode_sgx_report(body);
    } else {
        quote.report = decode_td_report(body);
    }
    const ByteView signed_part = bytes.first(reader.position());
    quote.signed_bytes.assign(signed_part.begin(), signed_part.end());

    TT_TRY(const ByteView signature_size, take(reader, 4, "signature size"));
    TT_TRY(const ByteView signature,
           take(reader, integer_at<uint32_t>(signature_size, 0), "signature"));
    TT_TRY(quote.signature, parse_signature(signature, quote.header.version));
    quote.size_bytes = reader.position();
    return quote;
}

}  // namespace teetee::attest
