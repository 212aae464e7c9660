// SPDX-License-Identifier: Apache-2.0
import { Component, type ReactNode } from "react";
import { asError, type TeeTeeError } from "../../base/error";

interface Props {
  children: ReactNode;
}

interface State {
  error?: TeeTeeError;
}

/** Keeps what breaks inside from taking the rest of the page along, and says what can be done. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = {};

  static getDerivedStateFromError(thrown: unknown): State {
    return { error: asError(thrown) };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <section role="alert" className="mx-auto max-w-xl px-4 py-20">
        <h1 className="text-2xl font-semibold">This part of the page has stopped</h1>
        <p className="mt-3 text-soft">
          Your conversations are kept in this browser and are not affected. If it happens again
          after loading the page anew, its files may have changed or may not have arrived in full.
        </p>
        <p className="mt-4 rounded-lg bg-sunken p-3 font-mono text-sm break-words">
          {error.code}: {error.detail}
        </p>
        <button type="button" onClick={() => location.reload()} className="btn btn-solid mt-6">
          Load the page anew
        </button>
      </section>
    );
  }
}
