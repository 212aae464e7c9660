// SPDX-License-Identifier: Apache-2.0

/** Strokes on a grid of 24; drawn for TeeTee. */
const paths = {
  alert: "M12 8v5M12 16.500v.01M12 3.5 2.8 19.500h18.400z",
  arrowDown: "M12 5v14M6 13l6 6 6-6",
  check: "M5 12.500l4.5 4.500L19 7.5",
  chevron: "M9 6l6 6-6 6",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  dark: "M19.5 14.500A8 8 0 0 1 9.5 4.500a8 8 0 1 0 10 10z",
  download: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  external: "M10 5H5v14h14v-5M14 4h6v6M20 4l-9 9",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.01",
  light:
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.500v2M12 19.500v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M5.3 18.700l1.4-1.400M17.3 6.700l1.4-1.4",
  list: "M4 6h16M4 12h16M4 18h10",
  menu: "M4 7h16M4 12h16M4 17h16",
  more: "M6 12v.01M12 12v.01M18 12v.01",
  plus: "M12 5v14M5 12h14",
  question: "M9.2 9.200a2.9 2.9 0 1 1 4.3 2.600c-1 .6-1.5 1.2-1.5 2.200M12 17.500v.01",
  retry: "M19 12a7 7 0 1 1-2.1-5M19 3.500V7.500h-4",
  search: "M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15.5 15.500L20 20",
  send: "M12 19V5M6 11l6-6 6 6",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  shield: "M12 3l7 2.500V11c0 4.6-2.9 8-7 10-4.1-2-7-5.4-7-10V5.500z",
  stop: "M7 7h10v10H7z",
  system: "M4 5h16v11H4zM9 20h6M12 16v4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  wallet: "M4 7h14a2 2 0 0 1 2 2v9H4zM4 7V5h12v2M16 13v.01",
} as const;

export type IconName = keyof typeof paths;

/** Decoration: whoever uses it says in words what it means. */
export function Icon({ name, className = "size-5" }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      className={`shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}
