// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { PageHeading } from "../router/PageHeading";

interface Props {
  title: string;
  /** One or two sentences under the heading. */
  intro: string;
  children: ReactNode;
}

/** Heading, introduction and column of an ordinary page. */
export function PageFrame({ title, intro, children }: Props) {
  return (
    <div className="mx-auto max-w-6xl px-4 py-10 sm:py-14">
      <PageHeading title={title} className="text-3xl font-semibold tracking-tight sm:text-4xl" />
      <p className="mt-3 max-w-2xl text-lg text-soft">{intro}</p>
      <div className="mt-10">{children}</div>
    </div>
  );
}
