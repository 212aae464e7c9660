// SPDX-License-Identifier: Apache-2.0
import type { ChatSettings } from "./types";

/** The settings as they are typed: texts, empty for what is left to the entry. */
export interface SettingsDraft {
  systemPrompt: string;
  temperature: string;
  topP: string;
  maxTokens: string;
  seed: string;
  /** One a line. */
  stop: string;
}

export type DraftErrors = Partial<Record<keyof SettingsDraft, string>>;

const seedLimit = 2 ** 32 - 1;

export function draftOf(settings: ChatSettings): SettingsDraft {
  const text = (value: number | undefined) => (value === undefined ? "" : String(value));
  return {
    systemPrompt: settings.systemPrompt ?? "",
    temperature: text(settings.temperature),
    topP: text(settings.topP),
    maxTokens: text(settings.maxTokens),
    seed: text(settings.seed),
    stop: (settings.stop ?? []).join("\n"),
  };
}

function readNumber(text: string, isGood: (value: number) => boolean): number | undefined {
  const trimmed = text.trim().replace(",", ".");
  if (!/^\d+(?:\.\d+)?$/.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return isGood(value) ? value : undefined;
}

/** The settings that a draft says, and in words what is wrong with those that it does not. */
export function settingsOf(draft: SettingsDraft): { settings: ChatSettings; errors: DraftErrors } {
  const settings: ChatSettings = {};
  const errors: DraftErrors = {};
  const number = (
    name: "temperature" | "topP" | "maxTokens" | "seed",
    isGood: (value: number) => boolean,
    words: string,
  ) => {
    if (draft[name].trim() === "") return;
    const value = readNumber(draft[name], isGood);
    if (value === undefined) errors[name] = words;
    else settings[name] = value;
  };
  number("temperature", (value) => value <= 2, "A number from 0 to 2.");
  number("topP", (value) => value > 0 && value <= 1, "A number above 0, up to 1.");
  number(
    "maxTokens",
    (value) => Number.isInteger(value) && value >= 1 && value <= 1 << 20,
    "A whole number, 1 or more.",
  );
  number(
    "seed",
    (value) => Number.isInteger(value) && value <= seedLimit,
    `A whole number up to ${seedLimit}.`,
  );
  const stop = draft.stop.split("\n").filter((line) => line !== "");
  if (stop.length > 4) errors.stop = "At most 4.";
  else if (stop.length > 0) settings.stop = stop;
  if (draft.systemPrompt.trim() !== "") settings.systemPrompt = draft.systemPrompt;
  return { settings, errors };
}
