// SPDX-License-Identifier: Apache-2.0
import { navigate } from "../router/useRoute";

/** Opens in the explorer what was handed over under this id. */
export function openInExplorer(id: string): void {
  navigate("explorer", [], { id });
}
