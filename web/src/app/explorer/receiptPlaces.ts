// SPDX-License-Identifier: Apache-2.0
// Where a receipt that is malformed is so. The parser names the member; this finds it in the text.
import { parseReceipt } from "../../attest/receiptJson";
import type { Receipt } from "../../attest/receipt";
import { asError, TeeTeeError } from "../../base/error";
import { DocumentError, placeOf, placeOfJsonError, spanOf, type Place } from "./placedError";

/** As many stages are tried one by one. */
const stagesMax = 64;

function detailOf(text: string): string | undefined {
  try {
    parseReceipt(text);
    return undefined;
  } catch (thrown) {
    return asError(thrown).detail;
  }
}

/** Which of the stages the parser stumbles over: alone, the one gives the same error. */
function stageWith(text: string, detail: string): number | undefined {
  const all = spanOf(text, ["stages"]);
  if (all === undefined) return undefined;
  for (let i = 0; i < stagesMax; i++) {
    const one = spanOf(text, ["stages", i]);
    if (one === undefined) return undefined;
    const alone = `${text.slice(0, all[0])}[${text.slice(...one)}]${text.slice(all[1])}`;
    if (detailOf(alone) === detail) return i;
  }
  return undefined;
}

/** "receipt.opening.salt" as steps into the text. */
function pathOf(text: string, detail: string): (string | number)[] | undefined {
  const member = /^(receipt|stages)((?:\.[a-z_]+)+):/.exec(detail);
  if (!member) return undefined;
  const steps = member[2]!.slice(1).split(".");
  if (member[1] === "receipt") return steps;
  const stage = stageWith(text, detail);
  return stage === undefined ? undefined : ["stages", stage, ...steps];
}

/** The first thing that a receipt as it was handed out never has. */
function otherForm(text: string): { at: number; what: string } | undefined {
  const tokens = /"(?:[^"\\]|\\.)*"|\s+/g;
  for (let token = tokens.exec(text); token !== null; token = tokens.exec(text)) {
    const [found] = token;
    if (found[0] !== '"') {
      return { at: token.index, what: "white space between its members: it was formatted anew" };
    }
    if (/^"0x[0-9a-fA-F]*"$/.test(found) && /[A-F]/.test(found.slice(2))) {
      const capital = found.slice(3).search(/[A-F]/) + 3;
      return { at: token.index + capital, what: "a hex digit in upper case" };
    }
  }
  return undefined;
}

function nearest(text: string, path: readonly (string | number)[]): Place | undefined {
  for (let steps = path.length; steps > 0; steps--) {
    const span = spanOf(text, path.slice(0, steps));
    if (span !== undefined) return placeOf(text, span[0]);
  }
  return undefined;
}

function placed(text: string, error: TeeTeeError): DocumentError {
  const inSyntax = placeOfJsonError(text, error);
  if (inSyntax !== undefined) return new DocumentError(error.code, error.detail, inSyntax);
  if (error.detail.includes("another form")) {
    const body = text.endsWith("\n") ? text.slice(0, -1) : text;
    const other = otherForm(body);
    const detail = other === undefined ? error.detail : `${error.detail}; it has ${other.what}`;
    return new DocumentError(error.code, detail, other && placeOf(body, other.at));
  }
  const path = pathOf(text, error.detail);
  return new DocumentError(error.code, error.detail, path && nearest(text, path));
}

/** As parseReceipt; a DocumentError also says where, as far as the text tells. */
export function readReceipt(text: string): Receipt {
  try {
    return parseReceipt(text);
  } catch (thrown) {
    throw placed(text, asError(thrown));
  }
}
