# SPDX-License-Identifier: Apache-2.0
"""What Hugging Face's apply_chat_template does with a template, by Python's Jinja; and a source of random templates."""
import datetime
import json
import random

from harness import Skipped

TIME = 1752148800


def environment():
    try:
        import jinja2
        from jinja2.ext import Extension, loopcontrols
        from jinja2.sandbox import ImmutableSandboxedEnvironment
    except ImportError:
        raise Skipped("python3-jinja2 is absent")

    class Generation(Extension):
        tags = {"generation"}

        def parse(self, parser):
            line = next(parser.stream).lineno
            body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
            return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

        def _body(self, caller):
            return caller()

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    clock = datetime.datetime.fromtimestamp(TIME, datetime.timezone.utc).replace(tzinfo=None)
    env.globals["strftime_now"] = clock.strftime
    return env


def render(env, source: str, context: dict):
    """The text, or None where Python raises."""
    try:
        return env.from_string(source).render(**context)
    except Exception:
        return None


CONTEXT = {
    "messages": [{"role": "system", "content": " Be brief. "}, {"role": "user", "content": "H\u00e9llo <b>\n'x' \U0001F600"},
                 {"role": "assistant", "content": None, "tool_calls": [{"name": "f", "arguments": {"a": 1, "b": [2.5, True]}}]}],
    "n": 7, "x": 2.5, "s": "a-b, c", "empty": "", "flag": True, "nothing": None, "nums": [3, 1, 2], "words": ["b", "A", "c"],
    "d": {"k": 1, "z": "y", "items": 5},
}


class Writer:
    """Writes random templates; most of them render, some fail in Python and must fail here too."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def text(self, depth: int) -> str:
        if depth <= 0:
            return self.pick("s", "empty", "'x'", "\"q'\\n\"", "messages[0].role", "messages[1]['content']", "nothing", "missing")
        value = self.text(depth - 1)
        return self.pick(
            f"{value} | {self.pick('upper', 'lower', 'title', 'capitalize', 'trim', 'string', 'e', 'tojson', 'indent(2)')}",
            f"({value} ~ {self.any(depth - 1)})", f"({value} + {self.text(depth - 1)})", f"{value} | replace('a', 'é')",
            f"({value})[{self.index()}:]", f"({value})[::{self.pick('-1', '2')}]", f"({value} | default('d', true))",
            f"({value} | string).{self.pick('strip()', 'upper()', 'title()', 'swapcase()', 'rstrip(chr)', 'zfill(6)')}",
            f"({value} | string).split({self.pick('', repr('a'), repr(', '))}) | join('/')", f"'%s|%5s' % ({value}, {self.number(0)})",
            f"({value} | string | center(9))", f"({value} if {self.condition(depth - 1)} else {self.text(depth - 1)})",
            f"({value} | truncate(5, true, '..', 0))", f"{value} | urlencode", f"({value} | string).partition('-')[2]")

    def index(self) -> str:
        return self.pick("0", "1", "-2", "n", "true", "none", "messages | length")

    def number(self, depth: int) -> str:
        if depth <= 0:
            return self.pick("0", "1", "-2", "n", "3.5", "x", "true", "1e3", "messages | length")
        a, b = self.number(depth - 1), self.number(depth - 1)
        return self.pick(f"({a} {self.pick('+', '-', '*', '/', '//', '%')} {b})", f"-{a}", f"({a} | abs)", f"({a} | round)",
                         f"({self.text(depth - 1)} | int)", f"({self.text(0)} | length)", f"(nums | {self.pick('sum', 'max', 'min', 'first')})",
                         f"({a} | round(1))", f"({self.text(0)} | float(1.5))", f"({self.text(depth - 1)} | string).find('a')", f"({self.text(0)} | wordcount)")

    def list(self, depth: int) -> str:
        if depth <= 0:
            return self.pick("nums", "words", "[1, 'a', none]", "range(4)", "[]", "messages", "d", "s")
        value = self.list(depth - 1)
        return self.pick(f"{value} | list", f"({value} | list)[{self.index()}:{self.index()}]", f"({value} | reverse | list)",
                         f"({value} | list + [{self.any(depth - 1)}])", f"({value} | sort)", f"({value} | unique | list)",
                         f"({value} | map('string') | list)", f"({value} | select({self.pick('', repr('string'), repr('defined'))}) | list)",
                         f"({value} | reject('none') | list)", f"(messages | map(attribute='role') | list)", f"(d | dictsort)",
                         f"(messages | selectattr('role', 'equalto', 'user') | list)", f"({value} | batch(2) | list)", "(d.items() | list)")

    def condition(self, depth: int) -> str:
        a, b = self.any(depth - 1), self.any(depth - 1)
        kind = self.pick("defined", "none", "string", "number", "mapping", "sequence", "iterable", "boolean", "true", "integer", "float", "undefined")
        return "(" + self.pick(f"{a} == {b}", f"{a} != {b}", f"{self.number(0)} < {self.number(0)}", f"{a} in {self.list(0)}", f"not {a}",
                         f"({a} and {b})", f"({a} or {b})", f"{a} is {self.pick('', 'not ')}{kind}", "flag", f"{self.number(0)} is odd", f"{a} not in {self.text(0)}") + ")"

    def any(self, depth: int) -> str:
        return self.pick(self.text, self.number, self.list, self.condition)(max(depth, 0))

    def body(self, depth: int) -> str:
        return "".join(self.statement(depth - 1) for _ in range(self.random.randint(1, 3)))

    def statement(self, depth: int) -> str:
        space, dash, end = self.pick("", " ", "\n", "\n  "), self.pick("", "", "-", "+"), self.pick("", "", "-")
        if depth <= 0:
            return space + self.pick("text ", "{{ " + self.any(2) + " }}", "{# note #}\n", "{{- " + self.text(1) + " -}}", "{% raw %}{{ }}{% endraw %}")
        tag = lambda code: "{%" + dash + " " + code + " " + end + "%}"
        inner = self.body(depth)
        name = self.pick("v", "w")
        return space + self.pick(
            tag(f"if {self.condition(1)}") + inner + tag("else") + self.body(depth) + tag("endif"),
            tag(f"for m in {self.list(1)}") + inner + "{{ loop.index }}{{ m }}" + tag("endfor"),
            tag(f"for m in {self.list(0)} if {self.condition(0)}") + inner + tag("else") + "none" + tag("endfor"),
            tag(f"for m in {self.list(0)}") + tag(f"if loop.index == {self.pick('2', '3')}") + tag(self.pick("break", "continue")) + tag("endif") + inner + tag("endfor"),
            tag(f"set {name} = {self.any(2)}") + "{{ " + name + " }}" + inner,
            tag(f"set {name}") + inner + tag("endset") + "{{ " + name + " | trim }}",
            tag(f"macro f(a, b={self.any(0)})") + "{{ a }}{{ b }}" + inner + tag("endmacro") + "{{ f(" + self.any(1) + ") }}",
            tag("filter upper") + inner + tag("endfilter"), tag("generation") + inner + tag("endgeneration"),
            tag(f"set ns = namespace(c={self.any(0)})") + tag("for i in nums") + tag(f"set ns.c = ns.c ~ {self.any(0)}") + tag("endfor") + "{{ ns.c }}",
            tag(f"with v = {self.any(1)}") + inner + tag("endwith"))
