// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>

#include "base/assert.hpp"
#include "crypto/hash.hpp"
#include "pipeline/stage.hpp"
#include "wire/codec.hpp"

using namespace teetee;
using namespace teetee::pipeline;

namespace {

constexpr wire::NodeId entry{1};
constexpr wire::NodeId own{2};
constexpr wire::NodeId tail{3};
constexpr wire::RouteId route{entry, 1};

RequestId request_of(uint8_t number) {
    RequestId id;
    id.bytes[0] = static_cast<uint8_t>(number % 4);
    return id;
}

std::shared_ptr<const attest::RecordSigner> signer() {
    static const crypto::SecpKey key = crypto::SecpKey::from_bytes(ByteArray<32>{1}).value();
    static const auto kept = std::make_shared<attest::RecordSigner>(key, attest::Statement{});
    return kept;
}

/// Mostly f32, so that most rows fit their sequences.
ActivationFormat format_of(uint8_t choice) {
    return choice < 192 ? ActivationFormat::f32 : static_cast<ActivationFormat>(choice % 3);
}

/// A message about few sequences, pages and positions, so that they meet.
wire::Message message_of(ByteView choice) {
    const RequestId request = request_of(choice[1]);
    const auto epoch = static_cast<Epoch>(choice[1] / 128);
    const PrefixId prefix = choice[2] % 16;
    const uint32_t page = choice[3] % 8;
    const uint32_t end = choice[4] % 16;
    switch (choice[0] % 13) {
        case 0:
            return wire::Open{request, epoch, {.activations = format_of(choice[5])},
                              4 * end, 0,     {prefix, 4 * page}};
        case 1:
            return wire::Retain{request, epoch, {choice[5] % 16u, prefix, page, end}};
        case 2:
            return choice[5] % 8 == 0 ? wire::Evict{true, {}} : wire::Evict{false, {prefix}};
        case 3:
            return wire::Close{{request}};
        case 4:
            return wire::Sign{request, epoch, end};
        case 5:
            return wire::Record{.request = request,
                                .layers = {choice[2] % 3u, choice[3] % 4u},
                                .output = std::vector<Digest>(end)};
        case 6:
            return wire::Attest{
                request, {choice[2]}, {crypto::sha256(Bytes{static_cast<uint8_t>(choice[3] % 4)})}};
        case 7:
            return wire::Quote{.request = request,
                               .layers = {choice[2] % 3u, choice[3] % 4u},
                               .quote = Bytes(end)};
        case 8: {
            wire::Open open{.request = request,
                            .epoch = epoch,
                            .positions_max = 4 * end,
                            .resumed_positions = choice[2] % 8u};
            for (uint8_t i = 0; i <= choice[3] % 3; ++i)
                open.resumes.push_back(static_cast<wire::Resume>((choice[4] >> (2 * i)) % 3));
            return open;
        }
        case 9: {
            wire::Replay replay{.batch_id = 1};
            for (Position p = page; p < page + end; ++p)
                replay.rows.push_back({request, epoch, p, false});
            return replay;
        }
        case 10:
            return wire::SignOff{choice[1], choice[2] % 2 == 0 ? own : tail, Bytes(1 + end)};
        case 11:
            return wire::SignedOff{.ask = choice[1], .node = {choice[2]}};
        default: {
            wire::Forward forward{.batch_id = 1, .width = 1, .format = format_of(choice[3])};
            if (choice[5] % 4 == 0) forward.rows.push_back({request_of(choice[2]), 0, 4, false});
            for (Position p = 4 * page; p < 4 * page + end; ++p)
                forward.rows.push_back({request, epoch, p, false});
            forward.activations.resize(forward.rows.size() * forward.row_bytes());
            return forward;
        }
    }
}

/// The job's own bytes decide what the TEE makes of it.
void answer(Stage& stage, const QuoteJob& job, Effects& effects) {
    QuoteResult result{job.request, Bytes(job.report_data[0] % 4)};
    if (job.report_data[1] % 4 == 0) result.quote = fail(ErrorCode::overloaded, "");
    effects.sends.clear();
    stage.on_quoted({}, std::move(result), effects);
    TT_ASSERT(effects.sends.size() == 1);
    const auto sent = wire::decode(wire::encode(effects.sends[0].frame), {});
    TT_ASSERT(sent && std::holds_alternative<wire::Quote>(sent->message));
}

/// Likewise its owner.
void answer(Stage& stage, const SignOffJob& job, Effects& effects) {
    SignOffResult result{job.id, crypto::RecoverableSignature{}};
    if (job.body.size() % 2 == 0) result.signature = fail(ErrorCode::settlement_rejected, "");
    effects.sends.clear();
    stage.on_signed_off({}, std::move(result), effects);
    TT_ASSERT(effects.sends.size() == 1);
    const auto sent = wire::decode(wire::encode(effects.sends[0].frame), {});
    TT_ASSERT(sent && std::holds_alternative<wire::SignedOff>(sent->message));
}

/// What is opened on the next stage can be read there.
void check_opens(const Effects& effects) {
    for (const Send& send : effects.sends) {
        const bool is_open = std::holds_alternative<wire::Open>(send.frame.message);
        TT_ASSERT(!is_open || wire::decode(wire::encode(send.frame), {}));
    }
}

}  // namespace

/// Whatever an entry asks of a stage about pages, records and quotes, in any order: nothing breaks,
/// the account never exceeds the memory, each order of a quote or a signature is answered, and when
/// all is closed and evicted nothing is left.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Stage stage({.node_id = own,
                 .engine = {.layers = {1, 2},
                            .layer_count = 3,
                            .width = 1,
                            .rows_max = 64,
                            .sequences_max = 3,
                            .sequence_positions_max = 60,
                            .positions_max = 96,
                            .block_positions = 4},
                 .replay_bytes_max = 40,
                 .signer = signer()});
    Effects effects;
    const auto receive = [&](wire::Message message) {
        // As it would come over a link: what the codec refuses never reaches a stage.
        auto decoded = wire::decode(wire::encode({route, std::move(message)}), {});
        if (!decoded) return;
        stage.on_frame({}, entry, std::move(decoded).value(), effects);
        check_opens(effects);
        for (const QuoteJob& job : std::exchange(effects.quotes, {})) answer(stage, job, effects);
        for (const SignOffJob& job : std::exchange(effects.sign_offs, {}))
            answer(stage, job, effects);
        while (!effects.jobs.empty()) {
            const ComputeJob job = std::move(effects.jobs.front());
            effects = {};
            stage.on_computed({}, {.batch_id = job.batch_id, .activations = job.activations},
                              effects);
        }
        TT_ASSERT(stage.kv_free().positions <= 96);
    };
    stage.set_evidence({0}, {});
    stage.set_evidence({1}, {});
    stage.on_link_up({}, entry, effects);
    stage.on_link_up({}, tail, effects);
    const wire::Probe first_probe{.path = {entry, own, tail},
                                  .hops = {{.node_id = entry, .layers = {0, 1}}}};
    receive(first_probe);
    for (size_t at = 0; at + 6 <= size; at += 6) {
        receive(message_of({data + at, 6}));
        if (data[at + 5] % 32 != 31) continue;
        // The route ends, and its sequences are parked.
        receive(wire::Leave{});
        receive(first_probe);
    }
    for (uint8_t i = 0; i < 4; ++i) receive(wire::Close{{request_of(i)}});
    receive(wire::Evict{true, {}});
    TT_ASSERT(stage.sequence_count() == 0 && stage.parked_count() == 0);
    TT_ASSERT(stage.kv_free().positions == 96);
    return 0;
}
