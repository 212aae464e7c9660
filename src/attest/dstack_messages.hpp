// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

namespace teetee::attest {

// What dstack's guest agent is asked and answers: JSON over HTTP on a unix socket (dstack 0.5 and
// later, sdk/curl/api.md). The agent before 0.4.2, "tappd", has other names for the same; both are
// codecs here, without I/O.

enum class DstackApi {
    /// /var/run/dstack.sock
    current,
    /// /var/run/tappd.sock
    legacy,
};

struct DstackRequest {
    /// What is POSTed to, and the JSON object that is.
    std::string path;
    std::string body;
};

/// A quote over exactly these bytes, not over a hash of them.
DstackRequest dstack_quote_request(DstackApi api, const ByteArray<64>& report_data);
/// The quote in the answer. Error: evidence_unavailable.
Result<Bytes> parse_dstack_quote(std::string_view json);

/// The app's key for a purpose, the same after every restart.
DstackRequest dstack_key_request(DstackApi api, std::string_view purpose);
/// A key of this program's own, made of the one in the answer: the agent may give that one to
/// others who ask for the same path. Error: evidence_unavailable.
Result<crypto::Secret<32>> parse_dstack_key(DstackApi api, std::string_view json,
                                            std::string_view purpose);

/// The "error" of an answer that reports one, made safe to quote.
std::string dstack_error(std::string_view json);

}  // namespace teetee::attest
