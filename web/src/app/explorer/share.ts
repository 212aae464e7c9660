// SPDX-License-Identifier: Apache-2.0
// Links to what is open. A receipt holds the prompt's tokens, and it counts only whole: so a link to
// one is made only after the reader has said yes to that. Quotes hold nothing of a prompt.
import { toBase64, utf8 } from "../../base/bytes";
import { hrefOf } from "../router/route";
import type { QuoteDocument } from "./documents";
import { packForLink } from "./linkCodec";
import type { Opened } from "./opened";

export type Shared =
  | { readonly kind: "link"; readonly href: string; readonly leftOut: string | undefined }
  | { readonly kind: "tooLarge" };

function pairText(node: QuoteDocument, collateral: string | undefined): string {
  return JSON.stringify({
    quote: toBase64(node.quote),
    ...(node.statement === undefined ? {} : { statement: toBase64(node.statement) }),
    ...(collateral === undefined ? {} : { collateral: JSON.parse(collateral) as unknown }),
  });
}

function linked(base: string, packed: string, leftOut?: string): Shared {
  return { kind: "link", href: base + hrefOf("explorer", [], { d: packed }), leftOut };
}

/**
 * The link to a receipt, or to the node of a route. `base` is the page's URL without fragment. Of a
 * quote, collateral that makes the link too long is left out.
 */
export async function linkTo(opened: Opened, node: number, base: string): Promise<Shared> {
  if (opened.kind === "receipt") {
    const packed = await packForLink(utf8(opened.text));
    return packed === undefined ? { kind: "tooLarge" } : linked(base, packed);
  }
  const document = opened.nodes[node];
  if (document === undefined) return { kind: "tooLarge" };
  const { collateral } = opened;
  const whole = await packForLink(utf8(pairText(document, collateral)));
  if (whole !== undefined) return linked(base, whole);
  const without = await packForLink(utf8(pairText(document, undefined)));
  if (without === undefined) return { kind: "tooLarge" };
  return linked(base, without, collateral === undefined ? undefined : "the collateral");
}
