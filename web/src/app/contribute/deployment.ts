// SPDX-License-Identifier: Apache-2.0
import { isAddress } from "viem";
import { asError } from "../../base/error";
import { parsePolicy } from "../../attest/policyJson";
import { toHex } from "../../base/bytes";
import {
  composeHash,
  composePorts,
  ensurePinned,
  hostAppCompose,
  hostCompose,
  hostEnvFile,
  type HostSettings,
} from "../../client/compose";

/** What a host says of the node that is to be. */
export interface DeploymentForm {
  /** NAME@sha256:DIGEST. */
  readonly image: string;
  /** The wallet that registers the node. */
  readonly host: string;
  /** Domain of dstack's gateway; empty where the node has an address of its own. */
  readonly gateway: string;
  /** tls://HOST:PORT; empty: by the gateway, or set later. */
  readonly advertise: string;
  /** Where the shard is fetched from; empty: beside the pool's manifest. */
  readonly shardFrom: string;
  /** A SIMULATED TEE. */
  readonly isDev: boolean;
}

export type FormErrors = Partial<Record<keyof DeploymentForm, string>>;

function problemOfImage(image: string): string | undefined {
  try {
    ensurePinned(image);
    return undefined;
  } catch (thrown) {
    return asError(thrown).detail;
  }
}

function isUrlList(text: string): boolean {
  return text.split(",").every((one) => /^(?:https?:\/\/|hf:)[^\s,']+$/.test(one));
}

/** Why a form cannot be made into files, by its fields; empty where it can. */
export function formErrors(form: DeploymentForm): FormErrors {
  const errors: FormErrors = {};
  const image = problemOfImage(form.image);
  if (image !== undefined) errors.image = image;
  if (!isAddress(form.host, { strict: false })) {
    errors.host = "host: need an address, 0x and 40 hex digits: connect the wallet, or paste it";
  }
  if (form.gateway !== "" && !/^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?$/i.test(form.gateway)) {
    errors.gateway = "gateway: need a domain alone, such as gateway.example";
  }
  if (form.advertise !== "" && !/^tls:\/\/[^\s/:]+:\d{1,5}$/.test(form.advertise)) {
    errors.advertise = "address: need tls://HOST:PORT";
  }
  if (form.shardFrom !== "" && !isUrlList(form.shardFrom)) {
    errors.shardFrom = "shard: need http(s) URLs or hf:OWNER/NAME, with commas between them";
  }
  return errors;
}

/** What goes into the files beyond the form. */
export interface DeploymentTarget {
  readonly rpcUrls: readonly string[];
  readonly contract: string;
  readonly chainId: number;
  readonly fromBlock: bigint;
  readonly pool: bigint;
  readonly slot: number;
  /** Where manifest and policy can be had when the pool names no place; empty: as the pool says. */
  readonly manifestFrom: string;
  readonly policyFrom: string;
}

export interface DeploymentFiles {
  readonly compose: string;
  readonly appCompose: string;
  readonly env: string;
  /** Hex, 32 bytes. */
  readonly composeHash: string;
  /** Hex, 48 bytes: what a TD that runs it shows. */
  readonly mrconfigid: string;
  /** Of the node's port 5001, where the gateway is known. */
  readonly statusUrl: string | undefined;
  readonly advertise: string;
}

const appIdDigits = 40;

/** As dstack's gateway names a port of an app; with `suffix` "s" its TLS is passed through. */
function gatewayHost(appId: string, port: number, gateway: string, suffix = ""): string {
  return `${appId}-${port}${suffix}.${gateway}`;
}

function settingsOf(form: DeploymentForm, target: DeploymentTarget, appId: string): HostSettings {
  const { gateway } = form;
  const named = (port: number, suffix = "") => gatewayHost(appId, port, gateway, suffix);
  const isGateway = gateway !== "";
  const byGateway = isGateway ? `tls://${named(composePorts.links, "s")}:443` : "";
  const namesApi = isGateway && target.slot === 0;
  const shard = form.shardFrom === "" ? {} : { shardFrom: form.shardFrom };
  return {
    ...target,
    ...shard,
    host: form.host,
    advertise: form.advertise === "" ? byGateway : form.advertise,
    ...(namesApi
      ? {
          apiUrl: `https://${named(composePorts.api)}`,
          apiTlsUrl: `https://${named(composePorts.apiTls, "s")}`,
        }
      : {}),
  };
}

/** Everything that is deployed. Error: `invalid_argument` for a form with errors. */
export async function makeDeployment(
  form: DeploymentForm,
  target: DeploymentTarget,
): Promise<DeploymentFiles> {
  const compose = hostCompose({ image: form.image, isDev: form.isDev });
  const appCompose = hostAppCompose(compose);
  const hash = await composeHash(appCompose);
  const appId = hash.slice(0, appIdDigits);
  const settings = settingsOf(form, target, appId);
  return {
    compose,
    appCompose,
    env: hostEnvFile(settings),
    composeHash: hash,
    mrconfigid: `01${hash}${"00".repeat(15)}`,
    statusUrl:
      form.gateway === ""
        ? undefined
        : `https://${gatewayHost(appId, composePorts.status, form.gateway)}`,
    advertise: settings.advertise ?? "",
  };
}

/**
 * Whether a policy names this app: `any` where it leaves MRCONFIGID open in some build, so that
 * other registers decide.
 */
export function policyNames(policy: Uint8Array, mrconfigid: string): "named" | "any" | "other" {
  const { measurements } = parsePolicy(policy);
  const named = measurements.map((one) => one.mrconfigid && toHex(one.mrconfigid));
  if (named.includes(mrconfigid)) return "named";
  return named.includes(undefined) ? "any" : "other";
}

/** Whether a pool's policy accepts a TEE that is simulated. */
export function allowsSimulated(policy: Uint8Array): boolean {
  return parsePolicy(policy).allowSimulated;
}
