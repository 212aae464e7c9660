#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Writes test/attestation/vectors from a running `teetee up`: what the dev TEE signed, so that the
// contracts are held against the C++ that makes statements and quotes.
//   node tools/fetch_dev_vectors.mjs http://127.0.0.1:5002
import { mkdirSync, writeFileSync } from 'node:fs';

const folder = new URL('../test/attestation/vectors/', import.meta.url);
const answer = await fetch(new URL('/attestation', process.argv[2] ?? 'http://127.0.0.1:5002'));
const { nodes } = await answer.json();
const hex = (base64) => '0x' + Buffer.from(base64, 'base64').toString('hex');
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('dev_statement.hex', folder), hex(nodes[0].statement));
writeFileSync(new URL('dev_quote.hex', folder), hex(nodes[0].quote));
