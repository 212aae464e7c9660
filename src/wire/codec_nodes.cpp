// SPDX-License-Identifier: Apache-2.0
// What nodes sign, and what they say of themselves and of routes.
#include "wire/codec_parts.hpp"

namespace teetee::wire {

void write(const Sign& sign, proto::Header& header) {
    auto& out = *header.mutable_sign();
    out.set_request(to_proto(sign.request.bytes));
    out.set_epoch(sign.epoch);
    out.set_position_end(sign.position_end);
}

Result<Message> read(const proto::Sign& in, const Limits& limits) {
    TT_TRY(const auto request, request_from_proto(in.request()));
    TT_CHECK(check_count("positions", in.position_end(), limits.positions_max));
    return Message(Sign{request, in.epoch(), in.position_end()});
}

void write(const Record& record, proto::Header& header) {
    auto& out = *header.mutable_record();
    out.set_request(to_proto(record.request.bytes));
    out.set_epoch(record.epoch);
    out.set_layer_begin(record.layers.begin);
    out.set_layer_end(record.layers.end);
    out.set_sampling(to_proto(record.sampling));
    out.set_input_begin(record.input_begin);
    out.set_input_end(record.input_end);
    out.set_input(to_proto(record.input));
    out.set_output_begin(record.output_begin);
    out.set_output_count(static_cast<uint32_t>(record.output.size()));
    out.set_signature(to_proto(record.signature));
}

Result<Message> read(const proto::Record& in, ByteView payload, const Limits& limits) {
    Record record{.epoch = in.epoch(),
                  .layers = {in.layer_begin(), in.layer_end()},
                  .input_begin = in.input_begin(),
                  .input_end = in.input_end(),
                  .output_begin = in.output_begin()};
    TT_TRY(record.request, request_from_proto(in.request()));
    TT_CHECK(check_count("layer", record.layers.end, limits.layers_max));
    if (record.layers.begin >= record.layers.end) return malformed("record without layers");
    TT_CHECK(check_count("positions", record.input_end, limits.positions_max));
    TT_CHECK(check_count("input begin", record.input_begin, record.input_end));
    TT_CHECK(check_count("output begin", record.output_begin, limits.positions_max));
    const size_t count = in.output_count();
    TT_CHECK(check_count("leaves", count, limits.positions_max));
    if (payload.size() != count * sizeof(Digest)) {
        return malformed("leaves: have " + std::to_string(payload.size()) + " bytes, need " +
                         std::to_string(count * sizeof(Digest)));
    }
    TT_TRY(record.sampling, array_from_proto<32>("sampling", in.sampling()));
    TT_TRY(record.input, array_from_proto<32>("input", in.input()));
    TT_TRY(record.signature, array_from_proto<65>("signature", in.signature()));
    record.output.resize(count);
    for (size_t i = 0; i < count; ++i)
        std::ranges::copy(payload.subspan(i * sizeof(Digest), sizeof(Digest)),
                          record.output[i].begin());
    return Message(std::move(record));
}

void write(const Attest& attest, proto::Header& header) {
    auto& out = *header.mutable_attest();
    out.set_request(to_proto(attest.request.bytes));
    out.set_nonce(to_proto(attest.nonce));
    for (const Digest& statement : attest.statements) out.add_statements(to_proto(statement));
}

Result<Message> read(const proto::Attest& in, const Limits& limits) {
    TT_CHECK(
        check_count("statements", static_cast<uint64_t>(in.statements_size()), limits.hops_max));
    Attest attest;
    TT_TRY(attest.request, request_from_proto(in.request()));
    TT_TRY(attest.nonce, array_from_proto<32>("nonce", in.nonce()));
    for (const auto& bytes : in.statements()) {
        TT_TRY(const auto statement, array_from_proto<32>("statement", bytes));
        attest.statements.push_back(statement);
    }
    return Message(std::move(attest));
}

void write(const Quote& quote, proto::Header& header) {
    auto& out = *header.mutable_quote();
    out.set_request(to_proto(quote.request.bytes));
    out.set_layer_begin(quote.layers.begin);
    out.set_layer_end(quote.layers.end);
    if (quote.failure) out.set_failure(static_cast<uint32_t>(*quote.failure));
    out.set_quote_bytes(static_cast<uint32_t>(quote.quote.size()));
}

Result<Message> read(const proto::Quote& in, ByteView payload, const Limits& limits) {
    Quote quote{.layers = {in.layer_begin(), in.layer_end()}};
    TT_TRY(quote.request, request_from_proto(in.request()));
    TT_CHECK(check_count("layer", quote.layers.end, limits.layers_max));
    if (quote.layers.begin >= quote.layers.end) return malformed("quote without layers");
    TT_CHECK(check_count("quote", in.quote_bytes(), limits.quote_bytes_max));
    if (payload.size() != in.quote_bytes()) {
        return malformed("quote: have " + std::to_string(payload.size()) + " bytes, need " +
                         std::to_string(in.quote_bytes()));
    }
    if (payload.empty() != (in.failure() != 0))
        return malformed("quote: need either one or why there is none");
    quote.quote.assign(payload.begin(), payload.end());
    if (in.failure() != 0) {
        TT_TRY(quote.failure, error_code_from_proto(in.failure()));
    }
    return Message(std::move(quote));
}

void write(const SignOff& ask, proto::Header& header) {
    auto& out = *header.mutable_sign_off();
    out.set_ask(ask.ask);
    out.set_node_id(to_proto(ask.node));
    out.set_body_bytes(static_cast<uint32_t>(ask.body.size()));
}

Result<Message> read(const proto::SignOff& in, ByteView payload, const Limits& limits) {
    SignOff ask{.ask = in.ask()};
    TT_TRY(ask.node, array_from_proto<20>("node id", in.node_id()));
    TT_CHECK(check_count("sign-off bytes", in.body_bytes(), limits.sign_off_bytes_max));
    if (payload.size() != in.body_bytes()) {
        return malformed("sign-off: have " + std::to_string(payload.size()) + " bytes, need " +
                         std::to_string(in.body_bytes()));
    }
    if (payload.empty()) return malformed("sign-off of nothing");
    ask.body.assign(payload.begin(), payload.end());
    return Message(std::move(ask));
}

void write(const SignedOff& answer, proto::Header& header) {
    auto& out = *header.mutable_signed_off();
    out.set_ask(answer.ask);
    out.set_node_id(to_proto(answer.node));
    if (answer.failure)
        out.set_failure(static_cast<uint32_t>(*answer.failure));
    else
        out.set_signature(to_proto(answer.signature));
}

Result<Message> read(const proto::SignedOff& in, const Limits&) {
    SignedOff answer{.ask = in.ask()};
    TT_TRY(answer.node, array_from_proto<20>("node id", in.node_id()));
    if (in.failure() == 0) {
        TT_TRY(answer.signature, array_from_proto<65>("signature", in.signature()));
        return Message(answer);
    }
    if (!in.signature().empty())
        return malformed("sign-off: need either a signature or why there is none");
    TT_TRY(answer.failure, error_code_from_proto(in.failure()));
    return Message(answer);
}

void write(const Probe& probe, proto::Header& header) {
    auto& out = *header.mutable_probe();
    out.set_id(probe.id);
    out.set_want_evidence(probe.want_evidence);
    for (const NodeId& node : probe.path) out.add_path(to_proto(node));
    for (const Hop& hop : probe.hops) {
        auto& to = *out.add_hops();
        to.set_node_id(to_proto(hop.node_id));
        to.set_layer_begin(hop.layers.begin);
        to.set_layer_end(hop.layers.end);
        to.set_sequences_free(hop.sequences_free);
        to.set_positions_free(hop.positions_free);
        to.set_sequences_max(hop.sequences_max);
        to.set_positions_max(hop.positions_max);
        to.set_formats(hop.formats);
        to.set_statement_bytes(static_cast<uint32_t>(hop.statement.size()));
        to.set_quote_bytes(static_cast<uint32_t>(hop.quote.size()));
    }
}

namespace {

Result<Bytes> read_evidence(ByteReader& payload, std::string_view what, uint32_t count,
                            uint32_t count_max) {
    TT_CHECK(check_count(what, count, count_max));
    auto bytes = payload.read_bytes(count);
    if (!bytes) return malformed(std::string(what) + ": " + bytes.error().detail);
    return Bytes(bytes->begin(), bytes->end());
}

Result<Hop> read_hop(const proto::Probe::Hop& in, ByteReader& payload, const Limits& limits) {
    TT_TRY(const auto node_id, array_from_proto<20>("node id", in.node_id()));
    TT_CHECK(check_count("layer", in.layer_end(), limits.layers_max));
    if (in.layer_begin() >= in.layer_end()) return malformed("hop without layers");
    Hop hop{.node_id = node_id,
            .layers = {in.layer_begin(), in.layer_end()},
            .sequences_free = in.sequences_free(),
            .positions_free = in.positions_free(),
            .sequences_max = in.sequences_max(),
            .positions_max = in.positions_max(),
            .formats = in.formats()};
    TT_TRY(hop.statement,
           read_evidence(payload, "statement", in.statement_bytes(), limits.statement_bytes_max));
    TT_TRY(hop.quote, read_evidence(payload, "quote", in.quote_bytes(), limits.quote_bytes_max));
    return hop;
}

}  // namespace

Result<Message> read(const proto::Probe& in, ByteView payload, const Limits& limits) {
    TT_CHECK(check_count("path", static_cast<uint64_t>(in.path_size()), limits.hops_max));
    if (in.hops_size() > in.path_size()) return malformed("more hops than nodes on the path");
    if (!in.want_evidence() && !payload.empty()) return malformed("evidence that nobody asked for");
    Probe probe{.id = in.id(), .want_evidence = in.want_evidence()};
    for (const auto& bytes : in.path()) {
        TT_TRY(const auto node, array_from_proto<20>("node id", bytes));
        probe.path.push_back(node);
    }
    ByteReader reader(payload);
    for (const auto& hop : in.hops()) {
        TT_TRY(auto read, read_hop(hop, reader, limits));
        probe.hops.push_back(std::move(read));
    }
    if (!reader.at_end()) {
        return malformed("probe: " + std::to_string(reader.remaining()) + " bytes too many");
    }
    return Message(std::move(probe));
}

void write(const Leave&, proto::Header& header) {
    header.mutable_leave();
}

void write(const Lost& lost, proto::Header& header) {
    header.mutable_lost()->set_node_id(to_proto(lost.node));
}

Result<Message> read(const proto::Lost& in, const Limits&) {
    TT_TRY(const auto node, array_from_proto<20>("node id", in.node_id()));
    return Message(Lost{node});
}

void write(const Adverts& adverts, proto::Header& header) {
    auto& out = *header.mutable_adverts();
    for (const Advert& advert : adverts.adverts) {
        auto& to = *out.add_adverts();
        to.set_encoded(to_proto(advert.encoded));
        to.set_signature(to_proto(advert.signature));
    }
}

Result<Message> read(const proto::Adverts& in, const Limits& limits) {
    TT_CHECK(check_count("adverts", static_cast<uint64_t>(in.adverts_size()), limits.adverts_max));
    Adverts out;
    for (const auto& from : in.adverts()) {
        TT_CHECK(check_count("advert bytes", from.encoded().size(), limits.advert_bytes_max));
        TT_TRY(const auto signature, array_from_proto<65>("signature", from.signature()));
        const ByteView encoded = as_bytes(from.encoded());
        out.adverts.push_back({Bytes(encoded.begin(), encoded.end()), signature});
    }
    return Message(std::move(out));
}

}  // namespace teetee::wire
