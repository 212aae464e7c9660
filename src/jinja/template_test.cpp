// SPDX-License-Identifier: Apache-2.0
#include "jinja/template.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace teetee::jinja {
namespace {

Result<std::string> rendered(std::string_view source, std::string_view context = "{}",
                             RenderLimits limits = {}) {
    TT_TRY(const auto parsed, Template::parse(source));
    Inputs inputs;
    inputs.context = boost::json::parse(context).as_object();
    inputs.now = 1752148800;  // 2025-07-10 12:00 UTC
    inputs.limits = limits;
    TT_TRY(auto text, parsed.render(inputs));
    return std::move(text.bytes);
}

struct Vector {
    std::string_view source, expected;
};

void expect_all(std::initializer_list<Vector> vectors, std::string_view context = "{}") {
    for (const Vector& vector : vectors) {
        const auto text = rendered(vector.source, context);
        ASSERT_TRUE(text) << vector.source << ": " << text.error().message();
        EXPECT_EQ(*text, vector.expected) << vector.source;
    }
}

void expect_error(std::string_view source, ErrorCode code, std::string_view context = "{}") {
    const auto text = rendered(source, context);
    ASSERT_FALSE(text) << source << " gives " << *text;
    EXPECT_EQ(text.error().code, code) << source << ": " << text.error().message();
}

TEST(jinja, trims_blocks_as_hugging_face_does) {
    expect_all({
        {"a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc"},
        {"  {%- if true -%}  \n x \n {%- endif -%} \n", "x"},
        {"  {{ 1 }}\n", "  1"},
        {" {%+ if true +%}\nx{% endif %}", " \nx"},
        {"a {#- gone -#} b", "ab"},
        {"a\n {# gone #}\nb", "a\nb"},
        {"{% raw %}{{ x }}{% endraw %}", "{{ x }}"},
        {"a\r\nb\r\n", "a\nb"},
    });
}

TEST(jinja, computes_as_python_does) {
    expect_all({
        {"{{ 7 // -2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }}", "-4 2 3.5 1024 0.5"},
        {"{{ 1e16 }} {{ 1e15 }} {{ 0.1 }} {{ 1e-5 }} {{ 3.0 }}",
         "1e+16 1000000000000000.0 0.1 1e-05 3.0"},
        {"{{ 'a' < 'b' < 'c' }} {{ 1 == 1.0 }} {{ [1, 2] < [1, 3] }}", "True True True"},
        {"{{ none or 'x' }} {{ 0 and 1 }} {{ not [] }}", "x 0 True"},
        {"{{ [1, 'a\\'b', none, true, 1.5, (1,), {'k': 2}] }}",
         "[1, \"a'b\", None, True, 1.5, (1,), {'k': 2}]"},
        {"{{ 'abcdef'[1:-1:2] }} {{ [1, 2, 3][::-1] }} {{ 'äöü'[1] }}", "bd [3, 2, 1] ö"},
        {"{{ '%s-%03d-%.2f%%' % ('a', 7, 1.5) }}", "a-007-1.50%"},
        {"{{ 'a' if false }}{{ missing }}{{ missing.x is defined if missing else 'no' }}", "no"},
        {"{{ range(5) | list }} {{ range(5, 0, -2) | list }} {{ range(3) }}",
         "[0, 1, 2, 3, 4] [5, 3, 1] range(0, 3)"},
        {"{{ '\\n\\x7f\\u00e9' | list }}", "['\\n', '\\x7f', 'é']"},
    });
}

TEST(jinja, keeps_variables_in_their_blocks) {
    expect_all({
        {"{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}", "1"},
        {"{% set n = namespace(x=1) %}{% for i in [1] %}{% set n.x = 2 %}{% endfor %}{{ n.x }}",
         "2"},
        {"{% if true %}{% set x = 1 %}{% endif %}{{ x }}", "1"},
        {"{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}", "3False"},
        {"{% macro m() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ m() }}", "5"},
        {"{% for x in [1] %}{{ m is defined }}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% "
         "endfor %}",
         "False1"},
        {"{% set a, b = (1, 2) %}{{ a }}{{ b }}", "12"},
        {"{% set t | upper %}a{{ 1 }}{% endset %}{{ t }}", "A1"},
    });
}

TEST(jinja, loops_filter_recurse_break_and_know_their_place) {
    expect_all({
        {"{% for x in [1,2,3,4] if x is even %}{{ loop.index }}:{{ x }}{{ ',' if not loop.last "
         "}}{% endfor %}",
         "1:2,2:4"},
        {"{% for x in [1,2,3] %}{% if x == 2 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "13"},
        {"{% for x in [1,2,3] %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}", "1"},
        {"{% for x in [] %}{% else %}none{% endfor %}", "none"},
        {"{% for x in [1,[2,[3]]] recursive %}{{ loop(x) if x is sequence else x }}{% endfor %}",
         "123"},
        {"{% for x in 'abc' %}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.revindex }}{% endfor "
         "%}",
         "b3ac2b1"},
        {"{% for x in [1,2,3] %}{{ loop.cycle('a', 'b') }}{{ loop.changed(x > 1) }}{% endfor %}",
         "aTruebTrueaFalse"},
        {"{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}", "a1"},
    });
}

TEST(jinja, macros_take_arguments_and_callers) {
    expect_all({
        {"{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, b=3) }}", "1213"},
        {"{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, x=2) }}", "(1,){'x': 2}"},
        {"{% macro m() %}[{{ caller(1) }}]{% endmacro %}{% call(x) m() %}{{ x }}!{% endcall %}",
         "[1!]"},
        {"{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}",
         "3210"},
        {"{% filter upper | trim %} a{{ 'b' }} {% endfilter %}", "AB"},
        {"{% generation %}{% set x = 1 %}{{ x }}{% endgeneration %}{{ x is defined }}", "1False"},
    });
    expect_error("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", ErrorCode::template_failed);
    expect_error("{% macro m(a) %}{% endmacro %}{{ m(b=2) }}", ErrorCode::template_failed);
}

TEST(jinja, filters_and_tests) {
    expect_all({
        {"{{ 'a b-c' | title }} {{ 'aBC' | capitalize }} {{ ' x ' | trim }}|", "A B-C Abc x|"},
        {"{{ [3, 1, 2] | sort | join(',') }} {{ ['b', 'A'] | sort }} {{ {'b': 1, 'a': 2} | "
         "dictsort }}",
         "1,2,3 ['A', 'b'] [('a', 2), ('b', 1)]"},
        {"{{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 7 | round }} {{ 1.2 | "
         "round(0, 'ceil') }}",
         "2.0 4.0 2.67 7 2.0"},
        {"{{ '0x1f' | int(base=16) }} {{ ' 1_000 ' | int }} {{ '3.9' | int }} {{ 'x' | int(-1) }} "
         "{{ '1e3' | float }}",
         "31 1000 3 -1 1000.0"},
        {"{{ 'a\nb\n\nc' | indent }}|{{ 'a\nb' | indent(2, true) }}", "a\n    b\n\n    c|  a\n  b"},
        {"{{ [1, 2, 3, 4, 5] | batch(2) | list }}", "[[1, 2], [3, 4], [5]]"},
        {"{{ [{'k': 1, 'v': 'a'}, {'k': 2, 'v': 'b'}, {'k': 1, 'v': 'c'}] | groupby('k') | list }}",
         "[(1, [{'k': 1, 'v': 'a'}, {'k': 1, 'v': 'c'}]), (2, [{'k': 2, 'v': 'b'}])]"},
        {"{{ ['a', 'A', 'b'] | unique | list }} {{ [1, 2] | sum }} {{ [2, 3] | max }}",
         "['a', 'b'] 3 3"},
        {"{% set g = [1, 0] | select %}{{ g | list }}{{ g | list }}{{ 1 if [] | select }}",
         "[1][]1"},
        {"{{ 'x' | default('y') }}{{ none | default('y') }}{{ '' | d('z', true) }}", "xNonez"},
        {"{{ '<a&\"' | e }} {{ 'a b/c' | urlencode }}", "&lt;a&amp;&#34; a%20b/c"},
        {"{{ 1 is number }} {{ true is integer }} {{ 'a' is sequence }} {{ {} is mapping }} {{ x "
         "is none }}",
         "True False True True False"},
        {"{{ [1] is not string and 2 is in [2] }} {{ 4 is divisibleby 2 }}", "True True"},
    });
}

TEST(jinja, writes_json_as_pythons_dumps) {
    constexpr std::string_view context =
        R"({"x": {"a": [1, 2.0, null, true], "é": "\"\\\n\u0001<\u007f", "e": {}, "l": []}})";
    expect_all(
        {
            {"{{ x | tojson }}",
             "{\"a\": [1, 2.0, null, true], \"é\": \"\\\"\\\\\\n\\u0001<\x7f\", \"e\": {}, \"l\": "
             "[]}"},
            {"{{ x.a | tojson(indent=2) }}", "[\n  1,\n  2.0,\n  null,\n  true\n]"},
            {"{{ x['é'] | tojson(ensure_ascii=true) }}", "\"\\\"\\\\\\n\\u0001<\\u007f\""},
            {"{{ {'b': 1, 'a': '😀'} | tojson(separators=(',', ':'), sort_keys=true, "
             "ensure_ascii=true) }}",
             "{\"a\":\"\\ud83d\\ude00\",\"b\":1}"},
        },
        context);
    expect_error("{{ missing | tojson }}", ErrorCode::template_failed);
}

