/** How an error came about. */
import type { JSX } from "preact";
import type { ErrorRecord } from "../../src/errors/redun-error.ts";
import type { Traceback } from "../../src/scheduler/traceback.ts";
import { errorHeadline } from "../lib/errors.ts";

/** An error and the jobs on the way to it, root first. */
export function ErrorDetail({
  error,
  traceback,
  jobAddress,
}: {
  error: ErrorRecord;
  traceback: Traceback | undefined;
  jobAddress: (jobId: string) => string;
}): JSX.Element {
  return (
    <div class="error-detail">
      <pre class="error-headline">{errorHeadline(error)}</pre>
      {error.hint !== undefined && <p>{error.hint}</p>}
      {traceback !== undefined && traceback.frames.length > 0 && (
        <ol class="frames" aria-label="Traceback, the root job first">
          {traceback.frames.map((frame, i) => (
            <li key={i}>
              <div>
                <a class="mono" href={jobAddress(frame.jobId)}>
                  {frame.task}
                </a>
                {frame.file !== null && (
                  <span class="muted">
                    {" "}
                    {frame.file}:{frame.line}
                  </span>
                )}
              </div>
              <pre>{frame.source}</pre>
              {Object.keys(frame.locals).length > 0 && (
                <dl class="locals">
                  {Object.entries(frame.locals).map(([name, text]) => (
                    <div key={name}>
                      <dt>{name}</dt>
                      <dd>{text}</dd>
                    </div>
                  ))}
                </dl>
              )}
            </li>
          ))}
        </ol>
      )}
      {traceback !== undefined && traceback.stack.length > 0 && (
        <details>
          <summary>JavaScript stack</summary>
          <pre>{traceback.stack.join("\n")}</pre>
        </details>
      )}
      {traceback !== undefined && traceback.log.length > 0 && (
        <details>
          <summary>Latest log lines of the job</summary>
          <pre>{traceback.log.join("\n")}</pre>
        </details>
      )}
      {error.cause !== undefined && <p class="muted">Caused by {errorHeadline(error.cause)}</p>}
    </div>
  );
}
