// SPDX-License-Identifier: Apache-2.0
// Runs named checks one after another and says how each came out, a line of JSON each.

const checks = [];

export function check(name, body) {
  checks.push({ name, body });
}

export async function runAll() {
  let failed = 0;
  for (const { name, body } of checks) {
    let error = null;
    try {
      await body();
    } catch (caught) {
      error = String(caught.stack ?? caught);
      failed += 1;
    }
    console.log(JSON.stringify({ name, ok: error === null, error }));
  }
  process.exit(failed === 0 ? 0 : 1);
}