TEST(jinja, string_methods) {
    expect_all({
        {"{{ 'a,b,c'.split(',', 1) }} {{ ' a  b '.split() }} {{ ' a  b  c '.rsplit(None, 1) }}",
         "['a', 'b,c'] ['a', 'b'] [' a  b', 'c']"},
        {"{{ 'xxabcxx'.strip('x') }} {{ 'abc'.startswith(('x', 'a')) }} {{ 'abc'.endswith('c') }}",
         "abc True True"},
        {"{{ 'abab'.replace('a', 'x', 1) }} {{ 'ab'.replace('', '-') }} {{ 'äb'.find('b') }}",
         "xbab -a-b- 1"},
        {"{{ 'a\r\nb\n'.splitlines() }} {{ 'a=b=c'.partition('=') }} {{ '7'.zfill(3) }}",
         "['a', 'b'] ('a', '=', 'b=c') 007"},
        {"{{ 'straße'.upper() }} {{ \"they're\".title() }} {{ '-'.join(['a', 'b']) }}",
         "STRASSE They'Re a-b"},
        {"{{ {'get': 1}.get('get') }} {{ {'items': 1}['items'] }} {{ {'items': 1}.items is "
         "callable }}",
         "1 1 True"},
    });
}

TEST(jinja, the_clock_is_given) {
    expect_all({{"{{ strftime_now('%Y-%m-%d %H:%M') }}", "2025-07-10 12:00"},
                {"{{ strftime_now('') }}", ""}});
}

