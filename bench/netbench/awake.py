# SPDX-License-Identifier: Apache-2.0
"""Keeps the machine's cores from idling, at the lowest priority there is.

A virtual machine's core that idles is given up to the hypervisor. Until it has it again, and its caches and clock are
what they were, some milliseconds of computation pass more slowly. One stream over two shards leaves each core idle for
half of the time; one process never does.
"""
import contextlib
import os
import subprocess
import sys

SPIN = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\n" \
       "os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\nwhile os.getppid() == int(sys.argv[2]): pass"


@contextlib.contextmanager
def cores_awake():
    spinners = [subprocess.Popen([sys.executable, "-c", SPIN, str(core), str(os.getpid())])
                for core in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()
