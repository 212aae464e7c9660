// SPDX-License-Identifier: Apache-2.0
import { useId } from "react";
import { Icon } from "../ui/Icon";
import { setTheme, themes, useTheme } from "./theme";

const words = { system: "As the system", light: "Light", dark: "Dark" } as const;

/** Three radio buttons: arrow keys choose. */
export function ThemeSwitch() {
  const chosen = useTheme();
  const name = useId();
  return (
    <fieldset className="flex rounded-full border border-line p-0.5">
      <legend className="sr-only">Theme</legend>
      {themes.map((theme) => (
        <label
          key={theme}
          title={words[theme]}
          className="grid size-8 cursor-pointer place-items-center rounded-full text-faint hover:text-ink has-checked:bg-raised has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-offset-1 has-focus-visible:outline-focus"
        >
          <input
            type="radio"
            name={name}
            value={theme}
            checked={theme === chosen}
            onChange={() => setTheme(theme)}
            className="sr-only"
          />
          <Icon name={theme} className="size-4" />
          <span className="sr-only">{words[theme]}</span>
        </label>
      ))}
    </fieldset>
  );
}
