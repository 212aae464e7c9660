# SPDX-License-Identifier: Apache-2.0
"""Whether JSON fits a schema: the keywords that src/api/openapi.json uses, and none beside them."""
import re

KNOWN = {"type", "properties", "required", "items", "enum", "const", "anyOf", "$ref", "additionalProperties", "minimum", "maximum",
         "minItems", "maxItems", "pattern", "description"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def type_fits(value, name: str) -> bool:
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def misfits(value, schema: dict, document: dict, place: str = "$"):
    """Yields what does not fit, and where."""
    if unknown := set(schema) - KNOWN:
        yield f"{place}: schema has {unknown}"
        return
    if "$ref" in schema:
        target = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        yield from misfits(value, target, document, place)
        return
    if "type" in schema and not type_fits(value, schema["type"]):
        yield f"{place}: {value!r} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{place}: {value!r} is not {schema['const']!r}"
    if "anyOf" in schema and all(list(misfits(value, one, document, place)) for one in schema["anyOf"]):
        yield f"{place}: {value!r} fits none of the alternatives"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place}: {value!r} is not as {schema['pattern']}"
    if isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{place}: {value!r} is out of range"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{place}: has {len(value)} items"
        for index, item in enumerate(value):
            yield from misfits(item, schema.get("items", {}), document, f"{place}[{index}]")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place}: has no {name}"
        for name, item in value.items():
            if name in schema.get("properties", {}):
                yield from misfits(item, schema["properties"][name], document, f"{place}.{name}")
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from misfits(item, schema["additionalProperties"], document, f"{place}.{name}")
