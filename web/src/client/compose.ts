// SPDX-License-Identifier: Apache-2.0
import { sha256, toHex, utf8 } from "../base/bytes";
import { fail } from "../base/error";
import { quoteForeign } from "./fields";

// The compose file of a node, to the byte as src/cli/compose_file.cpp writes it: a TD measures the
// text, so one that says the same in other bytes is other code. Pool, slot, chain and names come by
// variables, which are not measured.

export const composePorts = { status: 5001, api: 5002, apiTls: 5003, links: 5010 } as const;

/** As the program reads it, and as whoever deploys sets it. */
type Variable = readonly [program: string, name: string];

const chainVariables: readonly Variable[] = [
  ["TEETEE_RPC", "TEETEE_RPC"],
  ["TEETEE_CONTRACT", "TEETEE_CONTRACT"],
  ["TEETEE_CHAIN_ID", "TEETEE_CHAIN_ID"],
  ["TEETEE_FROM_BLOCK", "TEETEE_FROM_BLOCK"],
  ["TEETEE_POOL", "TEETEE_POOL"],
  ["TEETEE_SLOT", "TEETEE_SLOT"],
];

const fetchVariables: readonly Variable[] = [
  ["TEETEE_HOST_FROM", "TEETEE_SHARD_FROM"],
  ["TEETEE_HOST_MANIFEST", "TEETEE_MANIFEST_FROM"],
  ["TEETEE_HOST_POLICY", "TEETEE_POLICY_FROM"],
  ["HF_TOKEN", "HF_TOKEN"],
  ["HF_ENDPOINT", "HF_ENDPOINT"],
];

const nodeVariables: readonly Variable[] = [
  ["TEETEE_HOST", "TEETEE_HOST"],
  ["TEETEE_ADVERTISE", "TEETEE_ADVERTISE"],
  ["TEETEE_NEXT_URL", "TEETEE_NEXT_URL"],
  ["TEETEE_API_URL", "TEETEE_API_URL"],
  ["TEETEE_API_TLS_URL", "TEETEE_API_TLS_URL"],
  ["TEETEE_PCCS", "TEETEE_PCCS"],
];

/** What whoever deploys may set. */
export const hostVariables: readonly string[] = [
  ...chainVariables,
  ...fetchVariables,
  ...nodeVariables,
].map(([, name]) => name);

const hardening =
  "    read_only: true\n" +
  "    tmpfs: [/tmp]\n" +
  "    cap_drop: [ALL]\n" +
  '    security_opt: ["no-new-privileges:true"]\n';

/** Root's only right: to write to volumes, which belong to the image's user. */
const rootRights = "    cap_add: [DAC_OVERRIDE]\n";

/** JSON's strings are YAML's. */
const quoted = (text: string) => JSON.stringify(text);
const list = (items: readonly string[]) => `[${items.map(quoted).join(", ")}]`;
const port = (number: number) => quoted(`${number}:${number}`);
const anyAddress = (number: number) => `0.0.0.0:${number}`;

/** A command, a flag with its value a line. */
function command(lines: readonly (readonly string[])[]): string {
  const words = lines.map((line) => `      ${line.map(quoted).join(", ")}`);
  return `    command: [\n${words.join(",\n")}\n    ]\n`;
}

function environment(own: readonly Variable[]): string {
  const lines = [...chainVariables, ...own].map(
    ([program, name]) => `      ${program}: "\${${name}:-}"\n`,
  );
  return `    environment:\n${lines.join("")}`;
}

/** Until the weights are verified nobody listens. */
const healthCheck =
  "    healthcheck:\n" +
  '      test: ["CMD", "/usr/bin/teetee", "deploy", "probe", ' +
  `"http://127.0.0.1:${composePorts.status}/ready"]\n` +
  "      interval: 30s\n" +
  "      timeout: 10s\n" +
  "      start_period: 30m\n";

/** Error: `invalid_argument` for an image whose bytes its name does not say, or what is no name. */
export function ensurePinned(image: string): void {
  const isPinned = /^[0-9a-zA-Z._\-/:@]+@sha256:[0-9a-fA-F]{64}$/.test(image);
  if (isPinned && image.length <= 512) return;
  fail(
    "invalid_argument",
    `image: have ${quoteForeign(image)}, need NAME@sha256:DIGEST: a tag may be another image tomorrow, and a TD measures the name alone`,
  );
}