TEST(jinja, refuses_what_python_refuses) {
    for (const std::string_view source :
         {"{{ missing.x }}", "{{ missing() }}", "{{ 1 + 'a' }}", "{{ 1 / 0 }}", "{{ 'a' < 1 }}",
          "{{ [1].append(2) }}", "{{ {}.update({}) }}", "{{ 1 in 5 }}",
          "{% for x in 1 %}{% endfor %}", "{% set a, b = [1] %}", "{% set x.y = 1 %}",
          "{{ {[1]: 2} }}", "{{ 'a' | nothing }}", "{{ 1 is nothing }}", "{{ 'a'.split('') }}",
          "{{ raise_exception('no') }}", "{{ [1] | join(1, 2, 3) }}", "{{ range(1, 2, 0) }}",
          "{{ range(100001) }}"}) {
        expect_error(source, ErrorCode::template_failed);
    }
}

TEST(jinja, refuses_malformed_templates_naming_the_line) {
    for (const std::string_view source : {"{{",
                                          "{{ 1",
                                          "{% if %}",
                                          "{% if 1 %}",
                                          "{% endif %}",
                                          "{% for x %}{% endfor %}",
                                          "{{ 'a }}",
                                          "{# x",
                                          "{% raw %}",
                                          "{{ (1 }}",
                                          "{{ ] }}",
                                          "{{ 1 1 }}",
                                          "{{ a. }}",
                                          "{{ a | }}",
                                          "{{ x is }}",
                                          "{% break %}",
                                          "{% macro %}{% endmacro %}",
                                          "{% call 1 %}{% endcall %}",
                                          "{% unknown %}",
                                          "{{ f(a=1, 2) }}",
                                          "{% set 1 = 2 %}",
                                          "{{ '\\ud800' }}",
                                          "{{ 99999999999999999999 }}",
                                          "{{ $ }}"}) {
        expect_error(source, ErrorCode::template_malformed);
    }
    const auto parsed = Template::parse("a\n\n{{ ] }}");
    ASSERT_FALSE(parsed);
    EXPECT_TRUE(parsed.error().detail.starts_with("line 3: ")) << parsed.error().detail;
    expect_error("{% include 'x' %}", ErrorCode::template_unsupported);
    expect_error("\xff", ErrorCode::invalid_utf8);
}

