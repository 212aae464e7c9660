// SPDX-License-Identifier: Apache-2.0
// Changes the input of every fuzz target at random, for so long: npm run fuzz -- [SECONDS] [SEED]
// An input that makes a target fail with anything but an error of its own is written beside.
import { writeFileSync } from "node:fs";
import { fuzzTargets, isAccepted } from "../tests/fuzzTargets";
import { flipped, mutated, randomOf } from "../tests/mutations";

const secondsDefault = 60;

/** Exit code 1 where something failed. */
export async function main([seconds, seed]: readonly string[]): Promise<number> {
  const targets = await fuzzTargets();
  const timeMs = (1000 * Number(seconds ?? secondsDefault)) / targets.length;
  const random = randomOf(Number(seed ?? 1));
  let failed = 0;
  for (const target of targets) {
    const end = performance.now() + timeMs;
    let turns = 0;
    let accepted = 0;
    for (; performance.now() < end; turns++) {
      const at = random(target.seed.length);
      const isFlip = random(2) === 0;
      const input = isFlip ? flipped(target.seed, at, random(8)) : mutated(target.seed, random);
      try {
        if (!(await isAccepted(target, input))) continue;
        accepted++;
        if (isFlip && target.hasNoFreeBit === true) throw new Error("accepted with another bit");
      } catch (thrown) {
        failed++;
        const file = `fuzz-${target.name.replace(/ /g, "-")}-${turns}`;
        writeFileSync(file, input);
        process.stderr.write(`${target.name}: ${String(thrown)}; input in ${file}\n`);
        break;
      }
    }
    process.stdout.write(`${target.name}: ${turns} inputs, ${accepted} accepted\n`);
  }
  return failed === 0 ? 0 : 1;
}
