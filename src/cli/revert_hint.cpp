// SPDX-License-Identifier: Apache-2.0
#include "cli/revert_hint.hpp"

#include <iterator>
#include <string_view>

namespace teetee::cli {
namespace {

struct Hint {
    std::string_view name;
    std::string_view text;
};

// Of contracts/src; numbers in parentheses are what the caller has, then what is needed.
constexpr Hint hints[] = {
    {"InsufficientCredits", "credits lack: teetee credits buy"},
    {"NotYours", "this wallet (the first address) may not do it, the second one may"},
    {"UnknownPool", "there is no such pool: teetee pool list"},
    {"PoolIsClosed", "the pool takes no new nodes or vouchers any more"},
    {"UnknownNode", "there is no such node: teetee pool show POOL"},
    {"NodeHasLeft",
     "a node that left does not come back: start it with a new --state folder and register it"},
    {"KeyInUse",
     "the node is registered already: teetee renew; or, if it runs other code now, start it with "
     "a new --state folder"},
    {"TooManyNodes", "let one of this wallet's nodes in the pool leave: teetee leave"},
    {"MeasurementUnknown",
     "the pool does not accept this code; its creator can: teetee pool measurement accept"},
    {"MeasurementIsRevoked", "the pool's creator has revoked this code"},
    {"MeasurementChanged",
     "the node runs other code than it was registered with: start it with a new --state folder "
     "and register that one (docs/nodes.md)"},
    {"MeasurementKnown", "the pool accepts it already, or has revoked it for good"},
    {"UnknownSlot", "the pool has fewer slots: teetee pool show"},
    {"TooEarly", "not yet: have the first time, need the second one (Unix seconds)"},
    {"TooLate", "too late: have the first time, need the second one at most (Unix seconds)"},
    {"ZeroAmount", "there is nothing to pay"},
    {"WrongSigner", "the receipt key has signed something else"},
    {"NotAContract", "--verifier is no contract on this chain"},
    {"UnknownVoucher", "this voucher was not opened: teetee voucher open"},
};

}  // namespace

size_t hint_count() {
    return std::size(hints);
}

Error with_hint(Error error) {
    if (error.code != ErrorCode::call_reverted) return error;
    const std::string_view detail = error.detail;
    const std::string_view name = detail.substr(0, detail.find('('));
    for (const Hint& hint : hints) {
        if (name != hint.name) continue;
        error.detail += ": " + std::string(hint.text);
        break;
    }
    return error;
}

}  // namespace teetee::cli
