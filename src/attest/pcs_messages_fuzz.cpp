// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "attest/pcs_messages.hpp"
#include "base/assert.hpp"

// Up to seven parts with zero bytes between them: a header and a body of each answer.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace teetee;
    std::string_view rest = as_text({data, size});
    const auto part = [&rest] {
        const std::string_view out = rest.substr(0, rest.find('\0'));
        rest.remove_prefix(std::min(rest.size(), out.size() + 1));
        return std::string(out);
    };
    attest::PcsAnswers answers;
    answers.tcb_info.headers["tcb-info-issuer-chain"] = part();
    answers.tcb_info.body = part();
    answers.qe_identity.headers["sgx-enclave-identity-issuer-chain"] = part();
    answers.qe_identity.body = part();
    answers.pck_crl.headers["sgx-pck-crl-issuer-chain"] = part();
    answers.pck_crl.body = part();
    answers.root_crl.body = part();
    const auto collateral = attest::parse_pcs_answers(answers);
    TT_ASSERT(!collateral ||
              answers.tcb_info.body.find(collateral->tcb_info.body) != std::string::npos);
    return 0;
}
