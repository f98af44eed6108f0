/** A value of the store, and where it came from. */
import type { JSX } from "preact";
import { Empty, Fact, Loaded, Section } from "../components/basics.tsx";
import { Lineage } from "../components/lineage.tsx";
import { TagList } from "../components/tag-list.tsx";
import { StoredValue } from "../components/value-view.tsx";
import { plural, shortId } from "../lib/format.ts";
import { useResource } from "../state/resource.ts";
import { address } from "../state/router.ts";
import { getTags, getValues, query } from "../state/store.ts";

/** The view of one value. */
export function ValuePage({ hash }: { hash: string }): JSX.Element {
  const resource = useResource(hash, async () => {
    const [value, tags, users] = await Promise.all([
      getValues([hash]),
      getTags([hash]),
      query("callsOfValue", hash, "argument"),
    ]);
    return { value: value.get(hash), tags: tags.get(hash) ?? [], users: users.length };
  });
  return (
    <div class="page">
      <Loaded resource={resource}>
        {({ value, tags, users }) =>
          value === undefined ? (
            <Empty>
              <p>This repository has no value {shortId(hash)}.</p>
              <a href={address(["executions"])}>All executions</a>
            </Empty>
          ) : (
            <>
              <div class="page-head">
                <h1>
                  Value <span class="mono">{shortId(hash)}</span>
                </h1>
              </div>
              <dl class="facts">
                <Fact name="Type">
                  <code>{value.type}</code>
                </Fact>
                <Fact name="Hash">
                  <code>{hash}</code>
                </Fact>
                {value.file !== null && (
                  <Fact name="File">
                    <code>{value.file}</code>
                  </Fact>
                )}
                <Fact name="Used by">{plural(users, "call")}</Fact>
                {value.subvalues.length > 0 && (
                  <Fact name="Holds">
                    <span class="tags">
                      {value.subvalues.slice(0, 20).map((sub) => (
                        <a key={sub} class="mono" href={address(["values", sub])}>
                          {shortId(sub)}
                        </a>
                      ))}
                      {value.subvalues.length > 20 && `and ${value.subvalues.length - 20} more`}
                    </span>
                  </Fact>
                )}
                {tags.length > 0 && (
                  <Fact name="Tags">
                    <TagList tags={tags} />
                  </Fact>
                )}
              </dl>
              <Section title="Content">
                <StoredValue value={value} />
              </Section>
              <Section title="Where it came from">
                <Lineage valueHash={hash} />
              </Section>
            </>
          )
        }
      </Loaded>
    </div>
  );
}
