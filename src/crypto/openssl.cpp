// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl.hpp"

#include <openssl/err.h>

namespace teetee::crypto {

Error openssl_fail(ErrorCode code, std::string detail) {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    if (reason != nullptr) detail.append(" (").append(reason).append(")");
    ERR_clear_error();
    return fail(code, std::move(detail));
}

}  // namespace teetee::crypto
