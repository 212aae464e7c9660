// SPDX-License-Identifier: Apache-2.0
// ABI encoding of a constructor's arguments, after the compiler's description of them.

const WORD = 32;

/// `values`: one for each input; of a tuple an object with its members' names. As hex without 0x.
export function encodeConstructor(abi, values) {
  const inputs = abi.find((entry) => entry.type === "constructor")?.inputs ?? [];
  if (inputs.length !== values.length) {
    throw new Error(`constructor: have ${values.length} arguments, need ${inputs.length}`);
  }
  return sequence(inputs, values).toString("hex");
}

/// Heads in order, and behind them what is of no fixed length.
function sequence(inputs, values) {
  const parts = inputs.map((input, i) => ({ dynamic: isDynamic(input), bytes: encode(input, values[i]) }));
  let tailAt = parts.reduce((sum, part) => sum + (part.dynamic ? WORD : part.bytes.length), 0);
  const heads = [];
  const tails = [];
  for (const { dynamic, bytes } of parts) {
    heads.push(dynamic ? word(BigInt(tailAt)) : bytes);
    if (!dynamic) continue;
    tails.push(bytes);
    tailAt += bytes.length;
  }
  return Buffer.concat([...heads, ...tails]);
}

function isDynamic({ type, components }) {
  return type.endsWith("[]") || (type === "tuple" && components.some(isDynamic));
}

function encode(input, value) {
  const { type, name, components } = input;
  if (type === "tuple") return sequence(components, components.map((member) => value[member.name]));
  if (type.endsWith("[]")) {
    const element = { ...input, type: type.slice(0, -2) };
    const inputs = Array(value.length).fill(element);
    return Buffer.concat([word(BigInt(value.length)), sequence(inputs, value)]);
  }
  if (type === "address" || type === "bytes32") {
    const bytes = type === "address" ? 20 : 32;
    if (!new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`).test(value)) {
      throw new Error(`${name}: have ${value}, need 0x and ${bytes} bytes in hex`);
    }
    return word(BigInt(value));
  }
  const bits = Number(/^uint(\d+)$/.exec(type)?.[1]);
  const number = typeof value === "bigint" || Number.isSafeInteger(value) ? BigInt(value) : -1n;
  if (!bits) throw new Error(`${name}: the type ${type} is not known here`);
  if (number < 0n || number >> BigInt(bits) !== 0n) throw new Error(`${name}: have ${value}, need a ${type}`);
  return word(number);
}

function word(value) {
  return Buffer.from(value.toString(16).padStart(2 * WORD, "0"), "hex");
}
