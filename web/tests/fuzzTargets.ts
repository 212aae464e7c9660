// SPDX-License-Identifier: Apache-2.0
// What foreign bytes come in by. Each target takes anything, and fails with nothing but TeeTeeError.
import { fromBase64, fromUtf8, toBase64 } from "../src/base/bytes";
import { TeeTeeError } from "../src/base/error";
import { parseJson } from "../src/base/json";
import { verifyCollateral } from "../src/attest/collateral";
import { parseCollateral } from "../src/attest/collateralJson";
import { parseCrl } from "../src/attest/crl";
import { replayEventLog } from "../src/attest/eventLog";
import { parseManifest } from "../src/attest/manifest";
import { parsePckChain, parseSgxExtension, platformInPck } from "../src/attest/pck";
import { platformOfQuote } from "../src/attest/platform";
import { judgeQuote } from "../src/attest/policy";
import { parsePolicy } from "../src/attest/policyJson";
import { parseQuote } from "../src/attest/quote";
import { parseQeIdentity } from "../src/attest/qeIdentity";
import { parseReceiptAnchor } from "../src/attest/receiptAnchor";
import { checkReceipt } from "../src/attest/receiptCheck";
import { parseReceipt } from "../src/attest/receiptJson";
import { judgeRoute, parseAttestation } from "../src/attest/route";
import { decodeStatement } from "../src/attest/statement";
import { parseTcbInfo } from "../src/attest/tcbInfo";
import { findExtension, parseCertificate } from "../src/attest/x509";
import { sgxExtensionOid } from "../src/attest/intel";
import { termsOf } from "./network";
import { readNetwork } from "./readVectors";

export interface FuzzTarget {
  name: string;
  /** Well-formed input to start from. */
  seed: Uint8Array;
  /** True where the input was accepted; throws nothing but TeeTeeError. */
  run: (input: Uint8Array) => Promise<boolean>;
  /** No input that differs from the seed in one bit is accepted. */
  hasNoFreeBit?: boolean;
}

function parsing(
  name: string,
  seed: Uint8Array,
  parse: (input: Uint8Array) => unknown,
): FuzzTarget {
  return {
    name,
    seed,
    run: async (input) => {
      await parse(input);
      return true;
    },
  };
}

const utf8Of = (text: string) => new TextEncoder().encode(text);
const limits = { bytesMax: 1 << 22, depthMax: 16 };

/** Whether a target took the input; anything but TeeTeeError is a fault and goes on. */
export async function isAccepted(target: FuzzTarget, input: Uint8Array): Promise<boolean> {
  try {
    return await target.run(input);
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError) || thrown.code === "internal") throw thrown;
    return false;
  }
}

export async function fuzzTargets(): Promise<FuzzTarget[]> {
  const network = readNetwork();
  const terms = await termsOf(network);
  const [entry] = parseAttestation(network.attestation).nodes;
  const { quote, statement } = entry!;
  const collateral = parseCollateral(network.collateral);
  const chain = parseQuote(quote).signature.pckChain;
  const { leaf } = parsePckChain(chain);
  const { expectation: peers, policy, layerCount } = terms;
  const [verified] = [...terms.collateral!.values()];
  const anchor = `{"state":"settled","chain_id":"1","contract":"0x${"00".repeat(20)}",
    "receipt":"0x${"11".repeat(32)}","entry_node":"1","receipts_root":"0x${"22".repeat(32)}",
    "proof":{"index":0,"count":2,"siblings":["0x${"33".repeat(32)}"]}}`;
  const log = `[{"imr":3,"event_type":134217729,"event":"app-id","event_payload":"${"11".repeat(20)}"},
    {"imr":0,"event_type":1,"event":"","event_payload":"","digest":"${"11".repeat(48)}"}]`;
  return [
    parsing("json", network.collateral, (input) => parseJson(input, limits)),
    parsing("base64", utf8Of(toBase64(quote)), (input) => fromBase64(fromUtf8(input))),
    parsing("certificate", leaf.der, parseCertificate),
    parsing("SGX extension", findExtension(leaf, sgxExtensionOid)!, parseSgxExtension),
    parsing("PCK chain", chain, (input) => platformInPck(parsePckChain(input).leaf)),
    parsing("CRL", collateral.pckCrl, parseCrl),
    parsing("quote", quote, platformOfQuote),
    parsing("TCB info", utf8Of(collateral.tcbInfo.body), (input) => parseTcbInfo(fromUtf8(input))),
    parsing("QE identity", utf8Of(collateral.qeIdentity.body), (input) =>
      parseQeIdentity(fromUtf8(input)),
    ),
    parsing("policy", network.policy, parsePolicy),
    parsing("statement", statement, decodeStatement),
    parsing("manifest", network.manifest, parseManifest),
    parsing("anchor", utf8Of(anchor), parseReceiptAnchor),
    parsing("event log", utf8Of(log), replayEventLog),
    parsing("collateral", network.collateral, (input) =>
      verifyCollateral(parseCollateral(input), policy.roots, network.time),
    ),
    {
      name: "verdict",
      hasNoFreeBit: true,
      seed: quote,
      run: async (input) =>
        (await judgeQuote(input, verified, policy, network.time)).error === undefined,
    },
    {
      name: "route",
      seed: network.attestation,
      run: async (input) => {
        const { nonce, time } = network;
        return (await judgeRoute(parseAttestation(input), terms, nonce, time)).error === undefined;
      },
    },
    {
      name: "receipt",
      hasNoFreeBit: true,
      seed: network.receipt,
      run: async (input) => {
        const expectation = { peers, policy, layerCount, collateral: terms.collateral };
        return (await checkReceipt(parseReceipt(input), expectation)).accepted;
      },
    },
  ];
}