export interface HostComposeOptions {
  /** NAME@sha256:DIGEST. */
  readonly image: string;
  /** A SIMULATED TEE, from a seed file beside the compose file: for development. */
  readonly isDev?: boolean;
}

function fetchService(image: string): string {
  return (
    `  fetch:\n    image: ${quoted(image)}\n` +
    '    user: "0:0"\n' +
    command([
      ["host", "--fetch-only"],
      ["--dir", "/slot"],
    ]) +
    environment(fetchVariables) +
    '    volumes: ["slot:/slot"]\n' +
    "    restart: on-failure\n" +
    hardening +
    rootRights
  );
}

function nodeCommand(isDev: boolean): string {
  return command([
    ["node"],
    ["--shard", "/slot/shard.gguf"],
    ["--manifest", "/slot/manifest.json"],
    ["--policy", "/slot/policy.json"],
    ["--listen", anyAddress(composePorts.links)],
    ["--api", anyAddress(composePorts.api)],
    ["--api-tls", anyAddress(composePorts.apiTls)],
    ["--status", anyAddress(composePorts.status)],
    ["--state", "/state"],
    ["--weights-cache", "off"],
    ["--collateral", "/state/collateral"],
    ["--statement-seconds", "604800"],
    ["--tee-wallet"],
    isDev ? ["--dev-tee", "/dev-tee.seed"] : ["--tee", "dstack"],
  ]);
}

function nodeService(image: string, isDev: boolean): string {
  const evidence = isDev
    ? "./dev-tee.seed:/dev-tee.seed:ro"
    : "/var/run/dstack.sock:/var/run/dstack.sock";
  const volumes = ["slot:/slot:ro", "state:/state", evidence];
  if (isDev) volumes.push("./collateral:/state/collateral:ro");
  const { status, api, apiTls, links } = composePorts;
  return (
    `  node:\n    image: ${quoted(image)}\n` +
    "    # The guest agent's socket is root's; what root may do here, the lines below say.\n" +
    '    user: "0:0"\n' +
    nodeCommand(isDev) +
    environment(nodeVariables) +
    "    depends_on:\n" +
    "      fetch: {condition: service_completed_successfully}\n" +
    `    ports: [${[status, api, apiTls, links].map(port).join(", ")}]\n` +
    `    volumes: ${list(volumes)}\n` +
    "    restart: unless-stopped\n" +
    "    stop_grace_period: 45s\n" +
    healthCheck +
    hardening +
    rootRights
  );
}

/**
 * The docker-compose file of a node of any pool: the same bytes for all hosts of an image. Error:
 * `invalid_argument` for an image that is not pinned.
 */
export function hostCompose(options: HostComposeOptions): string {
  ensurePinned(options.image);
  return (
    "# A node of a TeeTee pool, as 'teetee host' writes it. A TD measures this text: change " +
    "nothing in it.\n" +
    "# Pool, slot, chain and names come by the variables below, from .env or encrypted to " +
    "the TD.\n" +
    "services:\n" +
    fetchService(options.image) +
    nodeService(options.image, options.isDev ?? false) +
    "volumes:\n" +
    "  slot: {}\n" +
    "  state: {}\n"
  );
}

/** The app-compose.json that dstack runs: keys sorted, no white space (src/attest/app_compose.cpp). */
export function hostAppCompose(compose: string): string {
  return JSON.stringify({
    allowed_envs: [...hostVariables].sort(),
    docker_compose_file: compose,
    gateway_enabled: true,
    key_provider_id: "",
    kms_enabled: true,
    local_key_provider_enabled: false,
    manifest_version: 2,
    name: "teetee-node",
    no_instance_id: false,
    public_logs: true,
    public_sysinfo: true,
    public_tcbinfo: true,
    runner: "docker-compose",
    secure_time: true,
  });
}

/** What a TD that runs it shows: hex of 32 bytes. */
export async function composeHash(appCompose: string): Promise<string> {
  return toHex(await sha256(utf8(appCompose)));
}

