// SPDX-License-Identifier: Apache-2.0
#include "net/rest.hpp"

#include "net/loop.hpp"

namespace teetee::net {

void rest(Duration time) {
    Loop loop;
    const Timer timer = loop.call_after(time, [&loop] { loop.stop(); });
    loop.run();
}

}  // namespace teetee::net
