// SPDX-License-Identifier: Apache-2.0
#include "wire/codec.hpp"

#include <bit>
#include <cmath>
#include <string>
#include <utility>

#include "base/assert.hpp"
#include "wire/codec_parts.hpp"

namespace teetee::wire {
namespace {

constexpr size_t prefix_bytes = 6;

void write(const SamplingOptions& sampling, proto::Open& out) {
    out.set_temperature(sampling.temperature);
    out.set_top_k(sampling.top_k);
    out.set_top_p(sampling.top_p);
    out.set_seed(sampling.seed);
    out.set_min_p(sampling.min_p);
    out.set_typical_p(sampling.typical_p);
    out.set_repetition_penalty(sampling.repetition_penalty);
    out.set_repetition_window(sampling.repetition_window);
    out.set_presence_penalty(sampling.presence_penalty);
    out.set_frequency_penalty(sampling.frequency_penalty);
    for (const LogitBias& bias : sampling.logit_bias) {
        auto& to = *out.add_logit_bias();
        to.set_token(bias.token);
        to.set_bias(bias.bias);
    }
    out.set_logprobs(sampling.logprobs);
    out.set_top_logprobs(sampling.top_logprobs);
    out.set_constraint_kind(static_cast<uint32_t>(sampling.constraint.kind));
    out.set_constraint(sampling.constraint.source);
    out.set_answer_given(sampling.answer_given);
    out.set_activations(static_cast<uint32_t>(sampling.activations));
    out.set_pooling(static_cast<uint32_t>(sampling.pooling));
}

void write(const Open& open, proto::Header& header) {
    auto& out = *header.mutable_open();
    out.set_request(to_proto(open.request.bytes));
    out.set_epoch(open.epoch);
    out.set_positions_max(open.positions_max);
    write(open.sampling, out);
    out.set_prompt_positions(open.prompt_positions);
    out.set_start_prefix(open.start.prefix);
    out.set_start_positions(open.start.positions);
    out.set_salt(to_proto(open.salt));
    out.set_resumed_positions(open.resumed_positions);
    for (const Resume resume : open.resumes)
        out.mutable_resumes()->push_back(static_cast<char>(resume));
}

/// Together with the positions: either both say something or none does.
Result<std::vector<Resume>> read_resumes(const proto::Open& in, const Limits& limits) {
    TT_CHECK(check_count("resumed positions", in.resumed_positions(), in.positions_max()));
    TT_CHECK(check_count("resumes", in.resumes().size(), limits.hops_max));
    if ((in.resumed_positions() == 0) != in.resumes().empty())
        return malformed("resumed: have only half of it");
    if (in.resumed_positions() > 0 && in.start_positions() > 0)
        return malformed("resumed: have a prefix as well");
    std::vector<Resume> out;
    for (const uint8_t resume : as_bytes(in.resumes())) {
        if (resume > static_cast<uint8_t>(Resume::replay))
            return malformed("resume " + std::to_string(resume));
        out.push_back(static_cast<Resume>(resume));
    }
    return out;
}

Result<ActivationFormat> read_format(uint32_t number) {
    if (number <= static_cast<uint32_t>(activation_format_max))
        return static_cast<ActivationFormat>(number);
    return malformed("activation format " + std::to_string(number));
}

Result<SamplingOptions> read_sampling(const proto::Open& in) {
    TT_CHECK(check_count("logit_bias", static_cast<uint64_t>(in.logit_bias_size()),
                         logit_bias_count_max));
    if (in.constraint_kind() > static_cast<uint32_t>(ConstraintKind::json_object))
        return malformed("constraint kind " + std::to_string(in.constraint_kind()));
    SamplingOptions sampling{
        .temperature = in.temperature(),
        .top_k = in.top_k(),
        .top_p = in.top_p(),
        .seed = in.seed(),
        .min_p = in.min_p(),
        .typical_p = in.typical_p(),
        .repetition_penalty = in.repetition_penalty(),
        .repetition_window = in.repetition_window(),
        .presence_penalty = in.presence_penalty(),
        .frequency_penalty = in.frequency_penalty(),
        .logprobs = in.logprobs(),
        .top_logprobs = in.top_logprobs(),
        .constraint = {static_cast<ConstraintKind>(in.constraint_kind()), in.constraint()},
        .answer_given = in.answer_given()};
    for (const auto& bias : in.logit_bias())
        sampling.logit_bias.push_back({bias.token(), bias.bias()});
    TT_TRY(sampling.activations, read_format(in.activations()));
    if (in.pooling() > static_cast<uint32_t>(pooling_max))
        return malformed("pooling " + std::to_string(in.pooling()));
    sampling.pooling = static_cast<Pooling>(in.pooling());
    TT_CHECK(validate(sampling));
    return sampling;
}

Result<PrefixStart> read_start(const proto::Open& in, const SamplingOptions& sampling) {
    const PrefixStart start{in.start_prefix(), in.start_positions()};
    if (start == PrefixStart{}) return start;
    if (start.prefix == 0 || start.positions == 0) return malformed("prefix: have only half of it");
    if (start.positions >= in.positions_max()) return malformed("prefix: no position behind it");
    if (sampling.needs_tokens()) return malformed("prefix: hides tokens that sampling needs");
    return start;
}

Result<Message> read(const proto::Open& in, const Limits& limits) {
    TT_TRY(const auto request, request_from_proto(in.request()));
    TT_CHECK(check_count("positions", in.positions_max(), limits.positions_max));
    TT_CHECK(check_count("prompt positions", in.prompt_positions(), in.positions_max()));
    TT_TRY(auto sampling, read_sampling(in));
    TT_CHECK(check_count("answer given", sampling.answer_given, in.prompt_positions()));
    TT_TRY(const auto start, read_start(in, sampling));
    TT_TRY(const auto salt, array_from_proto<32>("salt", in.salt()));
    TT_TRY(auto resumes, read_resumes(in, limits));
    return Message(Open{.request = request,
                        .epoch = in.epoch(),
                        .sampling = std::move(sampling),
                        .positions_max = in.positions_max(),
                        .prompt_positions = in.prompt_positions(),
                        .start = start,
                        .salt = salt,
                        .resumed_positions = in.resumed_positions(),
                        .resumes = std::move(resumes)});
}

using ProtoRows = google::protobuf::RepeatedPtrField<proto::Forward::Row>;

void write(const std::vector<ForwardRow>& rows, ProtoRows& out) {
    for (const ForwardRow& row : rows) {
        auto& to = *out.Add();
        to.set_request(to_proto(row.request.bytes));
        to.set_epoch(row.epoch);
        to.set_position(row.position);
        to.set_wants_token(row.wants_token);
        if (row.token) to.set_token(*row.token);
    }
}

Result<std::vector<ForwardRow>> read_rows(const ProtoRows& in, const Limits& limits) {
    const auto count = static_cast<uint64_t>(in.size());
    TT_CHECK(check_count("rows", count, limits.rows_max));
    std::vector<ForwardRow> out;
    out.reserve(count);
    for (const auto& row : in) {
        TT_TRY(const auto request, request_from_proto(row.request()));
        out.push_back({request, row.epoch(), row.position(), row.wants_token(),
                       row.has_token() ? std::optional(row.token()) : std::nullopt});
    }
    return out;
}

void write(const Forward& forward, proto::Header& header) {
    auto& out = *header.mutable_forward();
    out.set_batch_id(forward.batch_id);
    out.set_width(forward.width);
    out.set_format(static_cast<uint32_t>(forward.format));
    write(forward.rows, *out.mutable_rows());
}

Result<Message> read(const proto::Forward& in, ByteView payload, const Limits& limits) {
    TT_TRY(auto rows, read_rows(in.rows(), limits));
    TT_CHECK(check_count("width", in.width(), limits.width_max));
    if (in.width() == 0) return malformed("width: have 0, need at least 1");
    // At most 2^12 x 2^16 x 4 with any sensible limits; u64 holds u32 x u32 x 4 anyway.
    TT_TRY(const auto format, read_format(in.format()));
    const uint64_t need = uint64_t{rows.size()} * row_bytes(format, in.width());
    if (payload.size() != need) {
        return malformed("activations: have " + std::to_string(payload.size()) + " bytes, need " +
                         std::to_string(need));
    }
    return Message(Forward{.batch_id = in.batch_id(),
                           .rows = std::move(rows),
                           .width = in.width(),
                           .activations = Bytes(payload.begin(), payload.end()),
                           .format = format});
}

void write(const Replay& replay, proto::Header& header) {
    auto& out = *header.mutable_replay();
    out.set_batch_id(replay.batch_id);
    write(replay.rows, *out.mutable_rows());
}

Result<Message> read(const proto::Replay& in, const Limits& limits) {
    TT_TRY(auto rows, read_rows(in.rows(), limits));
    for (const ForwardRow& row : rows) {
        if (row.request != rows.front().request || row.epoch != rows.front().epoch)
            return malformed("replay: rows of two requests");
    }
    return Message(Replay{in.batch_id(), std::move(rows)});
}

void write(const Tokens& tokens, proto::Header& header) {
    auto& out = *header.mutable_tokens();
    out.set_batch_id(tokens.batch_id);
    for (const TokenRow& row : tokens.rows) {
        auto& to = *out.add_rows();
        to.set_request(to_proto(row.request.bytes));
        to.set_epoch(row.epoch);
        to.set_position(row.position);
        to.set_token(row.token);
        to.set_logprobs(row.logprobs ? static_cast<uint32_t>(1 + row.logprobs->top.size()) : 0);
        to.set_embedding(static_cast<uint32_t>(row.embedding.size()));
    }
}

Result<float> read_logprob(ByteReader& payload) {
    TT_TRY(const auto bits, payload.read_u32());
    const auto value = std::bit_cast<float>(bits);
    if (!(value <= 0.0F)) return malformed("logprob: need a number, 0 at most");
    return value;
}

Result<TokenLogprobs> read_logprobs(ByteReader& payload, uint32_t top_count) {
    TT_CHECK(check_count("top_logprobs", top_count, top_logprobs_max));
    if (payload.remaining() < 4 + size_t{8} * top_count) return malformed("logprobs cut short");
    TokenLogprobs logprobs;
    TT_TRY(logprobs.chosen, read_logprob(payload));
    for (uint32_t i = 0; i < top_count; ++i) {
        TT_TRY(const auto token, payload.read_u32());
        TT_TRY(const auto logprob, read_logprob(payload));
        logprobs.top.push_back({token, logprob});
    }
    return logprobs;
}

Result<std::vector<float>> read_embedding(ByteReader& payload, uint32_t count,
                                          const Limits& limits) {
    TT_CHECK(check_count("embedding", count, limits.width_max));
    if (payload.remaining() < size_t{4} * count) return malformed("embedding cut short");
    std::vector<float> out;
    out.reserve(count);
    for (uint32_t i = 0; i < count; ++i) {
        TT_TRY(const auto bits, payload.read_u32());
        out.push_back(std::bit_cast<float>(bits));
        if (!std::isfinite(out.back())) return malformed("embedding: need numbers");
    }
    return out;
}

Result<Message> read(const proto::Tokens& in, ByteView payload, const Limits& limits) {
    TT_CHECK(check_count("rows", static_cast<uint64_t>(in.rows_size()), limits.rows_max));
    Tokens tokens{.batch_id = in.batch_id()};
    ByteReader reader(payload);
    for (const auto& row : in.rows()) {
        TokenRow& to = tokens.rows.emplace_back();
        TT_TRY(to.request, request_from_proto(row.request()));
        to.epoch = row.epoch();
        to.position = row.position();
        to.token = row.token();
        if (row.logprobs() > 0) {
            TT_TRY(to.logprobs, read_logprobs(reader, row.logprobs() - 1));
        }
        TT_TRY(to.embedding, read_embedding(reader, row.embedding(), limits));
    }
    if (!reader.at_end())
        return malformed("tokens: " + std::to_string(reader.remaining()) + " bytes too many");
    return Message(std::move(tokens));
}

void write(const Close& close, proto::Header& header) {
    auto& out = *header.mutable_close();
    for (const RequestId& request : close.requests) out.add_requests(to_proto(request.bytes));
}

Result<Message> read(const proto::Close& in, const Limits& limits) {
    TT_CHECK(
        check_count("requests", static_cast<uint64_t>(in.requests_size()), limits.requests_max));
    Close close;
    for (const auto& bytes : in.requests()) {
        TT_TRY(const auto request, request_from_proto(bytes));
        close.requests.push_back(request);
    }
    return Message(std::move(close));
}

void write(const Retain& retain, proto::Header& header) {
    auto& out = *header.mutable_retain();
    out.set_request(to_proto(retain.request.bytes));
    out.set_epoch(retain.epoch);
    out.set_parent(retain.span.parent);
    out.set_first(retain.span.first);
    out.set_page_begin(retain.span.page_begin);
    out.set_page_end(retain.span.page_end);
}

Result<Message> read(const proto::Retain& in, const Limits& limits) {
    TT_TRY(const auto request, request_from_proto(in.request()));
    TT_CHECK(check_count("pages", in.page_end(), limits.positions_max));
    const PrefixSpan span{in.parent(), in.first(), in.page_begin(), in.page_end()};
    if (span.page_begin >= span.page_end) return malformed("retain: no pages");
    if ((span.parent == 0) != (span.page_begin == 0))
        return malformed("retain: a parent and a page before the first go together");
    if (span.first == 0 || span.first > UINT64_MAX - span.page_count())
        return malformed("retain: ids out of range");
    return Message(Retain{request, in.epoch(), span});
}

void write(const Evict& evict, proto::Header& header) {
    auto& out = *header.mutable_evict();
    out.set_all(evict.all);
    for (const PrefixId prefix : evict.prefixes) out.add_prefixes(prefix);
}

Result<Message> read(const proto::Evict& in, const Limits& limits) {
    TT_CHECK(
        check_count("prefixes", static_cast<uint64_t>(in.prefixes_size()), limits.prefixes_max));
    if (in.all() == (in.prefixes_size() > 0)) return malformed("evict: need either all or some");
    return Message(Evict{in.all(), {in.prefixes().begin(), in.prefixes().end()}});
}

void write(const Failed& failed, proto::Header& header) {
    auto& out = *header.mutable_failed();
    out.set_request(to_proto(failed.request.bytes));
    out.set_epoch(failed.epoch);
    out.set_code(static_cast<uint32_t>(failed.code));
    out.set_layer_begin(failed.layer_begin);
}

Result<Message> read(const proto::Failed& in, const Limits& limits) {
    TT_TRY(const auto request, request_from_proto(in.request()));
    TT_TRY(const auto code, error_code_from_proto(in.code()));
    TT_CHECK(check_count("layer", in.layer_begin(), limits.layers_max));
    return Message(Failed{request, in.epoch(), code, in.layer_begin()});
}

Result<Message> read(const proto::Header& header, ByteView payload, const Limits& limits) {
    const auto kind = header.body_case();
    if (kind == proto::Header::kForward) return read(header.forward(), payload, limits);
    if (kind == proto::Header::kProbe) return read(header.probe(), payload, limits);
    if (kind == proto::Header::kTokens) return read(header.tokens(), payload, limits);
    if (kind == proto::Header::kRecord) return read(header.record(), payload, limits);
    if (kind == proto::Header::kQuote) return read(header.quote(), payload, limits);
    if (kind == proto::Header::kSignOff) return read(header.sign_off(), payload, limits);
    if (kind == proto::Header::BODY_NOT_SET)
        return fail(ErrorCode::version_unsupported, "frame: unknown kind of message");
    if (!payload.empty()) {
        return malformed("payload: have " + std::to_string(payload.size()) + " bytes, need 0");
    }
    if (kind == proto::Header::kOpen) return read(header.open(), limits);
    if (kind == proto::Header::kClose) return read(header.close(), limits);
    if (kind == proto::Header::kRetain) return read(header.retain(), limits);
    if (kind == proto::Header::kEvict) return read(header.evict(), limits);
    if (kind == proto::Header::kSign) return read(header.sign(), limits);
    if (kind == proto::Header::kAttest) return read(header.attest(), limits);
    if (kind == proto::Header::kLeave) return Message(Leave{});
    if (kind == proto::Header::kLost) return read(header.lost(), limits);
    if (kind == proto::Header::kAdverts) return read(header.adverts(), limits);
    if (kind == proto::Header::kReplay) return read(header.replay(), limits);
    if (kind == proto::Header::kSignedOff) return read(header.signed_off(), limits);
    return read(header.failed(), limits);
}

std::string encode_header(const Frame& frame) {
    proto::Header header;
    header.set_entry(to_proto(frame.route.entry));
    header.set_route(frame.route.number);
    std::visit([&](const auto& body) { write(body, header); }, frame.message);
    std::string bytes;
    TT_ASSERT(header.SerializeToString(&bytes));
    return bytes;
}

void append_payload(const TokenRow& row, ByteWriter& frame) {
    if (row.logprobs) {
        frame.u32(std::bit_cast<uint32_t>(row.logprobs->chosen));
        for (const TokenLogprob& top : row.logprobs->top) {
            frame.u32(top.token);
            frame.u32(std::bit_cast<uint32_t>(top.logprob));
        }
    }
    for (const float number : row.embedding) frame.u32(std::bit_cast<uint32_t>(number));
}

void append_payload(const Message& message, ByteWriter& frame) {
    if (const auto* forward = std::get_if<Forward>(&message)) {
        TT_ASSERT(forward->activations.size() == forward->rows.size() * forward->row_bytes());
        frame.bytes(forward->activations);
    } else if (const auto* tokens = std::get_if<Tokens>(&message)) {
        for (const TokenRow& row : tokens->rows) append_payload(row, frame);
    } else if (const auto* probe = std::get_if<Probe>(&message)) {
        for (const Hop& hop : probe->hops) {
            frame.bytes(hop.statement);
            frame.bytes(hop.quote);
        }
    } else if (const auto* record = std::get_if<Record>(&message)) {
        for (const Digest& leaf : record->output) frame.bytes(leaf);
    } else if (const auto* quote = std::get_if<Quote>(&message)) {
        frame.bytes(quote->quote);
    } else if (const auto* ask = std::get_if<SignOff>(&message)) {
        frame.bytes(ask->body);
    }
}

}  // namespace

Bytes encode(const Frame& frame) {
    ByteWriter out;
    out.u16(frame_version);
    out.length_prefixed(as_bytes(encode_header(frame)));
    append_payload(frame.message, out);
    return out.take();
}

Result<Frame> decode(ByteView frame, const Limits& limits) {
    if (frame.size() > limits.frame_bytes_max) {
        return fail(ErrorCode::frame_too_large, "frame: have " + std::to_string(frame.size()) +
                                                    " bytes, at most " +
                                                    std::to_string(limits.frame_bytes_max));
    }
    if (frame.size() < prefix_bytes) return malformed("frame shorter than its prefix");
    ByteReader reader(frame);
    TT_TRY(const auto version, reader.read_u16());
    if (version != frame_version) {
        return fail(ErrorCode::version_unsupported, "frame: have version " +
                                                        std::to_string(version) + ", need " +
                                                        std::to_string(frame_version));
    }
    TT_TRY(const auto header_length, reader.read_u32());
    TT_CHECK(check_count("header bytes", header_length, limits.header_bytes_max));
    auto header_bytes = reader.read_bytes(header_length);
    if (!header_bytes) return malformed("header: " + header_bytes.error().detail);
    proto::Header header;
    if (!header.ParseFromArray(header_bytes->data(), static_cast<int>(header_length))) {
        return malformed("header is not protobuf");
    }
    Frame out;
    TT_TRY(out.message, read(header, frame.subspan(reader.position()), limits));
    TT_TRY(out.route.entry, array_from_proto<20>("entry", header.entry()));
    out.route.number = header.route();
    // Protobuf lets one message be written in many ways; hashes and signatures need one.
    if (encode_header(out) != as_text(*header_bytes)) {
        return malformed("header is not in canonical form");
    }
    return out;
}

}  // namespace teetee::wire
