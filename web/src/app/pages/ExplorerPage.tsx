// SPDX-License-Identifier: Apache-2.0
import { ExplorerView } from "../explorer/ExplorerView";
import { PageFrame } from "../ui/PageFrame";

export default function ExplorerPage() {
  return (
    <PageFrame
      title="Explorer"
      intro="Open a receipt or a quote and see every check. It stays in this page: what a link to a receipt holds stands behind the # and reaches no server."
    >
      <ExplorerView />
    </PageFrame>
  );
}
