/** One job: what it was called with, what came of it, and why it ran. */
import type { ComponentChildren, JSX } from "preact";
import { ERROR_VALUE_TYPE } from "../../src/backend/records.ts";
import { asError, errorRecord } from "../../src/executor/job-error.ts";
import { ErrorValue } from "../../src/scheduler/traceback.ts";
import { dedent } from "../../src/util/dedent.ts";
import { dateTime, duration, shortId } from "../lib/format.ts";
import type { Execution, Job } from "../state/execution.ts";
import { type CallStory, readCall } from "../state/job-story.ts";
import { useResource } from "../state/resource.ts";
import { address } from "../state/router.ts";
import { decodeText } from "../state/values.ts";
import { ErrorNotice, Fact, StatusBadge } from "./basics.tsx";
import { TagList } from "./tag-list.tsx";
import { ErrorDetail } from "./traceback.tsx";
import { StoredValue } from "./value-view.tsx";
import { WhyItRan } from "./why-it-ran.tsx";

/** The detail beside the tree. */
export function JobDetail({ execution, job }: { execution: Execution; job: Job }): JSX.Element {
  execution.follow();
  const { callHash, status, startTime, endTime } = job;
  // Records are written behind, so they may come a little after the job has ended.
  const isWritten = execution.status !== "RUNNING";
  const resource = useResource(`${callHash} ${isWritten}`, async () =>
    callHash === undefined ? undefined : readCall(callHash),
  );
  const lines = execution.log.filter(({ jobId }) => jobId === job.id);
  const story = resource.value;
  return (
    <>
      <h2 class="mono">{job.task}</h2>
      <dl class="facts">
        <Fact name="Status">
          <StatusBadge status={status} />
        </Fact>
        <Fact name="Job">
          <code title={job.id}>{shortId(job.id)}</code>
        </Fact>
        <Fact name="Started">{dateTime(startTime)}</Fact>
        {startTime !== undefined && endTime !== undefined && status !== "CACHED" && (
          <Fact name="Took">{duration(endTime - startTime)}</Fact>
        )}
        {job.executor !== undefined && <Fact name="Executor">{job.executor}</Fact>}
        {job.worker !== undefined && (
          <Fact name="Worker">
            {job.worker}
            {job.ran !== undefined && `, for ${duration(job.ran.ended - job.ran.started)}`}
          </Fact>
        )}
        {job.parentId !== null && execution.jobs.has(job.parentId) && (
          <Fact name="Called by">
            <a href={address(["executions", execution.id, "jobs"], { job: job.parentId })}>
              {execution.jobs.get(job.parentId)!.task}
            </a>
          </Fact>
        )}
        {story !== undefined && story.tags.length > 0 && (
          <Fact name="Tags">
            <TagList tags={story.tags} />
          </Fact>
        )}
      </dl>
      {resource.phase === "failed" && <ErrorNotice error={resource.error} />}
      {story === undefined ? (
        <LiveCall job={job} miss={execution.misses.get(job.id)} />
      ) : (
        <Call story={story} execution={execution} job={job} />
      )}
      {lines.length > 0 && (
        <Part title="Log">
          <pre class="log-block">{lines.map(({ line }) => line).join("\n")}</pre>
        </Part>
      )}
      {story?.task !== undefined && (
        <Part title="Code">
          {story.task.doc !== undefined && <p class="doc">{story.task.doc}</p>}
          <pre class="source">{dedent(story.task.source)}</pre>
        </Part>
      )}
    </>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="detail-part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function LiveCall({ job, miss }: { job: Job; miss: string | undefined }): JSX.Element {
  return (
    <Part title="Call">
      <pre>{job.call ?? job.task}</pre>
      {miss !== undefined && <p>{miss}</p>}
    </Part>
  );
}

function Call({ story, execution, job }: { story: CallStory; execution: Execution; job: Job }): JSX.Element {
  const { args, result, call } = story;
  return (
    <>
      <Part title="Arguments">
        {args.length === 0 && <p class="muted">None</p>}
        {args.map(({ name, valueHash, value }) => (
          <div key={name} class="named-value">
            <div class="named-value-head">
              <span class="mono">{name}</span>
              <a href={address(["values", valueHash])}>{shortId(valueHash)}</a>
            </div>
            <StoredValue value={value} isBrief />
          </div>
        ))}
      </Part>
      {result?.type === ERROR_VALUE_TYPE ? (
        <Part title="Error">
          <StoredError text={result.text} execution={execution} />
        </Part>
      ) : (
        <Part title="Result">
          <div class="named-value">
            <div class="named-value-head">
              <span class="muted">{result?.type}</span>
              <a href={address(["values", call.valueHash])}>{shortId(call.valueHash)}</a>
            </div>
            <StoredValue value={result} isBrief />
          </div>
        </Part>
      )}
      <Part title={job.status === "CACHED" ? "Why it did not run" : "Why it ran"}>
        <WhyItRan story={story} executionId={execution.id} job={job} />
      </Part>
    </>
  );
}

function StoredError({ text, execution }: { text: string; execution: Execution }): JSX.Element {
  const decoded = decodeText(text);
  if (!decoded.known || !(decoded.value instanceof ErrorValue)) return <pre>{text}</pre>;
  const { error, traceback } = decoded.value;
  return (
    <ErrorDetail
      error={errorRecord(asError(error))}
      traceback={traceback}
      jobAddress={(job) => address(["executions", execution.id, "jobs"], { job })}
    />
  );
}
