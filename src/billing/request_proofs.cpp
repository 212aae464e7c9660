// SPDX-License-Identifier: Apache-2.0
#include "billing/request_proofs.hpp"

namespace teetee::billing {

Result<void> RequestProofs::check(const Request& request, const RequestProof& proof,
                                  UnixSeconds now) {
    const Digest digest = chain::request_digest(request.deployment, request.terms);
    const auto signer = crypto::recover_address(digest, proof.signature);
    if (!signer || *signer != request.session_key || proof.time_ms != request.terms.time_ms) {
        return fail(ErrorCode::signature_invalid,
                    "the request is not signed by the voucher's session key, for this entry and "
                    "this body");
    }
    const auto sent_at = static_cast<UnixSeconds>(proof.time_ms / 1000);
    if (sent_at < now - time_off_s_max || sent_at > now + time_off_s_max) {
        return fail(ErrorCode::signature_invalid, "the request was signed at " +
                                                      std::to_string(sent_at) + ", here it is " +
                                                      std::to_string(now));
    }
    for (; !by_arrival_.empty() && by_arrival_.front().forget_at < now; by_arrival_.pop_front())
        seen_.erase(by_arrival_.front().request);
    if (seen_.contains(digest))
        return fail(ErrorCode::payment_in_use, "this very request was made before");
    if (seen_.size() >= remembered_max_)
        return fail(ErrorCode::overloaded, "too many paid requests in a short time");
    return {};
}

void RequestProofs::remember(const Request& request, UnixSeconds now) {
    const Digest digest = chain::request_digest(request.deployment, request.terms);
    // One from the future is valid for twice as long.
    if (seen_.insert(digest).second) by_arrival_.push_back({now + 2 * time_off_s_max, digest});
}

}  // namespace teetee::billing
