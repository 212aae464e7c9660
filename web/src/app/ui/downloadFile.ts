// SPDX-License-Identifier: Apache-2.0

/** Hands a text to the user as a file; it goes nowhere else. */
export function downloadFile(name: string, text: string, type = "application/json"): void {
  download(name, new Blob([text], { type }));
}

/** The same of bytes, exactly as they are. */
export function downloadBytes(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  type = "application/json",
): void {
  download(name, new Blob([bytes], { type }));
}

function download(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has begun with the click; the blob is let go once it is surely read.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
