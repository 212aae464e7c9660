# SPDX-License-Identifier: Apache-2.0
"""Parts of bench/network.py: nodes, a wide-area network in namespaces, clients, and the measurements."""
