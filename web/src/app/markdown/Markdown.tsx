// SPDX-License-Identifier: Apache-2.0
import { memo, useRef, type ReactNode } from "react";
import type { Token, Tokens } from "marked";
import { Icon } from "../ui/Icon";
import { BlockStream, type Block } from "./blocks";
import { CodeBlock } from "./CodeBlock";
import { decodeReferences, safeHref } from "./links";

/** Deeper nesting is shown as the text it is written in. */
const depthLimit = 16;

interface Props {
  text: string;
  /** More text is coming: only the last blocks are rendered anew, and open code is not coloured. */
  isStreaming?: boolean;
}

/**
 * Markdown as React elements, without any HTML: tags are shown as text, links lead only to http,
 * https and mail, and images are links that nothing loads.
 */
export function Markdown({ text, isStreaming = false }: Props) {
  const stream = useRef<BlockStream>(undefined);
  stream.current ??= new BlockStream();
  const blocks = stream.current.update(text, !isStreaming);
  return (
    <div className="prose">
      {blocks.map((block, at) => (
        <BlockView key={block.key} block={block} isOpen={isStreaming && at === blocks.length - 1} />
      ))}
    </div>
  );
}

const BlockView = memo(function BlockView({ block, isOpen }: { block: Block; isOpen: boolean }) {
  const shown = renderBlock(block.token, 0, isOpen);
  return shown === null ? null : <div className="block">{shown}</div>;
});

function renderBlocks(tokens: readonly Token[], depth: number): ReactNode {
  return tokens.map((token, at) => <Nested key={at} token={token} depth={depth} />);
}

function Nested({ token, depth }: { token: Token; depth: number }) {
  return renderBlock(token, depth, false);
}

function renderBlock(token: Token, depth: number, isOpen: boolean): ReactNode {
  if (depth > depthLimit) return <p className="raw">{token.raw}</p>;
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading":
      // One level for all: a message's own heading is the level above, and none may be left out.
      return (
        <h3 data-level={Math.min(3, (token as Tokens.Heading).depth)}>
          {renderInline(token.tokens ?? [], depth + 1)}
        </h3>
      );
    case "code": {
      const code = token as Tokens.Code;
      return <CodeBlock code={code.text} language={code.lang ?? ""} isOpen={isOpen} />;
    }
    case "blockquote":
      return <blockquote>{renderBlocks(token.tokens ?? [], depth + 1)}</blockquote>;
    case "list":
      return renderList(token as Tokens.List, depth);
    case "table":
      return renderTable(token as Tokens.Table, depth);
    case "hr":
      return <hr />;
    case "html":
    case "plain":
      return <p className="raw">{(token as Tokens.HTML).raw.trimEnd()}</p>;
    case "paragraph":
      return <p>{renderInline(token.tokens ?? [], depth + 1)}</p>;
    case "text":
      // The text of a tight list item: no paragraph of its own.
      return <div>{renderInline(token.tokens ?? [token], depth + 1)}</div>;
    default:
      return renderInline([token], depth + 1);
  }
}

function renderList(list: Tokens.List, depth: number): ReactNode {
  const items = list.items.map((item, at) => (
    <li key={at} className={item.task ? "task" : undefined}>
      {item.task ? (
        <span className="mr-2" role="img" aria-label={item.checked ? "done" : "not done"}>
          {item.checked ? "☑" : "☐"}
        </span>
      ) : null}
      {renderBlocks(
        item.tokens.filter((token) => token.type !== "checkbox"),
        depth + 1,
      )}
    </li>
  ));
  if (!list.ordered) return <ul>{items}</ul>;
  return <ol start={typeof list.start === "number" ? list.start : 1}>{items}</ol>;
}

function renderTable(table: Tokens.Table, depth: number): ReactNode {
  return (
    <div className="table" role="group" aria-label="Table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {table.header.map((cell, at) => (
              <th key={at} data-align={cell.align ?? undefined}>
                {renderInline(cell.tokens, depth + 1)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, rowAt) => (
            <tr key={rowAt}>
              {row.map((cell, at) => (
                <td key={at} data-align={cell.align ?? undefined}>
                  {renderInline(cell.tokens, depth + 1)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function renderInline(tokens: readonly Token[], depth: number): ReactNode {
  return tokens.map((token, at) => <Inline key={at} token={token} depth={depth} />);
}

function Inline({ token, depth }: { token: Token; depth: number }): ReactNode {
  if (depth > 2 * depthLimit) return token.raw;
  const tokens = "tokens" in token ? token.tokens : undefined;
  const inside = () => renderInline(tokens ?? [], depth + 1);
  switch (token.type) {
    case "strong":
      return <strong>{inside()}</strong>;
    case "em":
      return <em>{inside()}</em>;
    case "del":
      return <del>{inside()}</del>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "link":
      return <SafeLink href={(token as Tokens.Link).href}>{inside()}</SafeLink>;
    case "image": {
      const image = token as Tokens.Image;
      return (
        <SafeLink href={image.href} isImage>
          {decodeReferences(image.text) || "image"}
        </SafeLink>
      );
    }
    case "escape":
      return (token as Tokens.Escape).text;
    case "text":
      if (tokens !== undefined) return inside();
      return decodeReferences((token as Tokens.Text).text);
    default:
      // Raw HTML above all: the text that was written.
      return token.raw;
  }
}

interface LinkProps {
  href: string;
  children: ReactNode;
  isImage?: boolean;
}

function SafeLink({ href, children, isImage = false }: LinkProps) {
  const safe = safeHref(href);
  const words = isImage ? (
    <>
      <Icon name="image" className="mr-1 inline size-4 align-text-bottom" />
      <span className="sr-only">Image, not loaded: </span>
      {children}
    </>
  ) : (
    children
  );
  if (safe === undefined) return <span title={href.slice(0, 200)}>{words}</span>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer nofollow">
      {words}
    </a>
  );
}
