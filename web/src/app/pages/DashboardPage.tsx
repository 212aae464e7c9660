// SPDX-License-Identifier: Apache-2.0
import { Dashboard } from "../dashboard/Dashboard";
import { PageFrame } from "../ui/PageFrame";

export default function DashboardPage() {
  return (
    <PageFrame
      title="Dashboard"
      intro="What your nodes have computed, what that has earned, and until when their evidence holds."
    >
      <Dashboard />
    </PageFrame>
  );
}
