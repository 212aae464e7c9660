// SPDX-License-Identifier: Apache-2.0
import { Component, type ReactNode } from "react";

interface Props {
  children: ReactNode;
  onError: () => void;
}

/** For decoration that may fail: shows nothing in its place, and tells its owner. */
export class ErrorBoundaryQuiet extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidCatch() {
    this.props.onError();
  }

  override render() {
    return this.state.failed ? null : this.props.children;
  }
}
