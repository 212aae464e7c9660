// SPDX-License-Identifier: Apache-2.0
#include "sim/deceit.hpp"

#include "wire/codec.hpp"

namespace teetee::sim {
namespace {

void note_requests(const wire::Message& message, Lies& lies) {
    const auto note_rows = [&](const auto& rows) {
        for (const auto& row : rows) lies.requests.insert(row.request);
    };
    if (const auto* forward = std::get_if<wire::Forward>(&message)) note_rows(forward->rows);
    if (const auto* tokens = std::get_if<wire::Tokens>(&message)) note_rows(tokens->rows);
    if (const auto* open = std::get_if<wire::Open>(&message)) lies.requests.insert(open->request);
}

bool is_spared(const wire::Message& message) {
    return std::holds_alternative<wire::Retain>(message) ||
           std::holds_alternative<wire::Evict>(message) ||
           std::holds_alternative<wire::Probe>(message);
}

}  // namespace

Bytes garbled(const Bytes& frame, const wire::NodeId& liar, Random& random, Lies& lies) {
    Bytes out = frame;
    out[random.below(out.size())] ^= static_cast<uint8_t>(1u << random.below(8));
    const auto honest = wire::decode(frame, {});
    const auto changed = wire::decode(out, {});
    if (!honest || is_spared(honest->message)) return frame;
    if (changed && is_spared(changed->message)) return frame;
    lies.nodes.insert(liar);
    note_requests(honest->message, lies);
    if (changed) note_requests(changed->message, lies);
    return out;
}

}  // namespace teetee::sim
