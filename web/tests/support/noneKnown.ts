// SPDX-License-Identifier: Apache-2.0
import { KnownNetworks } from "../../src/app/network/knownNetworks";

/** Of a browser that was never there before, and remembers nothing. */
export const noneKnown = new KnownNetworks({ getItem: () => null, setItem: () => undefined });
