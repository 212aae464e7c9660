// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt_watch.hpp"

#include <array>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace teetee::cli {
namespace {

sigset_t interrupts() {
    sigset_t out;
    sigemptyset(&out);
    sigaddset(&out, SIGINT);
    return out;
}

/// Blocked, the signal waits for whoever reads it from the descriptor.
int open_signals() {
    const sigset_t set = interrupts();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    return ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void take_signals(int descriptor) {
    signalfd_siginfo taken{};
    while (::read(descriptor, &taken, sizeof taken) == sizeof taken) {
    }
}

}  // namespace

InterruptWatch::InterruptWatch()
    : signals_(open_signals()), end_(::eventfd(0, EFD_CLOEXEC)), thread_([this] {
          std::array<pollfd, 2> waited = {
              {{signals_.number(), POLLIN, 0}, {end_.number(), POLLIN, 0}}};
          while (waited[1].revents == 0) {
              // Cut short by another signal it is just asked again.
              if (::poll(waited.data(), waited.size(), -1) <= 0 || waited[0].revents == 0) continue;
              take_signals(signals_.number());
              stop_.request_stop();
          }
      }) {}

InterruptWatch::~InterruptWatch() {
    const uint64_t one = 1;
    static_cast<void>(!::write(end_.number(), &one, sizeof one));
    thread_.join();
    // One that comes now was meant for what has just ended.
    take_signals(signals_.number());
    const sigset_t set = interrupts();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace teetee::cli
