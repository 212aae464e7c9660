// SPDX-License-Identifier: Apache-2.0
// Intel's description of its quoting enclave ("Intel SGX and TDX Provisioning Certification Service
// API", version 4, model EnclaveIdentity) as a value; src/attest/tcb_info.hpp.
import { ByteReader } from "../base/reader";
import { quoteForeign } from "../base/text";
import type { JsonFields } from "./jsonObject";
import type { TeeType } from "./quote";
import { readDocument, readHead, readIsvLevels, u16Max } from "./tcbInfo";
import type { DocumentHead, IsvLevel } from "./tcbInfo";

export interface QeIdentity {
  head: DocumentHead;
  /** Whose quotes the enclave signs: id "QE" or "TD_QE". */
  tee: TeeType;
  miscselect: number;
  miscselectMask: number;
  attributes: Uint8Array;
  attributesMask: Uint8Array;
  mrsigner: Uint8Array;
  isvprodid: number;
  /** Highest isvsvn first. */
  levels: readonly IsvLevel[];
}

/** An integer that Intel writes as hex of its little-endian bytes. */
function readU32(document: JsonFields, key: string): number {
  return new ByteReader(document.hex(key, 4)).u32();
}

/** Versions 2 and 3. Error: `collateral_malformed`, as parseTcbInfo. */
export function parseQeIdentity(text: string): QeIdentity {
  const document = readDocument(text, "QE identity");
  const head = readHead(document);
  if (head.version !== 2 && head.version !== 3) {
    document.place.at("version").wrong(String(head.version), "2 or 3");
  }
  const id = document.text("id");
  if (id !== "QE" && id !== "TD_QE") document.place.at("id").wrong(quoteForeign(id), "QE or TD_QE");
  return {
    head,
    tee: id === "TD_QE" ? "TDX" : "SGX",
    miscselect: readU32(document, "miscselect"),
    miscselectMask: readU32(document, "miscselectMask"),
    attributes: document.hex("attributes", 16),
    attributesMask: document.hex("attributesMask", 16),
    mrsigner: document.hex("mrsigner", 32),
    isvprodid: document.number("isvprodid", u16Max),
    levels: readIsvLevels(document, [
      "UpToDate",
      "ConfigurationNeeded",
      "OutOfDate",
      "OutOfDateConfigurationNeeded",
      "Revoked",
    ]),
  };
}
