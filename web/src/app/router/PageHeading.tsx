// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, type ReactNode } from "react";
import { navigationCount } from "./useRoute";

interface Props {
  /** What the browser's tab says, before the name of the application. */
  title: string;
  children?: ReactNode;
  className?: string;
}

/**
 * The one h1 of a page. Names the tab, and takes the focus after a navigation, so that a screen
 * reader says where it went; not at the first load, where the page's start is the right place.
 */
export function PageHeading({ title, children, className = "" }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = title === "TeeTee" ? title : `${title} · TeeTee`;
  }, [title]);
  useEffect(() => {
    if (navigationCount() > 0) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} className={`outline-none ${className}`}>
      {children ?? title}
    </h1>
  );
}