TEST(jinja, searches_from_both_sides_as_python_does) {
    expect_all({
        {"{{ 'aXaaX'.split('aX') }} {{ 'aaa'.split('aa') }} {{ 'aaa'.rsplit('aa') }}",
         "['', 'a', ''] ['', 'a'] ['a', '']"},
        {"{{ 'a-b-c'.split('-', 1) }} {{ 'a-b-c'.rsplit('-', 1) }} {{ 'a'.split('-', 0) }}",
         "['a', 'b-c'] ['a-b', 'c'] ['a']"},
        {"{{ 'a-b-c'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'a'.rpartition('-') }}",
         "('a', '-', 'b-c') ('a-b', '-', 'c') ('', '', 'a')"},
        {"{{ 'äbäb'.find('b') }} {{ 'äbäb'.rfind('b') }} {{ 'ab'.rfind('') }} {{ ''.find('') }}",
         "1 3 2 0"},
        {"{{ 'äb'.count('') }} {{ 'aaaa'.count('aa') }} {{ ''.count('') }}", "3 2 1"},
        {"{{ 'äb'.replace('', '-') }} {{ 'äb'.replace('', '-', 2) }} {{ 'aa'.replace('a', 'b', 0) "
         "}}",
         "-ä-b- -ä-b aa"},
        {"{{ '' in 'a' }} {{ 'b' in 'a' }} {{ 'ab' in 'cab' }}", "True False True"},
    });
}

// Work of text times part would take hours here.
TEST(jinja, searches_in_its_stride) {
    const std::string_view set =
        "{% set m = ('a' * 1000) * 1000 %}{% set t = m * 4 %}{% set p = m + 'b' + m %}";
    for (const std::string_view use :
         {"{{ p in t }}", "{{ t.find(p) > 0 }}", "{{ t.rfind(p) > 0 }}", "{{ t.count(p) > 0 }}",
          "{{ t.split(p) | length > 1 }}", "{{ t.rsplit(p) | length > 1 }}",
          "{{ t.partition(p)[1] == p }}", "{{ t.replace(p, '') != t }}"}) {
        const auto text = rendered(std::string(set) + std::string(use));
        ASSERT_TRUE(text) << use << ": " << text.error().message();
        EXPECT_EQ(*text, "False") << use;
    }
}

