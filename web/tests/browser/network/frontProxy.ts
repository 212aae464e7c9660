// SPDX-License-Identifier: Apache-2.0
import { createServer, request, type IncomingMessage, type Server } from "node:http";

/** Changes an answer on its way; undefined leaves it as it is. */
export type Change = (path: string, body: Buffer) => Buffer | undefined;

/** What stands before an entry or an RPC endpoint: it sees, changes and holds back what passes. */
export class FrontProxy {
  /** Connections are refused, as where nobody is there. */
  isDown = false;
  change: Change | undefined;
  /** Method and path of everything that was asked. */
  readonly seen: string[] = [];
  private readonly server: Server;

  private constructor(
    readonly port: number,
    private readonly target: string,
  ) {
    this.server = createServer((incoming, outgoing) => {
      const path = incoming.url ?? "/";
      this.seen.push(`${incoming.method} ${path}`);
      if (this.isDown) return void incoming.socket.destroy();
      const { host: _, "accept-encoding": __, ...headers } = incoming.headers;
      const passed = request(
        `${this.target}${path}`,
        { method: incoming.method, headers },
        (answer) => {
          if (!this.change) {
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
            return void answer.pipe(outgoing);
          }
          void this.changed(path, answer).then((body) => {
            const { "content-length": ___, "transfer-encoding": ____, ...kept } = answer.headers;
            outgoing.writeHead(answer.statusCode ?? 502, {
              ...kept,
              "content-length": body.length,
            });
            outgoing.end(body);
          });
        },
      );
      passed.on("error", () => incoming.socket.destroy());
      outgoing.on("close", () => passed.destroy());
      incoming.pipe(passed);
    });
  }

  static async start(port: number, target: string): Promise<FrontProxy> {
    const proxy = new FrontProxy(port, target);
    await new Promise<void>((ready, failed) => {
      proxy.server.once("error", failed);
      proxy.server.listen(port, "127.0.0.1", ready);
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private async changed(path: string, answer: IncomingMessage): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of answer) parts.push(part as Buffer);
    const whole = Buffer.concat(parts);
    return this.change?.(path, whole) ?? whole;
  }

  stop(): Promise<void> {
    return new Promise((done) => {
      this.server.close(() => done());
      this.server.closeAllConnections();
    });
  }
}
