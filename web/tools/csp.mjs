// SPDX-License-Identifier: Apache-2.0

/**
 * What the page may do: its own files, and calls to entries and RPC endpoints that the user chose.
 * An entry sends the same text as a header; the built page carries it as a meta element too, for
 * servers that send none. Trusted types make a text that becomes HTML or script an error.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self' https: http://127.0.0.1:* http://localhost:*",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
].join("; ");
