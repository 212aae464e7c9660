// SPDX-License-Identifier: Apache-2.0

/** The sign of TeeTee: three rings, and the way of a token through them. Decoration. */
export function Mark({ className = "size-6" }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={`shrink-0 ${className}`} fill="none" aria-hidden="true">
      <g stroke="currentColor" strokeWidth="2.2">
        <ellipse cx="16" cy="8.5" rx="11" ry="4.2" />
        <path d="M5 16c0 2.3 4.9 4.2 11 4.200s11-1.9 11-4.2" />
        <path d="M5 23.500c0 2.3 4.9 4.2 11 4.200s11-1.9 11-4.2" />
      </g>
      <circle cx="16" cy="12.7" r="3" className="fill-verified" />
      <circle cx="16" cy="20.2" r="3" className="fill-verified" />
    </svg>
  );
}
