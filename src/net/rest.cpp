// SPDX-License-Identifier: Apache-2.0
#include "net/rest.hpp"

#include <condition_variable>
#include <mutex>

#include "net/loop.hpp"

namespace teetee::net {

void rest(Duration time) {
    Loop loop;
    const Timer timer = loop.call_after(time, [&loop] { loop.stop(); });
    loop.run();
}

void wait_for(Duration time, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace teetee::net
