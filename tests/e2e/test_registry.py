# SPDX-License-Identifier: Apache-2.0
"""Nodes that find each other by a file that operators keep."""
import json
import os

from harness import wait_until

ASK = {"prompt": "Once upon a time", "max_tokens": 40, "seed": 3}


def test_a_node_that_comes_into_the_registry_is_used(teetee):
    network = teetee.network(2)
    registry = teetee.folder / "registry.json"

    def put(text):
        (teetee.folder / "registry.new").write_text(text)
        os.replace(teetee.folder / "registry.new", registry)

    def start(index, *extra):
        arguments = network.arguments(index)
        at = arguments.index("--next")
        return teetee.start(*arguments[:at], *arguments[at + 2:], *extra)

    put("[")
    code, _, err = teetee.run(*network.arguments(0), "--registry", registry)
    assert code == 2 and str(registry) in err, (code, err)
    put("[]")
    entry = start(0, "--registry", registry)
    newcomer = start(1)
    for node in (entry, newcomer):
        wait_until(lambda: "serving layers" in node.text(), 20, "both have started")
    assert not network.http.ready()
    put(json.dumps([{"url": f"tls://127.0.0.1:{network.port + 2 + index}"} for index in range(2)]))
    wait_until(network.http.ready, 20, "the newcomer is linked")
    assert network.http.post("/generate", ASK)[0] == 200
    assert "the registry lists 2 nodes" in entry.text()
