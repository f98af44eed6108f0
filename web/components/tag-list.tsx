/** Tags, each leading to the executions that carry it. */
import type { JSX } from "preact";
import type { TagRow } from "../../src/backend/backend.ts";
import { address } from "../state/router.ts";

/** A tag's value as text; a string stands for itself. */
function tagText({ key, value }: Pick<TagRow, "key" | "value">): string {
  return `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`;
}

/** The tags of one thing. */
export function TagList({ tags }: { tags: readonly TagRow[] }): JSX.Element {
  if (tags.length === 0) return <span class="muted">none</span>;
  return (
    <span class="tags">
      {tags.map((tag) => (
        <a key={tag.tagHash} class="tag" href={address(["executions"], { tag: tagText(tag) })}>
          {tagText(tag)}
        </a>
      ))}
    </span>
  );
}
