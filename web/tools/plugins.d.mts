// SPDX-License-Identifier: Apache-2.0
import type { Plugin } from "vite";

export function policyInPage(): Plugin;
export function fontPreload(): Plugin;
export function gzipBeside(): Plugin;
export function fontLicence(): Plugin;
