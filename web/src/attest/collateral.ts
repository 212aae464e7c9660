// SPDX-License-Identifier: Apache-2.0
// Collateral whose every signature leads to a pinned root: verified once, it serves for many quotes;
// src/attest/collateral.hpp.
import { equal, toHex, utf8 } from "../base/bytes";
import { TeeTeeError, fail } from "../base/error";
import { inContext, inContextAsync } from "../base/text";
import { unixSecondsMax, type UnixSeconds } from "../base/time";
import type { Collateral, SignedDocument } from "./collateralJson";
import { lists, parseCrl, verifyCrlIssued, type Crl } from "./crl";
import { verifyP256 } from "./p256";
import { verifyPinned, type IssuerChain, type TrustedRoots } from "./pck";
import { parseQeIdentity, type QeIdentity } from "./qeIdentity";
import { parseTcbInfo, type TcbInfo } from "./tcbInfo";
import {
  allows,
  describeOutOfDate,
  displayName,
  isValidAt,
  looksLikeCa,
  parsePemCertificates,
  verifyIssued,
  type Certificate,
  type Validity,
} from "./x509";
import { keyUsage } from "./x509Extensions";

/** Intel's name for the certificate that signs TCB info and QE identities. */
const documentSignerName = "TCB Signing";

/** When something in the collateral counts, for the error that names it. */
export interface NamedValidity extends Validity {
  name: string;
}

/** Only verifyCollateral makes one. */
export interface VerifiedCollateral {
  tcbInfo: TcbInfo;
  qeIdentity: QeIdentity;
  /** Lists intermediate CAs and signers of documents. */
  rootCrl: Crl;
  /** Lists PCK certificates of `pckCa`. */
  pckCrl: Crl;
  pckCa: IssuerChain;
  /** Hex. */
  rootFingerprint: string;
  /** Everything above and the certificates that signed it. */
  validities: readonly NamedValidity[];
}

/** When the oldest of TCB info, QE identity and PCK CRL was issued. */
export function issuedAt(collateral: VerifiedCollateral): UnixSeconds {
  return Math.min(
    collateral.tcbInfo.head.validity.notBefore,
    collateral.qeIdentity.head.validity.notBefore,
    collateral.pckCrl.validity.notBefore,
  );
}

/** When the first of all parts runs out. */
export function expiresAt(collateral: VerifiedCollateral): UnixSeconds {
  return Math.min(unixSecondsMax, ...collateral.validities.map((one) => one.notAfter));
}

/** Error: `collateral_expired`, with the part that is out of date or not valid yet. */
export function ensureCollateralInDate(collateral: VerifiedCollateral, now: UnixSeconds): void {
  for (const one of collateral.validities) {
    if (!isValidAt(one, now)) {
      fail("collateral_expired", `${one.name}: ${describeOutOfDate(one, now)}`);
    }
  }
}

/** The root's list is not looked at yet. */
async function verifyIssuerChain(pem: string, roots: TrustedRoots): Promise<IssuerChain> {
  const certificates = parsePemCertificates(pem, 2);
  const [signer, root] = certificates;
  if (signer === undefined || root === undefined) {
    fail("certificate_chain_invalid", `have ${certificates.length} certificates, need 2`);
  }
  verifyPinned(root, roots);
  await verifyIssued(signer, root);
  return { signer, root };
}

function ensureDocumentSigner(signer: Certificate): void {
  const name = displayName(signer);
  if (!name.includes(documentSignerName)) {
    fail("certificate_chain_invalid", `signer: have ${name}, need a TCB Signing certificate`);
  }
  if (looksLikeCa(signer) || !allows(signer, keyUsage.digitalSignature)) {
    fail("certificate_chain_invalid", `${name}: may not sign documents`);
  }
}

async function verifyDocument(signer: Certificate, document: SignedDocument): Promise<void> {
  ensureDocumentSigner(signer);
  try {
    await verifyP256(signer.publicKey, document.signature, utf8(document.body));
  } catch (thrown) {
    if (!(thrown instanceof TeeTeeError)) throw thrown;
    fail("collateral_signature_invalid", thrown.detail);
  }
}

