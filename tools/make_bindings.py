#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the C++ of a contract's interface: calls, events, errors, with their selectors and topics.

usage: make_bindings.py ABI.json NAME OUT_FOLDER     (writes OUT_FOLDER/name.hpp and name.cpp)

ABI.json is what the Solidity compiler gives, or an artifact with it under "abi". NAME is the contract's; its
C++ namespace is teetee::chain::name. Integers of up to 64 bits are uint64_t or int64_t, longer unsigned ones U256;
arrays of any kind are vectors. What has no form here (overloaded functions, longer signed integers, fixed point
numbers, anonymous events) is refused, not left out.
"""
import json
import pathlib
import re
import sys

KEYWORDS = set("""alignas alignof and asm auto bool break case catch char class concept const continue default delete do
double else enum explicit export extern false float for friend goto if inline int long mutable namespace new not nullptr
operator or private protected public register requires return short signed sizeof static struct switch template this
throw true try typedef typename union unsigned using virtual void volatile while xor selector topic signature encode
decode""".split())
MASK = (1 << 64) - 1


def keccak256(data: bytes) -> bytes:
    """Keccak as Ethereum has it: hashlib's SHA-3 pads differently."""
    rate = 136
    padded = bytearray(data) + b"\1" + bytes(-(len(data) + 1) % rate)
    padded[-1] |= 0x80
    state = [0] * 25
    for start in range(0, len(padded), rate):
        for i in range(rate // 8):
            state[i] ^= int.from_bytes(padded[start + 8 * i:start + 8 * i + 8], "little")
        state = permute(state)
    return b"".join(word.to_bytes(8, "little") for word in state[:4])


def rotate(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & MASK if by else word


def permute(state: list[int]) -> list[int]:
    """Keccak-f[1600] (FIPS 202, section 3); state[x + 5 y] is its lane (x, y)."""
    register = 1
    for _ in range(24):
        parity = [state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20] for x in range(5)]
        state = [state[i] ^ parity[(i + 4) % 5] ^ rotate(parity[(i + 1) % 5], 1) for i in range(25)]
        moved = [0] * 25
        moved[0] = state[0]
        x, y = 1, 0
        for step in range(24):
            at = x + 5 * y
            x, y = y, (2 * x + 3 * y) % 5
            moved[x + 5 * y] = rotate(state[at], (step + 1) * (step + 2) // 2 % 64)
        state = [moved[i] ^ (~moved[i - i % 5 + (i + 1) % 5] & moved[i - i % 5 + (i + 2) % 5]) for i in range(25)]
        for bit in range(7):
            if register & 1:
                state[0] ^= 1 << ((1 << bit) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
    return state


def refuse(what: str):
    sys.exit(f"make_bindings: {what}")


def snake(name: str) -> str:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip("_")).lower()
    return name + "_" if name in KEYWORDS else name


def pascal(name: str) -> str:
    name = name.strip("_")
    if name.isupper():
        return "".join(part.capitalize() for part in name.split("_"))
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def byte_list(data: bytes) -> str:
    return "{" + ", ".join(f"0x{byte:02x}" for byte in data) + "}"


def canonical(parameter: dict) -> str:
    kind = parameter["type"]
    if kind.startswith("tuple"):
        return "(" + ",".join(canonical(part) for part in parameter["components"]) + ")" + kind[len("tuple"):]
    return kind


class Bindings:
    def __init__(self, abi: list, name: str):
        self.abi, self.name, self.space = abi, name, snake(name)
        self.structs: dict[str, list] = {}
        self.header, self.source, self.errors = [], [], []

    def cpp_type(self, parameter: dict) -> str:
        kind = parameter["type"]
        base, arrays = re.match(r"(\w+)((?:\[\d*\])*)$", kind).groups()
        if base == "tuple":
            out = self.struct(parameter)
        elif base in ("bool", "string", "bytes", "address"):
            out = {"bool": "bool", "string": "std::string", "bytes": "Bytes", "address": "Address"}[base]
        elif match := re.match(r"(u?)int(\d+)$", base):
            if int(match[2]) > 64 and not match[1]:
                refuse(f"{kind}: signed integers of more than 64 bits have no form here")
            out = "U256" if int(match[2]) > 64 else "uint64_t" if match[1] else "int64_t"
        elif match := re.match(r"bytes(\d+)$", base):
            out = f"ByteArray<{match[1]}>"
        else:
            refuse(f"{kind}: not known")
        for _ in range(arrays.count("[")):
            out = f"std::vector<{out}>"
        return out

    def struct(self, parameter: dict) -> str:
        match = re.match(r"struct (?:\w+\.)?(\w+)", parameter.get("internalType", ""))
        if not match:
            refuse(f"{parameter['name']}: a tuple that is no struct")
        name, fields = pascal(match[1]), self.fields(parameter["components"])
        shape = [(kind, field, canonical(part)) for (kind, field), part in zip(fields, parameter["components"])]
        if self.structs.setdefault(name, shape) != shape:
            refuse(f"{name}: two structs of that name")
        if not any(line.startswith(f"struct {name} ") for line in self.header):
            self.header += [f"struct {name} {{", *self.members(fields), "",
                            "    AbiValue to_abi() const;", f"    static {name} from_abi(const AbiValue& value);",
                            f"    bool operator==(const {name}&) const = default;", "};", ""]
            self.source += [f"AbiValue {name}::to_abi() const {{", f"    return {self.values(fields)};", "}", "",
                            f"{name} {name}::from_abi(const AbiValue& value) {{", f"    {name} out;",
                            *self.takes(fields, "out.", "value.elements()"), "    return out;", "}", ""]
        return name

    def fields(self, parameters: list) -> list[tuple[str, str]]:
        out = []
        for index, parameter in enumerate(parameters):
            alone = "value" if len(parameters) == 1 else f"value{index}"
            name = snake(parameter["name"]) or alone
            if name in (field for _, field in out):
                refuse(f"{name}: two fields of that name")
            out.append((self.cpp_type(parameter), name))
        return out

    @staticmethod
    def members(fields) -> list[str]:
        return [f"    {kind} {name}{{}};" for kind, name in fields]

    @staticmethod
    def values(fields) -> str:
        return "std::vector<AbiValue>{" + ", ".join(f"chain::to_abi({name})" for _, name in fields) + "}"

    @staticmethod
    def takes(fields, prefix: str, values: str) -> list[str]:
        return [f"    chain::from_abi({values}[{index}], {prefix}{name});" for index, (_, name) in enumerate(fields)]

    @staticmethod
    def types(parameters: list) -> str:
        names = ", ".join(f'"{canonical(parameter)}"' for parameter in parameters)
        return f"    static const std::vector<AbiType> types = abi_types({{{names}}});"

    def decoder(self, result: str, head: str, types: list, decoding: str, fields) -> list[str]:
        lines = [f"{head} {{", *types]
        lines += [f"    TT_TRY(const std::vector<AbiValue> values, {decoding});" if fields else f"    TT_CHECK({decoding});"]
        return lines + [f"    {result} out;", *self.takes(fields, "out.", "values"), "    return out;", "}", ""]

    def function(self, entry: dict):
        name, signature = pascal(entry["name"]) + "Call", self.signature(entry)
        fields, results = self.fields(entry["inputs"]), self.fields(entry["outputs"])
        selector = keccak256(signature.encode())[:4]
        self.header += [f"/// {signature}", f"struct {name} {{", f'    static constexpr std::string_view signature = "{signature}";',
                        f"    static constexpr Selector selector = {byte_list(selector)};", *self.members(fields), "",
                        "    Result<Bytes> encode() const;", f"    static Result<{name}> decode(ByteView data);"]
        if results:
            self.header += ["", "    struct Reply {", *("    " + line for line in self.members(results)), "    };",
                            "    static Result<Reply> decode_reply(ByteView data);"]
        self.header += ["};", ""]
        types = [self.types(entry["inputs"])]
        self.source += [f"Result<Bytes> {name}::encode() const {{", *types,
                        f"    return encode_call(selector, types, {self.values(fields)});", "}", ""]
        self.source += self.decoder(name, f"Result<{name}> {name}::decode(ByteView data)", types,
                                    "decode_call(selector, types, data)", fields)
        if results:
            self.source += self.decoder("Reply", f"Result<{name}::Reply> {name}::decode_reply(ByteView data)",
                                        [self.types(entry["outputs"])], "decode_abi(types, data)", results)

    def constructor(self, entry: dict):
        fields = self.fields(entry["inputs"])
        self.header += ["/// What follows the code in the data of the transaction that deploys the contract.",
                        "struct ConstructorArguments {", *self.members(fields), "", "    Result<Bytes> encode() const;", "};", ""]
        self.source += ["Result<Bytes> ConstructorArguments::encode() const {", self.types(entry["inputs"]),
                        f"    return encode_abi(types, {self.values(fields)});", "}", ""]

    def event(self, entry: dict):
        if entry.get("anonymous"):
            refuse(f"{entry['name']}: anonymous events have no form here")
        name, signature = pascal(entry["name"]) + "Event", self.signature(entry)
        # Of what does not fit a word, a topic holds the hash alone.
        hashed = lambda part: part["indexed"] and re.match(r"bytes$|string|tuple|.*\]$", part["type"])
        fields = self.fields([{**part, "type": "bytes32"} if hashed(part) else part for part in entry["inputs"]])
        self.header += [f"/// {signature}", f"struct {name} {{", f'    static constexpr std::string_view signature = "{signature}";',
                        f"    static constexpr Digest topic = {byte_list(keccak256(signature.encode()))};",
                        *self.members(fields), "", f"    static Result<{name}> decode(const EventData& log);",
                        "    Result<EncodedEvent> encode() const;", f"    bool operator==(const {name}&) const = default;", "};", ""]
        parts = ", ".join(f'{{abi_types({{"{canonical(part)}"}})[0], {str(part["indexed"]).lower()}}}'
                          for part in entry["inputs"])
        shape = f"    static const AbiEvent event = {{.topic = topic, .fields = {{{parts}}}}};"
        self.source += self.decoder(name, f"Result<{name}> {name}::decode(const EventData& log)", [shape],
                                    "decode_event(event, log)", fields)
        self.source += [f"Result<EncodedEvent> {name}::encode() const {{", shape,
                        f"    return encode_event(event, {self.values(fields)});", "}", ""]

    def error(self, entry: dict):
        name, signature = pascal(entry["name"]) + "Error", self.signature(entry)
        fields, selector = self.fields(entry["inputs"]), keccak256(signature.encode())[:4]
        self.header += [f"/// {signature}", f"struct {name} {{", f'    static constexpr std::string_view signature = "{signature}";',
                        f"    static constexpr Selector selector = {byte_list(selector)};", *self.members(fields), "",
                        f"    static Result<{name}> decode(ByteView data);", "};", ""]
        self.source += self.decoder(name, f"Result<{name}> {name}::decode(ByteView data)", [self.types(entry["inputs"])],
                                    "decode_call(selector, types, data)", fields)
        names = ", ".join(f'"{canonical(parameter)}"' for parameter in entry["inputs"])
        self.errors.append(f'{{.name = "{entry["name"]}", .selector = {name}::selector, .types = abi_types({{{names}}})}}')

    @staticmethod
    def signature(entry: dict) -> str:
        return f"{entry['name']}({','.join(canonical(part) for part in entry['inputs'])})"

    def write(self, folder: pathlib.Path):
        makers = {"function": self.function, "constructor": self.constructor, "event": self.event, "error": self.error}
        seen = set()
        for entry in self.abi:
            if entry["type"] in ("receive", "fallback"):
                continue
            key = (entry["type"], pascal(entry.get("name", "")))
            if key in seen:
                refuse(f"{entry['name']}: two of that name")
            seen.add(key)
            makers[entry["type"]](entry)
        note = "// SPDX-License-Identifier: Apache-2.0\n// Written by tools/make_bindings.py; changes here are lost."
        begin, end = f"namespace teetee::chain::{self.space} {{", f"}}  // namespace teetee::chain::{self.space}"
        header = [note, "#pragma once", "", "#include <span>", "#include <string>", "#include <string_view>", "#include <vector>",
                  "", '#include "chain/abi_contract.hpp"', "", begin, "", *self.header,
                  "/// The errors that the contract declares, for describe_revert.", "std::span<const AbiError> errors();",
                  "", end, ""]
        source = [note, f'#include "chain/bindings/{self.space}.hpp"', "", '#include "chain/abi_convert.hpp"', "", begin, "",
                  *self.source, "std::span<const AbiError> errors() {",
                  "    static const std::vector<AbiError> all = {", *(f"        {error}," for error in self.errors), "    };",
                  "    return all;", "}", "", end, ""]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.space}.hpp").write_text("\n".join(header))
        (folder / f"{self.space}.cpp").write_text("\n".join(source))


def main():
    path, name, folder = sys.argv[1:]
    abi = json.loads(pathlib.Path(path).read_text())
    Bindings(abi["abi"] if isinstance(abi, dict) else abi, name).write(pathlib.Path(folder))


if __name__ == "__main__":
    main()
