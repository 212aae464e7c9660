// SPDX-License-Identifier: Apache-2.0
import { createClient, custom, type CustomTransport, http } from "viem";
import { fail, TeeTeeError } from "../base/error";

// One RPC endpoint can withhold, and alone it can also lie. Of several, what more than half of them
// say counts (as src/chain/rpc_panel.hpp has it).

interface Request {
  readonly method: string;
  readonly params?: unknown;
}

type Endpoint = (request: Request) => Promise<unknown>;

/** What an endpoint answered: a result, or the chain's own error, which is one as well. */
interface Said {
  readonly key: string;
  readonly result: unknown;
  readonly error: unknown;
}

const timeoutMs = 10_000;
const endpointsMax = 8;

/** Of a revert, which all honest endpoints answer with alike; undefined for trouble of an endpoint's. */
function revertDataOf(thrown: unknown): string | undefined {
  let at: unknown = thrown;
  for (let depth = 0; depth < 8 && typeof at === "object" && at !== null; depth++) {
    const { data, cause } = at as { data?: unknown; cause?: unknown };
    if (typeof data === "string" && data.startsWith("0x")) return data;
    at = cause;
  }
  return undefined;
}

async function ask(endpoint: Endpoint, request: Request): Promise<Said | undefined> {
  try {
    const result = await endpoint(request);
    return { key: JSON.stringify(result ?? null), result, error: undefined };
  } catch (error) {
    const data = revertDataOf(error);
    return data === undefined ? undefined : { key: `reverted ${data}`, result: undefined, error };
  }
}

/** Heads differ by a block or two without anybody lying: what more than half have reached. */
function headOf(answers: readonly Said[], need: number): Said | undefined {
  const numberOf = ({ result }: Said): bigint => {
    const block = result as { number?: unknown } | string | null;
    const number = typeof block === "string" ? block : block?.number;
    const isNumber = typeof number === "string" && /^0x[0-9a-f]{1,16}$/i.test(number);
    return isNumber ? BigInt(number) : -1n;
  };
  const heads = answers.filter((answer) => numberOf(answer) >= 0n);
  heads.sort((a, b) => (numberOf(a) < numberOf(b) ? 1 : -1));
  return heads[need - 1];
}

function isOfHead({ method, params }: Request): boolean {
  if (method === "eth_blockNumber") return true;
  return method === "eth_getBlockByNumber" && Array.isArray(params) && params[0] === "latest";
}

function agreed(answers: readonly Said[], need: number): Said | undefined {
  return answers.find(({ key }) => answers.filter((answer) => answer.key === key).length >= need);
}

/**
 * What more than half of the endpoints say. Errors: `rpc_unavailable` where too few answer;
 * `rpc_disagreement`; the chain's own.
 */
export async function askEndpoints(
  endpoints: readonly Endpoint[],
  request: Request,
): Promise<unknown> {
  const need = Math.floor(endpoints.length / 2) + 1;
  const asked = await Promise.all(endpoints.map((endpoint) => ask(endpoint, request)));
  const answers = asked.filter((answer) => answer !== undefined);
  if (answers.length < need) {
    const have = `${answers.length} of ${endpoints.length} endpoints`;
    fail("rpc_unavailable", `rpc: have answers of ${have}, need ${need}: try again`);
  }
  const said = isOfHead(request) ? headOf(answers, need) : agreed(answers, need);
  if (!said) {
    return fail("rpc_disagreement", `rpc: the endpoints differ, need ${need} that say the same`);
  }
  if (said.error !== undefined) throw said.error;
  return said.result;
}

/**
 * For reading the chain over several endpoints (`createClient({ transport: agreeingTransport(urls) })`);
 * wallets send transactions over their own. One endpoint is allowed, and believed. Error:
 * `invalid_argument` for none.
 */
export function agreeingTransport(urls: readonly string[]): CustomTransport {
  const chosen = [...new Set(urls)].slice(0, endpointsMax);
  if (chosen.length === 0) {
    throw new TeeTeeError("invalid_argument", "rpc: need the URL of an endpoint");
  }
  const endpoints = chosen.map((url): Endpoint => {
    const client = createClient({ transport: http(url, { retryCount: 0, timeout: timeoutMs }) });
    const request = client.request as Endpoint;
    return (asked) => request(asked);
  });
  const provider = { request: (request: Request) => askEndpoints(endpoints, request) };
  // An endpoint may be a block behind: asked again it says the same as the others.
  return custom(provider, { retryCount: 1, retryDelay: 500 });
}