function ensureNotRevoked(rootCrl: Crl, chain: IssuerChain): void {
  for (const certificate of [chain.signer, chain.root]) {
    if (lists(rootCrl, certificate.serial)) {
      const have = `serial ${toHex(certificate.serial)} in the root's CRL`;
      fail("certificate_revoked", `${displayName(certificate)}: have ${have}, need it not there`);
    }
  }
}

interface Chains {
  pckCa: IssuerChain;
  tcbSigner: IssuerChain;
  qeSigner: IssuerChain;
}

/** The three chains, and the signatures of both documents. */
async function verifyChains(collateral: Collateral, roots: TrustedRoots): Promise<Chains> {
  const pckCa = await inContextAsync("PCK CRL issuer chain", () =>
    verifyIssuerChain(collateral.pckCrlIssuerChain, roots),
  );
  const tcbSigner = await inContextAsync("TCB info", async () => {
    const chain = await verifyIssuerChain(collateral.tcbInfoIssuerChain, roots);
    await verifyDocument(chain.signer, collateral.tcbInfo);
    return chain;
  });
  const qeSigner = await inContextAsync("QE identity", async () => {
    // As a rule both documents come with the same chain.
    const chain =
      collateral.qeIdentityIssuerChain === collateral.tcbInfoIssuerChain
        ? tcbSigner
        : await verifyIssuerChain(collateral.qeIdentityIssuerChain, roots);
    await verifyDocument(chain.signer, collateral.qeIdentity);
    return chain;
  });
  return { pckCa, tcbSigner, qeSigner };
}

async function verifyList(name: string, der: Uint8Array, issuer: Certificate): Promise<Crl> {
  const crl = inContext(name, () => parseCrl(der));
  await inContextAsync(name, () => verifyCrlIssued(crl, issuer));
  return crl;
}

/**
 * All chains (names, signatures, CA flags, pinned root), both lists, both documents, and all of them
 * in date at `now`. Nothing that the root's list names may have signed.
 * Errors: `collateral_malformed`, `certificate_malformed`, `root_untrusted`,
 * `certificate_chain_invalid`, `certificate_revoked`, `collateral_signature_invalid`,
 * `collateral_mismatch`, `collateral_expired`.
 */
export async function verifyCollateral(
  collateral: Collateral,
  roots: TrustedRoots,
  now: UnixSeconds,
): Promise<VerifiedCollateral> {
  const { pckCa, tcbSigner, qeSigner } = await verifyChains(collateral, roots);
  if (!equal(tcbSigner.root.der, pckCa.root.der) || !equal(qeSigner.root.der, pckCa.root.der)) {
    fail("collateral_mismatch", "collateral: have parts under different roots, need one root");
  }
  const rootCrl = await verifyList("root CRL", collateral.rootCaCrl, pckCa.root);
  const pckCrl = await verifyList("PCK CRL", collateral.pckCrl, pckCa.signer);
  for (const chain of [pckCa, tcbSigner, qeSigner]) ensureNotRevoked(rootCrl, chain);
  const tcbInfo = parseTcbInfo(collateral.tcbInfo.body);
  const qeIdentity = parseQeIdentity(collateral.qeIdentity.body);
  const verified: VerifiedCollateral = {
    tcbInfo,
    qeIdentity,
    rootCrl,
    pckCrl,
    pckCa,
    rootFingerprint: verifyPinned(pckCa.root, roots),
    validities: [
      { name: "root CRL", ...rootCrl.validity },
      { name: "PCK CRL", ...pckCrl.validity },
      { name: "TCB info", ...tcbInfo.head.validity },
      { name: "QE identity", ...qeIdentity.head.validity },
      { name: "root certificate", ...pckCa.root.validity },
      { name: "PCK CRL issuer", ...pckCa.signer.validity },
      { name: "TCB info signer", ...tcbSigner.signer.validity },
      { name: "QE identity signer", ...qeSigner.signer.validity },
    ],
  };
  ensureCollateralInDate(verified, now);
  return verified;
}
