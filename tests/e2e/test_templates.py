# SPDX-License-Identifier: Apache-2.0
"""`teetee template`, against Python's Jinja set up as Hugging Face sets it up."""
import json

import jinja_reference
from harness import Skipped, shared

RANDOM_TEMPLATES = 300

# Published templates whose text is another than Python's, with the reason.
EXCEPTIONS = {
    "meetkai-functionary-medium-v3.1.jinja": "after `|safe` Python escapes what is added, so that JSON comes out as &#34;; here `safe` changes nothing",
}


def render(teetee, source: str, context: dict):
    """The text, or None where the template is refused."""
    path = teetee.folder / "t.jinja"
    path.write_bytes(source.encode())
    code, out, err = teetee.run("template", "--file", path, "--time", jinja_reference.TIME, "--json", stdin=json.dumps(context))
    assert code in (0, 1), (source, code, err)
    return json.loads(out)["text"] if code == 0 else None


def test_template_prints_exactly_the_text(teetee):
    path = teetee.folder / "t.jinja"
    path.write_text("{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}")
    code, out, err = teetee.run("template", "--file", path, stdin='{"messages":[{"role":"user","content":"h\u00e9"}]}')
    assert (code, out) == (0, "[user] h\u00e9\n"), (out, err)


def test_template_exit_codes(teetee):
    path = teetee.folder / "t.jinja"
    for source, stdin, expected, name in (("{{ x", "{}", 1, "template_malformed"), ("{{ raise_exception('no') }}", "{}", 1, "template_failed"),
                                          ("{% include 'x' %}", "{}", 1, "template_unsupported"), ("x", "[]", 1, "invalid_json"),
                                          ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "{}", 1, "limit_exceeded")):
        path.write_text(source)
        code, out, err = teetee.run("template", "--file", path, "--json", stdin=stdin)
        assert code == expected and json.loads(out)["error"]["code"] == name, (source, code, out, err)
    assert teetee.run("template", stdin="{}")[0] == 2
    assert teetee.run("template", "--file", teetee.folder / "absent.jinja", stdin="{}")[0] == 3


def test_random_templates_render_as_in_python(teetee):
    env = jinja_reference.environment()
    rendered = 0
    for seed in range(RANDOM_TEMPLATES):
        source = jinja_reference.Writer(seed).body(3)
        expected = jinja_reference.render(env, source, jinja_reference.CONTEXT)
        have = render(teetee, source, jinja_reference.CONTEXT)
        assert have == expected, (seed, source, have, expected)
        rendered += expected is not None
    assert rendered > RANDOM_TEMPLATES // 4, rendered


def test_published_templates_render_as_in_python(teetee):
    env = jinja_reference.environment()
    tool = {"type": "function", "function": {"name": "get", "description": "Gets.", "parameters": {
        "type": "object", "properties": {"city": {"type": "string", "description": "A city."}}, "required": ["city"]}}}
    call = {"id": "call00001", "type": "function", "function": {"name": "get", "arguments": {"city": "Paris \u00e9"}}}
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    contexts = [{"messages": chat, "add_generation_prompt": True}, {"messages": chat[1:], "add_generation_prompt": True},
                {"messages": chat + [{"role": "assistant", "content": "<think>hm</think>Hi"}, {"role": "user", "content": "Again "}]},
                {"messages": chat[1:] + [{"role": "assistant", "content": "", "tool_calls": [call]},
                                         {"role": "tool", "name": "get", "tool_call_id": "call00001", "content": "20"}],
                 "tools": [tool], "add_generation_prompt": True}]
    count, unequal = 0, set()
    for path in sorted(shared("data/templates").rglob("*.jinja")):
        source = path.read_text()
        for context in contexts:
            context = dict(context, bos_token="<s>", eos_token="</s>")
            expected = jinja_reference.render(env, source, context)
            if expected is not None:
                have = render(teetee, source, context)
                if have != expected:
                    assert path.name in EXCEPTIONS, (path.name, have, expected)
                    unequal.add(path.name)
                count += 1
    if count == 0:
        raise Skipped("no templates found")
    assert unequal == set(EXCEPTIONS), (unequal, "an exception that no longer is one")
