// SPDX-License-Identifier: Apache-2.0
// The outer form of collateral: the object that dcap-qvl calls QuoteCollateralV3, or answers of
// Intel's service within it; src/attest/collateral_json.cpp. collateral.ts verifies it.
import { parseJson, rawMember, type JsonValue } from "../base/json";
import { inContext, quoteForeign } from "../base/text";
import { JsonFields, JsonPlace, bytesOfHex } from "./jsonObject";
import { collateralBytesMax, collateralDocumentBytesMax, collateralJsonDepthMax } from "./limits";

/** A document of Intel's service, and the signature (r || s) over the exact bytes of its text. */
export interface SignedDocument {
  body: string;
  signature: Uint8Array;
}

/**
 * What is needed beside a quote to judge it, as it came: nothing in it is verified yet. Chains are
 * PEM, signer first, root last; lists are DER.
 */
export interface Collateral {
  pckCrlIssuerChain: string;
  rootCaCrl: Uint8Array;
  pckCrl: Uint8Array;
  tcbInfoIssuerChain: string;
  tcbInfo: SignedDocument;
  qeIdentityIssuerChain: string;
  qeIdentity: SignedDocument;
}

const malformed = "collateral_malformed";

const knownKeys: ReadonlySet<string> = new Set([
  "pck_crl_issuer_chain",
  "root_ca_crl",
  "pck_crl",
  "tcb_info",
  "tcb_info_issuer_chain",
  "tcb_info_signature",
  "qe_identity",
  "qe_identity_signature",
  "qe_identity_issuer_chain",
  "pck_certificate_chain",
]);

function parse(source: string | Uint8Array, bytesMax: number): JsonValue {
  const limits = { bytesMax, depthMax: collateralJsonDepthMax };
  return inContext("", () => parseJson(source, limits), malformed);
}

function readCrl(fields: JsonFields, key: string): Uint8Array {
  const bytes = bytesOfHex(fields.text(key));
  return bytes ?? fields.place.at(key).wrong("another text", "hex of DER");
}

/**
 * Intel's answer {KEY: {..}, "signature": hex of r || s}: the signed bytes are exactly those between
 * the colon and the comma. Error: `collateral_malformed`.
 */
export function parsePcsDocument(text: string, key: "tcbInfo" | "enclaveIdentity"): SignedDocument {
  const place = new JsonPlace("answer", malformed);
  const fields = new JsonFields(parse(text, collateralDocumentBytesMax), place);
  fields.object(key);
  const signature = fields.hex("signature", 64);
  const member = place.at(key).component;
  return { body: inContext(member, () => rawMember(text, key), malformed), signature };
}

/** Without a signature beside it the text is taken as the whole answer of Intel's service. */
function readDocument(
  fields: JsonFields,
  key: "tcb_info" | "qe_identity",
  answerKey: "tcbInfo" | "enclaveIdentity",
): SignedDocument {
  const text = fields.text(key);
  const signatureKey = `${key}_signature`;
  if (!fields.has(signatureKey)) return parsePcsDocument(text, answerKey);
  return { body: text, signature: fields.hex(signatureKey, 64) };
}

/** From a value that parseJson gave, for collateral that stands within something larger. */
export function readCollateral(value: JsonValue): Collateral {
  const fields = new JsonFields(value, new JsonPlace("collateral", malformed));
  for (const key of fields.keys()) {
    if (!knownKeys.has(key)) fields.place.wrong(quoteForeign(key), "known keys");
  }
  return {
    pckCrlIssuerChain: fields.text("pck_crl_issuer_chain"),
    rootCaCrl: readCrl(fields, "root_ca_crl"),
    pckCrl: readCrl(fields, "pck_crl"),
    tcbInfoIssuerChain: fields.text("tcb_info_issuer_chain"),
    tcbInfo: readDocument(fields, "tcb_info", "tcbInfo"),
    qeIdentityIssuerChain: fields.text("qe_identity_issuer_chain"),
    qeIdentity: readDocument(fields, "qe_identity", "enclaveIdentity"),
  };
}

/** Error: `collateral_malformed`. */
export function parseCollateral(source: string | Uint8Array): Collateral {
  return readCollateral(parse(source, collateralBytesMax));
}