TEST(jinja, a_hostile_template_ends_soon_and_small) {
    const std::string deep_lists = std::string(200, '[') + std::string(200, ']');
    std::string deep_ifs, chain = "1";
    for (int i = 0; i < 200; ++i) deep_ifs += "{% if 1 %}";
    for (int i = 0; i < 1000; ++i) chain += "+1";
    std::string nots, signs;
    for (int i = 0; i < 100'000; ++i) nots += "not ", signs += "-";
    for (const std::string& source :
         {"{{ " + deep_lists + " }}",
          deep_ifs,
          "{{ " + chain + " }}",
          "{{ " + nots + "1 }}",
          "{{ " + signs + "1 }}",
          std::string("{{ 'x' * 1000000000 }}"),
          std::string("{{ [1] * 1000000000 }}"),
          std::string("{{ 'x' | center(1000000) }}"),
          std::string("{{ '%1000000d' % 1 }}"),
          std::string("{{ 9223372036854775807 + 1 }}"),
          std::string("{{ 9 ** 99 }}"),
          std::string("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
          std::string(
              "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
          std::string("{% for a in range(99999) %}{{ 'x' * 999 }}{% endfor %}"),
          std::string("{% set n = namespace(x='x') %}{% for a in range(99) %}{% set n.x = n.x + "
                      "n.x %}{% endfor %}"),
          std::string("{% set n = namespace(x=[]) %}{% for a in range(999) %}{% set n.x = [n.x] "
                      "%}{% endfor %}{{ n.x }}"),
          std::string("{% set n = namespace() %}{% set n.x = [n] %}{{ n }}"),
          std::string("{% set n = namespace(x=[1]) %}{% for a in range(90) %}{% set n.x = [n.x, "
                      "n.x] %}{% endfor %}{{ n.x }}"),
          std::string("{% set k = (range(9999),) * 9999 %}{{ {(k,) * 9999: 1} }}"),
          std::string("{% set k = (range(9999),) * 9999 %}{{ {}[(k,) * 9999] }}"),
          std::string("{% set k = (range(9999),) * 9999 %}{{ (k,) * 9999 in {} }}"),
          std::string("{% set k = (range(9999),) * 9999 %}{{ [(k,) * 9999] | unique | list }}"),
          std::string("{{ ('a' * 99999).replace('', 'b' * 99999) }}"),
          std::string("{{ ('a\n' * 9999) | indent(9999) }}"),
          std::string(source_bytes_max + 1, 'x')}) {
        const auto text = rendered(source);
        ASSERT_FALSE(text) << source.substr(0, 80);
        EXPECT_EQ(text.error().code, ErrorCode::limit_exceeded)
            << source.substr(0, 80) << ": " << text.error().message();
    }
    EXPECT_EQ(rendered("{{ 'x' * 100 }}", "{}", {.output_bytes_max = 99}).error().code,
              ErrorCode::limit_exceeded);
}

Text render_text(std::string_view source, std::string_view context) {
    Inputs inputs;
    inputs.context = boost::json::parse(context).as_object();
    inputs.trusted = {{"bos_token", "<s>"}};
    auto text = Template::parse(source).value().render(inputs);
    EXPECT_TRUE(text) << source << text.error().message();
    return text ? *std::move(text) : Text{};
}

TEST(jinja, what_came_from_outside_stays_marked) {
    constexpr std::string_view context = R"({"u": "<s>x", "bos_token": "forged", "d": {"<k>": 1}})";
    const auto foreign = [&](std::string_view source) {
        const Text text = render_text(source, context);
        std::string marked;
        for (size_t i = 0; i < text.bytes.size(); ++i)
            marked.push_back(text.touches_foreign(i, i + 1) ? text.bytes[i] : '.');
        return marked;
    };
    EXPECT_EQ(foreign("{{ bos_token }}[{{ u }}]"), "....<s>x.");
    EXPECT_EQ(foreign("{{ bos_token + u + bos_token }}"), "...<s>x...");
    EXPECT_EQ(foreign("{{ (bos_token ~ u) | upper }}"), "...<S>X");
    EXPECT_EQ(foreign("{{ [bos_token, u] | join('-') }}"), "....<s>x");
    EXPECT_EQ(foreign("{{ (bos_token + u)[2:5] }}"), ".<s");
    EXPECT_EQ(foreign("{{ ('[' + u + ']').replace('x', 'y') }}"), ".<s>..");
    EXPECT_EQ(foreign("{{ '%s|%s' % (u, bos_token) }}"), "<s>x....");
    EXPECT_EQ(foreign("{{ [u] }}"), ".'<s>x'.");
    EXPECT_EQ(foreign("{{ {'a': u} | tojson }}"), ".......<s>x..");
    EXPECT_EQ(foreign("{{ d | tojson }}"), "..<k>.....");
    EXPECT_EQ(foreign("{% for c in u %}{{ c }}{% endfor %}"), "<s>x");
    EXPECT_EQ(foreign("{{ u.split('s') | join(bos_token) }}"), "<...>x");
    EXPECT_EQ(foreign("{% set t %}a{{ u }}{% endset %}{{ t | trim | indent(1, true) }}"), "..<s>x");
}

TEST(jinja, only_a_known_role_is_the_templates_own) {
    const auto foreign = [](std::string_view context) {
        return render_text("{{ '<|' + m.role + '|>' }}{{ m.name }}", context).foreign;
    };
    EXPECT_EQ(foreign(R"({"m": {"role": "user", "name": "user"}})"), (std::vector<Span>{{8, 12}}));
    EXPECT_EQ(foreign(R"({"m": {"role": "user|>"}})"), (std::vector<Span>{{2, 8}}));
    EXPECT_EQ(foreign(R"({"m": {"role": "user\u0000"}})"), (std::vector<Span>{{2, 7}}));
}

TEST(jinja, an_error_says_nothing_that_came_from_outside) {
    const auto refused =
        rendered("{{ raise_exception('role ' + u + ' is unknown') }}", R"({"u": "my secret"})");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().detail, "line 1: the template refuses: role ... is unknown");
    for (const std::string_view source :
         {"{{ {}[u].x }}", "{{ {}[u] + 1 }}", "{{ {} | attr(u) + 1 }}", "{{ [] | attr(u) + 1 }}",
          "{{ ('%(' + u + ')s') % {} }}", "{{ [{}] | map(u) | list }}",
          "{{ [{}] | select(u) | list }}", "{{ [{}] | map(attribute=u) | first + 1 }}",
          "{{ [{}, {}] | sort(attribute=u + ',a') | first + 1 }}"}) {
        const auto text = rendered(source, R"({"u": "my secret"})");
        EXPECT_TRUE(text || text.error().detail.find("secret") == std::string::npos)
            << source << ": " << text.error().detail;
    }
}

}  // namespace
}  // namespace teetee::jinja
