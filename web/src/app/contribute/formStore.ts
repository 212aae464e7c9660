// SPDX-License-Identifier: Apache-2.0
import type { DeploymentForm } from "./deployment";

/** What a host has written, kept in this browser: deploying takes a while. */
export interface KeptForm extends Omit<DeploymentForm, "isDev"> {
  /** undefined: as the network is. */
  readonly isDev: boolean | undefined;
  /** The node's status address. */
  readonly url: string;
}

const storageKey = "teetee.contribute";
const textMax = 2048;

export const emptyForm: KeptForm = {
  image: "",
  host: "",
  gateway: "",
  advertise: "",
  shardFrom: "",
  isDev: undefined,
  url: "",
};

/** What is of another form is left out: somebody else may have written it. */
export function parseForm(text: string | null): KeptForm {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "{}");
  } catch {
    return emptyForm;
  }
  if (typeof value !== "object" || value === null) return emptyForm;
  const members = value as Record<string, unknown>;
  const textOf = (name: keyof KeptForm): string => {
    const member = members[name];
    return typeof member === "string" && member.length <= textMax ? member : "";
  };
  return {
    image: textOf("image"),
    host: textOf("host"),
    gateway: textOf("gateway"),
    advertise: textOf("advertise"),
    shardFrom: textOf("shardFrom"),
    isDev: typeof members["isDev"] === "boolean" ? members["isDev"] : undefined,
    url: textOf("url"),
  };
}

export function loadForm(): KeptForm {
  return parseForm(localStorage.getItem(storageKey));
}

export function saveForm(form: KeptForm): void {
  localStorage.setItem(storageKey, JSON.stringify(form));
}
