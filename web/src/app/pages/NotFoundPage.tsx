// SPDX-License-Identifier: Apache-2.0
import { hrefOf } from "../router/route";
import { EmptyState } from "../ui/EmptyState";
import { PageFrame } from "../ui/PageFrame";

export default function NotFoundPage() {
  return (
    <PageFrame title="Page not found" intro="The link names a page that TeeTee does not have.">
      <EmptyState
        icon="question"
        title="Where to from here"
        actions={
          <>
            <a href={hrefOf("home")} className="btn btn-solid">
              Start page
            </a>
            <a href={hrefOf("chat")} className="btn btn-quiet">
              Chat
            </a>
          </>
        }
      >
        It may have been cut off when it was copied.
      </EmptyState>
    </PageFrame>
  );
}
