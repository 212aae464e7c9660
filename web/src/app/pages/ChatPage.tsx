// SPDX-License-Identifier: Apache-2.0
import { Suspense, use } from "react";
import { ChatView } from "../chat/ChatView";
import { openChat } from "../chat/chatStore";
import { NetworkBackend } from "../chat/NetworkBackend";

function OpenChat() {
  return <ChatView chat={use(openChat())} />;
}

export default function ChatPage() {
  return (
    <Suspense
      fallback={
        <p role="status" className="sr-only">
          Opening your conversations
        </p>
      }
    >
      <NetworkBackend>
        <OpenChat />
      </NetworkBackend>
    </Suspense>
  );
}
