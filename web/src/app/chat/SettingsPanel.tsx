// SPDX-License-Identifier: Apache-2.0
import { Button, Description, FieldError, Input, Label, TextArea, TextField } from "@heroui/react";
import { useState } from "react";
import "../../styles/heroui.css";
import { draftOf, settingsOf, type SettingsDraft } from "./settings";
import type { ChatSettings } from "./types";

interface Props {
  settings: ChatSettings;
  /** Called with every change that is valid; what is not stays in the field with its error. */
  onChange: (settings: ChatSettings) => void;
}

/** What goes with each request of this conversation. Empty fields are left to the entry. */
export default function SettingsPanel({ settings, onChange }: Props) {
  const [draft, setDraft] = useState(() => draftOf(settings));
  const { errors } = settingsOf(draft);
  const change = (name: keyof SettingsDraft) => (text: string) => {
    const next = { ...draft, [name]: text };
    setDraft(next);
    const read = settingsOf(next);
    if (Object.keys(read.errors).length === 0) onChange(read.settings);
  };
  const reset = () => {
    setDraft(draftOf({}));
    onChange({});
  };
  const field = (name: keyof SettingsDraft) => ({
    value: draft[name],
    error: errors[name],
    onChange: change(name),
  });
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-5 overflow-y-auto p-1">
      <Field
        {...field("systemPrompt")}
        label="System prompt"
        note="Said to the model before everything else."
        rows={4}
      />
      <div className="grid grid-cols-2 gap-4">
        <Field
          {...field("temperature")}
          label="Temperature"
          note="0 is always the likeliest word."
          isNumber
        />
        <Field {...field("topP")} label="Top p" note="Share of likely words." isNumber />
        <Field {...field("maxTokens")} label="Most tokens" note="Length, and so cost." isNumber />
        <Field {...field("seed")} label="Seed" note="Same seed, same answer." isNumber />
      </div>
      <Field
        {...field("stop")}
        label="Stop at"
        note="Up to 4 texts that end the answer, one a line."
        rows={2}
      />
      <p className="text-sm text-faint">Empty fields are left to the entry.</p>
      <Button variant="outline" size="sm" onPress={reset} className="self-start">
        Empty all
      </Button>
    </div>
  );
}

interface FieldProps {
  label: string;
  /** What it does, or what to write. */
  note: string;
  value: string;
  error: string | undefined;
  onChange: (text: string) => void;
  rows?: number;
  isNumber?: boolean;
}

function Field({ label, note, value, error, onChange, rows, isNumber = false }: FieldProps) {
  return (
    <TextField
      value={value}
      onChange={onChange}
      isInvalid={error !== undefined}
      validationBehavior="aria"
      autoComplete="off"
      fullWidth
    >
      <Label>{label}</Label>
      {rows === undefined ? (
        <Input inputMode={isNumber ? "decimal" : "text"} />
      ) : (
        <TextArea rows={rows} />
      )}
      <Description>{note}</Description>
      <FieldError>{error}</FieldError>
    </TextField>
  );
}
