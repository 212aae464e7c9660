// SPDX-License-Identifier: Apache-2.0

// Numbers and times as all pages write them.

/** With separators of thousands: "12,345". */
export function countText(count: bigint | number): string {
  return count.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** "1 credit", "2,000 credits". */
export function creditsText(credits: bigint | number): string {
  return `${countText(credits)} ${BigInt(credits) === 1n ? "credit" : "credits"}`;
}

/** "2026-11-28 06:40 UTC"; a time that no date has comes as its number. */
export function timeText(time: number): string {
  const isTime = time >= 0 && time < 8.64e12;
  if (!isTime) return String(time);
  return `${new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
