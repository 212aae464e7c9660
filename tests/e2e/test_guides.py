# SPDX-License-Identifier: Apache-2.0
"""The guides do what they say: their commands are run, in their order."""
from chain import ANVIL
from guides import Guide, blocks_of
from harness import ROOT, Skipped


def run(teetee, name: str):
    if not ANVIL.exists():
        raise Skipped("no anvil: make contracts")
    Guide(teetee, name).run()


def test_the_user_guide(teetee):
    run(teetee, "user-guide.md")


def test_the_host_guide(teetee):
    run(teetee, "host-guide.md")


def test_the_operator_guide(teetee):
    run(teetee, "operator-guide.md")


def test_the_api_reference(teetee):
    Guide(teetee, "api.md").run()


def test_the_runner_sees_what_is_wrong(teetee):
    cases = {
        "```sh\nfalse\n```\n": "ended with 1",
        "<!-- shows: b -->\n```sh\necho a\n```\n": "did not show 'b'",
        "<!-- fails: 1 -->\n```sh\ntrue\n```\n": "ended with 0",
        "```sh\ntrue\n```\n```sh elsewhere\nteetee node --no-such-flag\n```\n": "no such command or flag",
        "```sh\nfalse | true\n```\n": "ended with 1",
        "<!-- shows: up -->\n```sh background\nsh -c 'echo down'\n```\n": "did not show 'up'",
    }
    guide = Guide(teetee, "user-guide.md")
    for text, why in cases.items():
        guide.blocks = blocks_of(text)
        try:
            guide.run()
        except AssertionError as error:
            assert why in str(error), error
        else:
            raise AssertionError(f"nothing was wrong with {text}")
    guide.blocks = blocks_of("```sh\nA=1\n```\ntext\n<!-- shows: 1 -->\n```sh\necho $A\n```\n")
    guide.run()