/** Where dstack's gateway publishes a node, by the app id that follows from its compose file. */
export interface GatewayUrls {
  /** What other nodes dial. */
  readonly advertise: string;
  readonly statusUrl: string;
  readonly apiUrl: string;
  readonly apiTlsUrl: string;
}

/** `appId` is hex of 20 bytes: the beginning of composeHash, where no contract gives another. */
export function gatewayUrls(appId: string, gateway: string): GatewayUrls {
  if (!/^[0-9a-f]{40}$/.test(appId) || !/^[0-9a-zA-Z.-]{1,253}$/.test(gateway)) {
    fail("invalid_argument", "gateway: need an app id of 40 hex digits, and a domain");
  }
  // With "s" behind the port its TLS is passed through.
  const host = (port: number, suffix: string) => `${appId}-${port}${suffix}.${gateway}`;
  return {
    advertise: `tls://${host(composePorts.links, "s")}:443`,
    statusUrl: `https://${host(composePorts.status, "")}`,
    apiUrl: `https://${host(composePorts.api, "")}`,
    apiTlsUrl: `https://${host(composePorts.apiTls, "s")}`,
  };
}

/** Values of the variables, for the file .env or the form of whoever runs the TD. */
export interface HostSettings {
  readonly rpcUrls: readonly string[];
  readonly contract: string;
  readonly chainId: number;
  readonly fromBlock: bigint;
  readonly pool: bigint;
  readonly slot: number;
  /** Where shards, manifest and policy are fetched; empty: as the pool says. */
  readonly shardFrom?: string;
  readonly manifestFrom?: string;
  readonly policyFrom?: string;
  /** The wallet that registers the node. */
  readonly host: string;
  /** Where other nodes reach it. */
  readonly advertise?: string;
  /** Any node of the pool to begin with. */
  readonly nextUrl?: string;
  readonly apiUrl?: string;
  readonly apiTlsUrl?: string;
  readonly pccs?: string;
}

/** As compose files read it: nothing in it is a variable. */
function envValue(name: string, value: string): string {
  if (/^[0-9a-zA-Z_./:@,+=-]*$/.test(value)) return value;
  if (!/^[\x20-\x7e]*$/.test(value) || value.includes("'")) {
    fail("invalid_argument", `${name}: need printable ASCII without quotes`);
  }
  return `'${value}'`;
}

/** Each of hostVariables with its value, "" where it is not set; for the form of a cloud. */
export function hostEnvironment(
  settings: HostSettings,
): readonly (readonly [name: string, value: string])[] {
  const values: Readonly<Record<string, string | undefined>> = {
    TEETEE_RPC: settings.rpcUrls.join(","),
    TEETEE_CONTRACT: settings.contract,
    TEETEE_CHAIN_ID: settings.chainId.toString(),
    TEETEE_FROM_BLOCK: settings.fromBlock.toString(),
    TEETEE_POOL: settings.pool.toString(),
    TEETEE_SLOT: settings.slot.toString(),
    TEETEE_SHARD_FROM: settings.shardFrom,
    TEETEE_MANIFEST_FROM: settings.manifestFrom,
    TEETEE_POLICY_FROM: settings.policyFrom,
    TEETEE_HOST: settings.host,
    TEETEE_ADVERTISE: settings.advertise,
    TEETEE_NEXT_URL: settings.nextUrl,
    TEETEE_API_URL: settings.apiUrl,
    TEETEE_API_TLS_URL: settings.apiTlsUrl,
    TEETEE_PCCS: settings.pccs,
  };
  return hostVariables.map((name) => [name, values[name] ?? ""] as const);
}

/** The file .env as `teetee host` writes it. Error: `invalid_argument` for a value beyond a line. */
export function hostEnvFile(settings: HostSettings): string {
  const lines = hostEnvironment(settings).map(([name, value]) => {
    const hint =
      name === "TEETEE_ADVERTISE" && value === ""
        ? "# tls://HOST:PORT at which other nodes reach port 5010: set it before the node starts.\n"
        : "";
    return `${hint}${name}=${envValue(name, value)}\n`;
  });
  return (
    "# What the node's compose file takes; none of it is measured (docs/deploy.md).\n" +
    lines.join("")
  );
}
